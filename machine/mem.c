// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory: where its bytes are kept, and the nested page tables.
 *
 * Two trees of nested tables, one a view, hang below one root; the C-bit or
 * shared bit of a guest-physical address is an index bit of that root (47: in
 * level 4, 51: in level 5), so the CPU itself selects the view:
 *
 *	root --- bit clear --- view A --- RAM by 4K pages, firmware tables, MMIO
 *	     \-- bit set ----- view B --- RAM by 4K pages, firmware tables
 *
 * RAM is in two ranges, as in machines with more of it than fits below the PCI
 * hole: from 0, and from 4 GiB on (options ram and high, in MiB).
 *
 * A second root serves guests with paging off: the private view, and the page
 * table that paging.c needs.
 */
#include "apic.h"
#include "core.h"

#define NPT_RW		(PTE_PRESENT | PTE_WRITE | PTE_USER)
#define NPT_RO		(PTE_PRESENT | PTE_USER)
#define ENTRIES		512
#define VIEWS		2
#define SIZE_512G	(SIZE_1G * ENTRIES)
#define MMIO_END	0x100000000ull
#define PAGE_0_ALIAS	(511 * SIZE_512G)	/* entry.S: address 0 is no pointer in C */

#define VGA_START	0xa0000

static u64 root[ENTRIES] __page_aligned, root_paging_off[ENTRIES] __page_aligned;
static u64 level4[ENTRIES] __page_aligned;		/* addresses below 2^48 */
static u64 level4_high[ENTRIES] __page_aligned;		/* with bit 51 */
static u64 level4_paging_off[ENTRIES] __page_aligned;
/* As level3[PRIVATE] and level2[PRIVATE][1], and PAGING_OFF_TABLE */
static u64 level3_paging_off[ENTRIES] __page_aligned, level2_paging_off[ENTRIES] __page_aligned;
static u64 level3[VIEWS][ENTRIES] __page_aligned;
static u64 level2[VIEWS][4][ENTRIES] __page_aligned;
static u64 *ram_pages[VIEWS];		/* by ram_page() */
static u64 *apic_entries[VIEWS];

static u64 alloc_next;			/* between the modules and PRIVATE_BASE */
static struct {
	u64 start, end;
	u8 *bytes;
} firmware[2];				/* the tables, and the flash of a guest that has one */
static u64 arrays_next;			/* behind the private view of RAM above 4 GiB, if there is any */

void mem_reserve_modules(const u32 *multiboot)
{
	const struct multiboot_module *m = (void *)(u64)multiboot[MULTIBOOT_MODS_ADDR];
	u32 i;

	/* QEMU puts command lines and module list in the page(s) behind the machine, then the modules */
	alloc_next = (u64)machine_end + SIZE_2M;
	for (i = 0; i < multiboot[MULTIBOOT_MODS_COUNT]; i++)
		if (m[i].end > alloc_next)
			alloc_next = m[i].end;
	alloc_next = (alloc_next + PAGE_SIZE - 1) & PAGE_MASK;
}

/* Zeroed, never freed */
static void *machine_alloc(u32 pages)
{
	void *p = (void *)alloc_next;

	alloc_next += pages * PAGE_SIZE;
	if (alloc_next > PRIVATE_BASE)
		internal_error("kernel and initramfs leave the machine no memory");
	return memset(p, 0, pages * PAGE_SIZE);
}

/* ---- views ---- */

static bool is_high(u64 gpa)
{
	return gpa >= HIGH_BASE && gpa - HIGH_BASE < config.high;
}

bool is_ram(u64 gpa)
{
	return (gpa < config.ram && !(gpa >= VGA_START && gpa < ROM_START)) || is_high(gpa);
}

u64 next_ram(u64 gpa)
{
	if (gpa < config.ram || is_high(gpa))
		return gpa;
	return gpa < HIGH_BASE && config.high ? HIGH_BASE : RAM_END;
}

u64 ram_page(u64 gpa)
{
	return (gpa < HIGH_BASE ? gpa : config.ram + (gpa - HIGH_BASE)) / PAGE_SIZE;
}

/* Both views, and the arrays: 64 bytes a page are more than they take */
u64 mem_high_room(void)
{
	return 2 * config.high + (config.ram + config.high) / 64;
}

void *ram_array(u32 size)
{
	u64 bytes = ((config.ram + config.high) / PAGE_SIZE * size + PAGE_SIZE - 1) & PAGE_MASK;
	void *p = (void *)arrays_next;

	if (!config.high)
		return machine_alloc(bytes / PAGE_SIZE);
	arrays_next += bytes;
	if (arrays_next > HIGH_BASE + mem_high_room())
		internal_error("more is kept of each page than there is room for");
	return memset(p, 0, bytes);
}

/* What SeaBIOS left below 1M is in both views, with the same contents, for good */
static bool is_rom(u64 gpa)
{
	return gpa >= ROM_START && gpa < ROM_END;
}

enum view view_of(u64 address)
{
	if (!config.cmask)
		return PRIVATE;
	return !(address & config.cmask) == config.tech->bit_is_private ? SHARED : PRIVATE;
}

