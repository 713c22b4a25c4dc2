/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CMOS, as a device for string I/O: its index and data ports lie side by side, so that
 * one word holds a byte's place and its value, and OUTSW stores it.
 */
#ifndef COCO_CMOS_H
#define COCO_CMOS_H

#include "../lib/insn.h"

#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define CMOS_FIRST	0x60			/* bytes that nobody else uses */
#define CMOS_COUNT	8

static __insn void cmos_select(uint8_t index)
{
	io_out(CMOS_INDEX, 1, index);
}

static void cmos_write(uint8_t index, uint8_t value)
{
	cmos_select(index);
	io_out(CMOS_DATA, 1, value);
}

static uint8_t cmos_read(uint8_t index)
{
	cmos_select(index);
	return io_in(CMOS_DATA, 1, 0);
}

/* Index and value of each byte of the CMOS, from "at" on */
static __maybe_unused void fill_words(uint8_t *at, uint8_t first_value)
{
	unsigned int i;

	for (i = 0; i < CMOS_COUNT; i++) {
		at[2 * i] = CMOS_FIRST + i;
		at[2 * i + 1] = first_value + i;
	}
}

static __maybe_unused void clear_cmos(void)
{
	unsigned int i;

	for (i = 0; i < CMOS_COUNT; i++)
		cmos_write(CMOS_FIRST + i, 0);
}

static __maybe_unused void expect_cmos(struct __test_metadata *_metadata, uint8_t first_value)
{
	unsigned int i;

	for (i = 0; i < CMOS_COUNT; i++)
		EXPECT_EQ(first_value + i, cmos_read(CMOS_FIRST + i));
}

#endif /* COCO_CMOS_H */
