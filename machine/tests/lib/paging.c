// SPDX-License-Identifier: GPL-2.0
#include "payload.h"

#define P	1ull
#define W	2ull
#define U	4ull
#define LARGE	0x80ull
#define DEVICES	0xc0000000ull

static u64 pml4[512] __page_aligned, pdpt[512] __page_aligned, pd[4][512] __page_aligned;
static u64 arena_table[512] __page_aligned, window_directory[512] __page_aligned,
	window_table[512] __page_aligned;
static u64 window_2m[512] __page_aligned;

static u64 attributes(int how)
{
	switch (how) {
	case PRIVATE_PAGE:
		return P | W | U | private_bit();
	case READONLY_PAGE:
		return P | U | private_bit();
	case SHARED_PAGE:
		return P | W | U | shared_bit();
	default:
		return 0;
	}
}

u64 root_table(void)
{
	return (u64)pml4;
}

void forget_c_bit(void)
{
	window_directory[0] &= ~cmask;
	write_cr3(root_table() | private_bit());
}

void map_arena(u32 page, int how)
{
	arena_table[page] = (ARENA + page * PAGE_SIZE) | attributes(how);
	invlpg(arena(page));
}

u8 *map_window(u32 slot, u64 gpa, int how)
{
	u8 *va = (u8 *)(WINDOW + slot * PAGE_SIZE);

	window_table[slot] = gpa | attributes(how);
	invlpg(va);
	return va;
}

u8 *map_window_2m(u32 slot, u64 gpa, int how)
{
	u8 *va = (u8 *)(WINDOW_2M + slot * SIZE_2M);
	u64 bits = attributes(how);

	window_2m[slot] = bits ? gpa | bits | LARGE : 0;
	invlpg(va);
	return va;
}

void paging_init(void)
{
	u64 table = P | W | U | private_bit();
	u64 i;

	pml4[0] = (u64)pdpt | table;
	for (i = 0; i < 4; i++)
		pdpt[i] = (u64)pd[i] | table;
	for (i = 0; i < 2048; i++)
		pd[i / 512][i % 512] =
			i * SIZE_2M | LARGE |
			attributes(i * SIZE_2M < DEVICES ? PRIVATE_PAGE : SHARED_PAGE);
	for (i = 0; i < ARENA_PAGES; i++)
		arena_table[i] = (ARENA + i * PAGE_SIZE) | attributes(PRIVATE_PAGE);
	pd[0][ARENA / SIZE_2M] = (u64)arena_table | table;
	pdpt[WINDOW / SIZE_1G] = (u64)window_directory | table;
	window_directory[0] = (u64)window_table | table;
	pdpt[WINDOW_2M / SIZE_1G] = (u64)window_2m | table;
	write_cr3((u64)pml4 | private_bit());
}