/* Physical address */
static u64 ram_address(u64 gpa, enum view view)
{
	if (view == SHARED || !config.tech->two_views)
		return gpa;
	return gpa + (gpa < HIGH_BASE ? PRIVATE_BASE : config.high);
}

void *ram_ptr(u64 gpa, enum view view)
{
	u64 address = ram_address(gpa, view);

	if (!is_ram(gpa))
		return NULL;
	return (void *)(address < PAGE_SIZE ? address + PAGE_0_ALIAS : address);
}

u8 *firmware_ptr(u64 gpa)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(firmware); i++)
		if (gpa >= firmware[i].start && gpa < firmware[i].end)
			return firmware[i].bytes + (gpa - firmware[i].start);
	return NULL;
}

bool direct_devices(void)
{
	return config.tech->id == COCO_NONE || config.tech->id == COCO_SEV;
}

/* The view of an address without C-bit or shared bit, where devices are, too, if they are mapped at all */
static enum view plain_view(void)
{
	return view_of(0);
}

/* A stream of bytes by address (splitmix64), so that XOR turns and turns back */
void scramble_page(void *dst, const void *src, u64 gpa)
{
	const u64 *from = src;
	u64 *to = dst, key, i;

	for (i = 0; i < PAGE_SIZE / sizeof(*to); i++) {
		key = ((gpa & PAGE_MASK) + i * 8 + 1) * 0x9e3779b97f4a7c15ull;
		key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9ull;
		key = (key ^ key >> 27) * 0x94d049bb133111ebull;
		to[i] = from[i] ^ key ^ key >> 31;
	}
}

/* ---- nested page tables ---- */

static u64 *ram_entry(u64 gpa, enum view view)
{
	return &ram_pages[view][ram_page(gpa)];
}

void npt_set(u64 gpa, enum view view, bool present, bool writable)
{
	if (!is_ram(gpa) || is_rom(gpa))
		return;
	*ram_entry(gpa, view) = present ? (ram_address(gpa, view) & PAGE_MASK) | (writable ? NPT_RW : NPT_RO) : 0;
}

void npt_show_private(u64 gpa)
{
	*ram_entry(gpa, SHARED) = (ram_address(gpa, PRIVATE) & PAGE_MASK) | NPT_RW;
}

/* Not always this view's own bytes: see npt_show_private() */
void *npt_ptr(u64 gpa, enum view view)
{
	u64 *entry = ram_entry(gpa, view);

	if (!npt_present(gpa, view))
		return NULL;
	return (*entry & PTE_ADDRESS) == (ram_address(gpa, PRIVATE) & PAGE_MASK) ?
		ram_ptr(gpa, PRIVATE) : ram_ptr(gpa, SHARED);
}

bool npt_present(u64 gpa, enum view view)
{
	return is_ram(gpa) && *ram_entry(gpa, view) & PTE_PRESENT;
}

/* The processor sets it in nested tables as in others (APM vol. 2, 15.25.5) */
bool npt_accessed(u64 gpa, enum view view)
{
	return npt_present(gpa, view) && *ram_entry(gpa, view) & PTE_ACCESSED;
}

bool npt_allows(u64 gpa, enum view view, bool write)
{
	return npt_present(gpa, view) && (!write || *ram_entry(gpa, view) & PTE_WRITE);
}

u64 npt_root(bool paging_off)
{
	return (u64)(paging_off ? root_paging_off : root);
}

/* The table below this entry, made if there is none; a 2M page is split */
static u64 *table_below(u64 *entry)
{
	u64 *table, i, page = *entry;

	if (page & PTE_PRESENT && !(page & PTE_LARGE))
		return (u64 *)(page & PTE_ADDRESS);
	table = machine_alloc(1);
	for (i = 0; page && i < ENTRIES; i++)
		table[i] = (page & ~PTE_LARGE) + i * PAGE_SIZE;
	*entry = (u64)table | NPT_RW;
	return table;
}

static u64 *entry_below(u64 *level2_entry, u64 gpa)
{
	return &table_below(level2_entry)[gpa / PAGE_SIZE % ENTRIES];
}

static u64 *entry_4k(u64 gpa, enum view view)
{
	return entry_below(&level2[view][gpa / SIZE_1G][gpa / SIZE_2M % ENTRIES], gpa);
}

/* The tables of RAM are parts of one array, since both ranges begin with a table's first page */
static void link_ram(enum view view)
{
	u64 gpa, *table;

	ram_pages[view] = ram_array(sizeof(u64));
	for (gpa = next_ram(0); gpa != RAM_END; gpa = next_ram(gpa + SIZE_2M)) {
		table = table_below(&level3[view][gpa / SIZE_1G]);
		table[gpa / SIZE_2M % ENTRIES] = (u64)ram_entry(gpa, view) | NPT_RW;
	}
}

