// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory as the host and devices reach it.
 * SEV, SEV-ES:	APM vol. 2, 15.34 (24593): a page is one piece of memory under two keys
 * SEV-SNP:	APM vol. 2, 15.36.3, 15.36.10: the RMP stops host writes to assigned pages
 * TDX:		module base specification: reads with a shared key ID give no ciphertext
 */
#include "lib/payload.h"

#define PAGE		8
#define EXIT_MSR	0x7c
#define CALL_WRMSR	32
#define MSR_STEAL_TIME	0x4b564d03
#define SHARED_SLOT	2

static u8 buf[PAGE_SIZE], want[PAGE_SIZE];

static s64 host_read(u64 gpa, u64 len)
{
	return machine_call(COCO_CALL_HOST_READ, gpa, (u64)buf, len);
}

static s64 host_write(u64 gpa, const void *p, u64 len)
{
	return machine_call(COCO_CALL_HOST_WRITE, gpa, (u64)p, len);
}

static void fill(u8 *p, u8 seed)
{
	u32 i;

	for (i = 0; i < PAGE_SIZE; i++)
		want[i] = i * 7 + seed;
	memcpy(p, want, PAGE_SIZE);
}

static void private_memory(void)
{
	u64 gpa = ARENA + PAGE * PAGE_SIZE;
	u8 zero[64] = { 0 }, other[4] = { 1, 2, 3, 4 }, first[64];
	s64 r;

	fill(arena(PAGE), 1);
	check_eq("host_reads_a_private_page", host_read(gpa, 64), 0);
	memcpy(first, buf, 64);
	switch (personality) {
	case COCO_NONE:
		check("host_sees_plain_memory", !memcmp(buf, want, 64));
		break;
	case COCO_TDX:
		check("host_sees_zeros", !memcmp(buf, zero, 64));
		break;
	default:
		check("host_sees_ciphertext", memcmp(buf, want, 64) && memcmp(buf, zero, 64));
		host_read(gpa, 64);
		check("ciphertext_is_stable", !memcmp(buf, first, 64));
		memcpy(arena(PAGE + 1), want, PAGE_SIZE);
		host_read(gpa + PAGE_SIZE, 64);
		check("ciphertext_depends_on_the_address", memcmp(buf, first, 64));
		break;
	}
	r = host_write(gpa + 16, other, sizeof(other));
	host_read(gpa + 16, sizeof(other));
	switch (personality) {
	case COCO_NONE:
		check_eq("host_writes_plain_memory", r, 0);
		check("guest_sees_the_host_s_bytes",
		      !memcmp(arena(PAGE) + 16, other, sizeof(other)));
		break;
	case COCO_SEV:
	case COCO_SEV_ES:
		check_eq("host_writes_ciphertext", r, 0);
		check("host_reads_its_bytes_back", !memcmp(buf, other, sizeof(other)));
		check("guest_sees_garbage",
		      memcmp(arena(PAGE) + 16, other, sizeof(other)) &&
		      memcmp(arena(PAGE) + 16, want + 16, sizeof(other)));
		check("guest_s_other_bytes_stay",
		      !memcmp(arena(PAGE) + 64, want + 64, PAGE_SIZE - 64));
		break;
	default:
		check_eq("host_write_is_refused", r, -EPERM);
		check("guest_s_bytes_stay", !memcmp(arena(PAGE), want, PAGE_SIZE));
		break;
	}
}

static void shared_memory(void)
{
	u64 gpa = ARENA + (PAGE + 2) * PAGE_SIZE;
	u8 other[4] = { 5, 6, 7, 8 };

	if (is_tdx()) {
		check_eq("conversion_succeeds", map_gpa(gpa | cmask, PAGE_SIZE), 0);
		map_arena(PAGE + 2, SHARED_PAGE);
	} else if (is_amd_cc()) {
		make_shared(PAGE + 2);
	}
	fill(arena(PAGE + 2), 9);
	check_eq("host_reads_a_shared_page", host_read(gpa, PAGE_SIZE), 0);
	check("host_sees_shared_bytes", !memcmp(buf, want, PAGE_SIZE));
	check_eq("host_writes_a_shared_page", host_write(gpa + 100, other, sizeof(other)), 0);
	check("guest_sees_shared_bytes", !memcmp(arena(PAGE + 2) + 100, other, sizeof(other)));
}

