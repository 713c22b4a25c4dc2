/* SPDX-License-Identifier: GPL-2.0 */
/* Data that tells who wrote it, and where: the host has the same (scripts/lib/coco/witness.py). */
#ifndef COCO_WORD_H
#define COCO_WORD_H

#include <stdint.h>

static inline uint64_t word(uint64_t index, uint64_t who)
{
	return (who << 48 ^ index) * 0x9e3779b97f4a7c15ull;
}

#endif /* COCO_WORD_H */
