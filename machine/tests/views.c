// SPDX-License-Identifier: GPL-2.0
/*
 * Two views of one memory.
 * SEV, SEV-ES: APM vol. 2 (24593), 15.34.1 (the C-bit selects the key), 15.34.5
 *	(page tables and instruction fetches are private whatever the C-bit says)
 * SEV-SNP: 15.36; TDX: module base specification (348549), shared and private GPAs
 */
#include "lib/payload.h"

#define PAGE	8

#define APIC		0xfee00000ull
#define APIC_VERSION	0x30

static u8 before[PAGE_SIZE], once[PAGE_SIZE];

static void fill(u8 *p)
{
	u32 i;

	for (i = 0; i < PAGE_SIZE; i++)
		p[i] = i * 11 + (i >> 8);
}

static u32 same_bytes(const u8 *a, const u8 *b)
{
	u32 i, n = 0;

	for (i = 0; i < PAGE_SIZE; i++)
		n += a[i] == b[i];
	return n;
}

/* One page under two keys: turning it over twice gives back what was there */
static void involution(void)
{
	u64 gpa = ARENA + PAGE * PAGE_SIZE;
	u8 *private = map_window(0, gpa, PRIVATE_PAGE), *shared = map_window(1, gpa, SHARED_PAGE);

	fill(before);
	memcpy(shared, before, PAGE_SIZE);
	check("shared_view_keeps_what_is_written", same_bytes(shared, before) == PAGE_SIZE);
	memcpy(once, private, PAGE_SIZE);
	check("private_view_of_it_is_garbage", same_bytes(once, before) < PAGE_SIZE / 16);
	check("garbage_is_the_same_each_time", same_bytes(private, once) == PAGE_SIZE);
	memcpy(private, once, PAGE_SIZE);
	check("garbage_written_back_restores_the_shared_view",
	      same_bytes(shared, before) == PAGE_SIZE);
	private[0] ^= 1;
	check("one_private_byte_changes_its_neighbourhood_only",
	      same_bytes(shared, before) >= PAGE_SIZE - 16 &&
		      same_bytes(shared, before) < PAGE_SIZE);
	memcpy(private, before, PAGE_SIZE);
	check("private_view_keeps_what_is_written", same_bytes(private, before) == PAGE_SIZE);
	check("shared_view_of_it_is_garbage", same_bytes(shared, before) < PAGE_SIZE / 16);
	map_window(2, gpa + PAGE_SIZE, PRIVATE_PAGE);
	memcpy((u8 *)(WINDOW + 2 * PAGE_SIZE), before, PAGE_SIZE);
	map_window(2, gpa + PAGE_SIZE, SHARED_PAGE);
	check("garbage_depends_on_the_address",
	      same_bytes(shared, (u8 *)(WINDOW + 2 * PAGE_SIZE)) < PAGE_SIZE / 16);
}

/* The tables themselves, reached with a CR3 that has no C-bit */
static void walks_are_private(void)
{
	u64 gpa = ARENA + (PAGE + 6) * PAGE_SIZE;
	volatile u8 *alias;

	*arena(PAGE + 6) = 0x5a;
	write_cr3(root_table());
	alias = map_window(6, gpa, PRIVATE_PAGE);
	check_eq("page_walk_is_private_without_c_bit_in_cr3", *alias, 0x5a);
	check_eq("cr3_reads_as_it_was_written", read_cr3(), root_table());
	write_cr3(root_table() | private_bit());
	check_eq("with_its_c_bit_too", read_cr3(), root_table() | private_bit());
	alias = map_window(7, gpa, PRIVATE_PAGE);
	check_eq("page_walk_is_private_with_c_bit_in_cr3", *alias, 0x5a);
}

/* mov $0x5a, %eax; ret; mov %cr3, %rax; mov %rax, %cr3; ret */
static const u8 code[] = { 0xb8, 0x5a, 0, 0, 0, 0xc3, 0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0xc3 };
#define CODE_CR3	6

/* ... and with entries that have none; so are instructions */
static void whatever_names_them(void)
{
	u64 page = (u64)arena(PAGE + 7), value = 0;
	volatile u8 *alias;

	memcpy(arena(PAGE + 7), code, sizeof(code));
	alias = map_window(8, page, SHARED_PAGE);
	TRY("call *%1", : "=a"(value) : "r"(alias) : "memory");
	check_eq("instructions_are_private_without_c_bit", trap.hit ? ~0ull : value, 0x5a);
	write_cr3(root_table());
	TRY("call *%1", : "=a"(value) : "r"(alias + CODE_CR3) : "memory");
	check_eq("and_so_the_machine_finds_them", trap.hit ? ~0ull : value, root_table());
	write_cr3(root_table() | private_bit());

	*arena(PAGE + 6) = 0x5b;
	forget_c_bit();
	alias = map_window(6, ARENA + (PAGE + 6) * PAGE_SIZE, PRIVATE_PAGE);
	TRY("movzbl (%1), %k0", : "=&r"(value) : "r"(alias) : "memory");
	check_eq("page_walk_is_private_without_c_bit_in_an_entry", trap.hit ? ~0ull : value, 0x5b);
	alias = map_window(9, ARENA + (PAGE + 6) * PAGE_SIZE, SHARED_PAGE);
	if (!is_snp())			/* there it is a breach */
		check("data_are_not", *alias != 0x5b);
}