static void link_views(void)
{
	enum view plain = plain_view(), marked = plain == PRIVATE ? SHARED : PRIVATE;
	u32 v, i;

	for (v = 0; v < VIEWS; v++) {
		for (i = 0; i < 4; i++)
			level3[v][i] = (u64)level2[v][i] | NPT_RW;
		link_ram(v);
	}
	root[0] = (u64)level4 | NPT_RW;
	level4[0] = (u64)level3[plain] | NPT_RW;
	if (config.cbit >= 48) {
		root[BIT(config.cbit - 48)] = (u64)level4_high | NPT_RW;
		level4_high[0] = (u64)level3[marked] | NPT_RW;
	} else if (config.cmask) {
		level4[BIT(config.cbit - 39)] = (u64)level3[marked] | NPT_RW;
	}
	if (config.told_mask)
		level4[BIT(config.told_cbit - 39)] = (u64)level3[plain] | NPT_RW;
	root_paging_off[0] = (u64)level4_paging_off | NPT_RW;
	level4_paging_off[0] = (u64)level3_paging_off | NPT_RW;
}

/* The page table of a guest with paging off: 4 MiB identity pages (APM vol. 2, 5.2.2) */
static void build_paging_off_table(void)
{
	u32 *table = machine_alloc(1), i;

	for (i = 0; i < 1024; i++)
		table[i] = i << 22 | NPT_RW | PTE_LARGE;
	memcpy(level3_paging_off, level3[PRIVATE], sizeof(level3_paging_off));
	memcpy(level2_paging_off, level2[PRIVATE][1], sizeof(level2_paging_off));
	level3_paging_off[1] = (u64)level2_paging_off | NPT_RW;
	*entry_below(&level2_paging_off[0], PAGING_OFF_TABLE) = (u64)table | NPT_RW;
}

void firmware_map(u64 start, u64 end, u8 *bytes)
{
	u64 gpa;
	u32 v, i = !!firmware[0].end;

	firmware[i].bytes = bytes;
	firmware[i].start = start;
	firmware[i].end = end;
	for (v = 0; v < VIEWS; v++)
		for (gpa = start; gpa < end; gpa += PAGE_SIZE)
			*entry_4k(gpa, v) = (u64)firmware_ptr(gpa) | NPT_RW;
}

/* Copied away, because the private view of RAM may end where QEMU's RAM ends */
static void map_tables(u64 start, u64 end)
{
	u8 *copy = machine_alloc((end - start) / PAGE_SIZE);

	firmware_map(start, end, memcpy(copy, (void *)start, end - start));
}

static void map_rom(void)
{
	u64 gpa;
	u32 v;

	if (config.tech->two_views) {
		memcpy(ram_ptr(0, PRIVATE), ram_ptr(0, SHARED), VGA_START);
		memcpy(ram_ptr(ROM_START, PRIVATE), ram_ptr(ROM_START, SHARED), ROM_END - ROM_START);
	}
	for (v = 0; v < VIEWS; v++)
		for (gpa = ROM_START; gpa < ROM_END; gpa += PAGE_SIZE)
			*ram_entry(gpa, v) = ram_address(gpa, v) | NPT_RW;
}

static void map_devices(u64 start, enum view view)
{
	u64 gpa;

	for (gpa = VGA_START; gpa < ROM_START; gpa += PAGE_SIZE)
		*ram_entry(gpa, view) = gpa | NPT_RW;
	for (gpa = start; gpa < MMIO_END; gpa += SIZE_2M)
		level2[view][gpa / SIZE_1G][gpa / SIZE_2M % ENTRIES] = gpa | NPT_RW | PTE_LARGE;
	apic_entries[view] = entry_4k(APIC_BASE, view);
}

/*
 * A SEV guest that names a device with the C-bit is given it all the same, since
 * the host's emulator sees neither key nor bit.  That is what firmware does
 * before it has page tables of its own; a kernel is to know better.
 */
static void map_all_devices(u64 start)
{
	map_devices(start, plain_view());
	if (config.flash && config.cmask)
		map_devices(start, PRIVATE);
}

bool npt_show_device(u64 gpa)
{
	enum view plain = plain_view();
	u64 *to, from;

	if (gpa >= MMIO_END || is_ram(gpa))
		return false;
	if (gpa < config.ram) {
		from = *ram_entry(gpa, plain);
		to = ram_entry(gpa, PRIVATE);
	} else {
		from = level2[plain][gpa / SIZE_1G][gpa / SIZE_2M % ENTRIES];
		to = &level2[PRIVATE][gpa / SIZE_1G][gpa / SIZE_2M % ENTRIES];
	}
	if (!from || *to)
		return false;
	*to = from;
	return true;
}

void apic_map_writable(bool writable)
{
	u32 v;

	for (v = 0; v < VIEWS; v++)
		if (apic_entries[v])
			*apic_entries[v] = APIC_BASE | (writable ? NPT_RW : NPT_RO);
}

void mem_init(u32 firmware_tables_start, u32 firmware_tables_end)
{
	arrays_next = HIGH_BASE + 2 * config.high;
	link_views();
	if (direct_devices())
		map_all_devices((firmware_tables_end + SIZE_2M - 1) & ~(SIZE_2M - 1));
	map_tables(firmware_tables_start & PAGE_MASK, (firmware_tables_end + PAGE_SIZE - 1) & PAGE_MASK);
	map_rom();
	build_paging_off_table();
}