static void write_kvm_msr(u32 msr, u64 value)
{
	if (is_tdx()) {
		tdvmcall(CALL_WRMSR, msr, value, 0, 0, NULL);
	} else if (is_es()) {
		ghcb_clear();
		ghcb_put(F_RCX, msr);
		ghcb_put(F_RAX, (u32)value);
		ghcb_put(F_RDX, value >> 32);
		ghcb_exit(EXIT_MSR, 1, 0);
	} else {
		wrmsr(msr, value);
	}
}

/* With the C-bit no address is in guest RAM, as msr.rst of KVM's documentation has it */
static void steal_time(void)
{
	u64 gpa = ARENA + (PAGE + 2) * PAGE_SIZE;
	volatile u32 *version = (volatile u32 *)(arena(PAGE + 2) + 8);

	*version = 77;
	expect_breach(COCO_BREACH_PAGE, 1);
	write_kvm_msr(MSR_STEAL_TIME, (cmask ? gpa | cmask : 0xfee00000) | 1);
	check("kvm_s_structure_in_no_ram_is_a_breach", breached(COCO_BREACH_PAGE));
	check_eq("and_not_written", *version, 77);
	write_kvm_msr(MSR_STEAL_TIME, gpa | 1);
	check_eq("host_writes_kvm_s_structure", *version, 2);
}

static void limits(void)
{
	check_eq("host_read_over_a_page_s_end_gives_einval", host_read(ARENA + 4090, 8), -EINVAL);
	check_eq("host_read_of_two_pages_gives_einval", host_read(ARENA, 8192), -EINVAL);
	check_eq("host_read_of_no_ram_gives_einval", host_read(0xfee00000, 4), -EINVAL);
	check_eq("host_write_of_no_ram_gives_einval", host_write(0xfee00000, buf, 4), -EINVAL);
	check_eq("page_state_of_no_ram_gives_einval", page_state(0xfee00000), -EINVAL);
}

static void page_states(void)
{
	u64 gpa = ARENA + (PAGE + 3) * PAGE_SIZE;
	u64 state = page_state(gpa);

	if (personality == COCO_NONE) {
		check_eq("page_of_a_plain_machine_has_no_state", state, 0);
		return;
	}
	check("ram_starts_private", state & COCO_PAGE_PRIVATE);
	state = page_state(ARENA + (PAGE + 2) * PAGE_SIZE);
	check("converted_page_is_not_private", !(state & COCO_PAGE_PRIVATE));
	if (!is_snp() && !is_tdx()) {
		check_eq("page_without_state_cannot_be_set",
			 machine_call(COCO_CALL_PAGE_SET, gpa, COCO_PAGE_PRIVATE, 0), -ENOTSUP);
		return;
	}
	state = page_state(gpa);
	check("ram_starts_validated", state & COCO_PAGE_VALIDATED);
	check_eq("validated_shared_page_gives_einval",
		 machine_call(COCO_CALL_PAGE_SET, gpa, COCO_PAGE_VALIDATED, 0), -EINVAL);
	check_eq("unknown_flag_gives_einval", machine_call(COCO_CALL_PAGE_SET, gpa, 0x80, 0),
		 -EINVAL);
	arena(PAGE + 3)[1]++;
	check_eq("page_was_used", machine_call(COCO_CALL_PAGE_USED, gpa, 0, 0), 1);
	check_eq("page_is_set", machine_call(COCO_CALL_PAGE_SET, gpa, COCO_PAGE_PRIVATE, 0), 0);
	check_eq("set_page_was_not_used", machine_call(COCO_CALL_PAGE_USED, gpa, 0, 0), 0);
	check_eq("set_page_has_its_state", page_state(gpa), COCO_PAGE_PRIVATE);
	check_eq("page_is_taken_away", machine_call(COCO_CALL_PAGE_SET, gpa, COCO_PAGE_BLOCKED, 0),
		 0);
	check_eq("host_reads_no_page_that_is_away", host_read(gpa, 4), -EFAULT);
}

void payload(void)
{
	if (is_es())
		ghcb_init();
	private_memory();
	shared_memory();
	steal_time();
	limits();
	page_states();
}