#define TOLD_CBIT	47

/* A host that tells of another bit has the same memory there, under the key of no guest */
static void host_lies_about_the_c_bit(void)
{
	u64 gpa = ARENA + (PAGE + 5) * PAGE_SIZE;
	u8 *private = map_window(10, gpa, PRIVATE_PAGE), *told;
	u32 eax = 0x8000001f, ebx, ecx = 0, edx;

	if (is_es())			/* CPUID request, of EBX (GHCB specification 56421, 2.3.1) */
		ebx = ghcb_msr((u64)eax << 32 | 1ull << 30 | 0x4) >> 32;
	else
		asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	check_eq("cpuid_has_the_bit_that_is_told", ebx & 0x3f, TOLD_CBIT);
	fill(before);
	told = map_window(11, gpa | BIT_ULL(TOLD_CBIT), SHARED_PAGE);
	memcpy(told, before, PAGE_SIZE);
	check("memory_with_the_bit_that_is_told_is_no_private_one",
	      same_bytes(private, before) < PAGE_SIZE / 16);
	check("it_is_shared_memory",
	      same_bytes(map_window(12, gpa, SHARED_PAGE), before) == PAGE_SIZE);
	write_cr3(root_table() | BIT_ULL(TOLD_CBIT));
	*arena(PAGE + 6) = 0x5c;
	private = map_window(6, ARENA + (PAGE + 6) * PAGE_SIZE, PRIVATE_PAGE);
	check_eq("page_walk_is_private_with_that_bit_in_cr3", *private, 0x5c);
	check_eq("cr3_reads_with_that_bit", read_cr3(), root_table() | BIT_ULL(TOLD_CBIT));
	write_cr3(root_table() | private_bit());
}

/* Devices reach the shared view only: the host's eye is theirs */
static void devices_see_shared_memory(void)
{
	u64 gpa = ARENA + (PAGE + 2) * PAGE_SIZE;
	static u8 seen[PAGE_SIZE];

	fill(before);
	memcpy(map_window(4, gpa, PRIVATE_PAGE), before, PAGE_SIZE);
	machine_call(COCO_CALL_HOST_READ, gpa, (u64)seen, PAGE_SIZE);
	check("device_sees_no_private_bytes", same_bytes(seen, before) < PAGE_SIZE / 16);
	if (is_tdx())
		map_gpa(gpa | cmask, PAGE_SIZE);
	else if (is_snp())
		make_shared(PAGE + 2);
	map_window(4, 0, NO_PAGE);
	memcpy(map_window(5, gpa, SHARED_PAGE), before, PAGE_SIZE);
	machine_call(COCO_CALL_HOST_READ, gpa, (u64)seen, PAGE_SIZE);
	check("device_sees_shared_bytes", same_bytes(seen, before) == PAGE_SIZE);
}

static void conversions_keep_no_plaintext(void)
{
	static const char *const to_shared[] = {
		"conversion_to_shared_keeps_no_plaintext",
		"second_conversion_to_shared_keeps_no_plaintext",
	};
	static const char *const to_private[] = {
		"conversion_to_private_keeps_no_plaintext",
		"second_conversion_to_private_keeps_no_plaintext",
	};
	u64 gpa = ARENA + (PAGE + 4) * PAGE_SIZE;
	u8 *p = arena(PAGE + 4);
	u32 round;

	fill(before);
	for (round = 0; round < 2; round++) {
		memcpy(p, before, PAGE_SIZE);
		if (is_tdx()) {
			map_gpa(gpa | cmask, PAGE_SIZE);
			map_arena(PAGE + 4, SHARED_PAGE);
		} else {
			make_shared(PAGE + 4);
		}
		check(to_shared[round], same_bytes(p, before) < PAGE_SIZE / 16);
		memcpy(p, before, PAGE_SIZE);
		if (is_tdx()) {
			map_gpa(gpa, PAGE_SIZE);
			map_arena(PAGE + 4, PRIVATE_PAGE);
			page_accept(gpa, 0);
		} else {
			make_private(PAGE + 4);
		}
		check(to_private[round], same_bytes(p, before) < PAGE_SIZE / 16);
	}
}

/* The host's emulator sees neither key nor bit, but a device has no key */
static void devices_have_no_key(void)
{
	volatile u32 *apic = (volatile u32 *)map_window(10, APIC, PRIVATE_PAGE);

	expect_breach(COCO_BREACH_PAGE, 1);
	check_eq("device_with_c_bit_is_read_all_the_same", apic[APIC_VERSION / 4] & 0xf0,
		 0x10);
	check("device_with_c_bit_is_a_breach", breached(COCO_BREACH_PAGE));
}

void payload(void)
{
	if (is_es())
		ghcb_init();
	if (personality == COCO_SEV || personality == COCO_SEV_ES)
		involution();
	else
		conversions_keep_no_plaintext();
	if (is_amd_cc())
		walks_are_private();
	devices_see_shared_memory();
	if (is_sev())
		devices_have_no_key();
	if (case_is("told"))
		host_lies_about_the_c_bit();
	if (is_amd_cc())
		whatever_names_them();
}
