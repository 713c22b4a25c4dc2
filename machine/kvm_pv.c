// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM offers its guests beside the processor (Documentation/virt/kvm/x86/
 * cpuid.rst, msr.rst, hypercalls.rst).
 *
 * The option pv= says what is offered: "all", "none", or a list of the names
 * below with commas between.  Default is all, less what migration needs for
 * guests that KVM does not migrate: SEV-SNP, TDX; for a TD, less all that needs
 * memory shared with the host, too, as KVM has none of it for TDs.  What is not
 * offered answers as KVM does with its features enforced: #GP for the MSRs,
 * -KVM_ENOSYS for the hypercalls.
 *
 * Offered is what a host need not do much for: this one never pages the guest
 * out (no asynchronous page fault is ever sent), never takes its CPUs away (no
 * time is stolen) and lets it write its real APIC's EOI (none is skipped).  The
 * guest sets all of it up and tears it down as on any other host.
 */
#include "control.h"
#include "kvm_pv.h"

#define MSR_WALL_CLOCK_OLD	0x11
#define MSR_SYSTEM_TIME_OLD	0x12
#define MSR_FIRST		0x4b564d00
#define MSR_LAST		0x4b564dff
#define MSR_WALL_CLOCK		0x4b564d00
#define MSR_SYSTEM_TIME		0x4b564d01
#define MSR_ASYNC_PF_EN		0x4b564d02
#define MSR_STEAL_TIME		0x4b564d03
#define MSR_PV_EOI_EN		0x4b564d04
#define MSR_ASYNC_PF_INT	0x4b564d06
#define MSR_ASYNC_PF_ACK	0x4b564d07
#define MSR_MIGRATION_CONTROL	0x4b564d08

#define FEATURE_CLOCK		BIT(0)
#define FEATURE_NOP_IO_DELAY	BIT(1)
#define FEATURE_CLOCK2		BIT(3)
#define FEATURE_ASYNC_PF	BIT(4)
#define FEATURE_STEAL_TIME	BIT(5)
#define FEATURE_PV_EOI		BIT(6)
#define FEATURE_ASYNC_PF_INT	BIT(14)
#define FEATURE_MAP_GPA_RANGE	BIT(16)
#define FEATURE_MIGRATION	BIT(17)
#define FEATURE_CLOCK_STABLE	BIT(24)

#define HC_VAPIC_POLL_IRQ	1
#define HC_CLOCK_PAIRING	9
#define HC_MAP_GPA_RANGE	12
#define KVM_ENOSYS		1000

/* KVM_HC_MAP_GPA_RANGE's attributes: page size, encrypted */
#define MAP_GPA_KNOWN		0x1full

#define ASYNC_PF_RESERVED	0x30ull
#define ASYNC_PF_AS_VMEXIT	BIT_ULL(2)
#define ASYNC_PF_AS_INTERRUPT	BIT_ULL(3)
#define STEAL_RESERVED		0x3eull
#define PV_EOI_RESERVED		0x2ull
#define ENABLE			BIT_ULL(0)

static const struct {
	const char *name;
	u32 features;
} names[] = {
	{ "clock", FEATURE_CLOCK | FEATURE_CLOCK_STABLE },
	{ "clock2", FEATURE_CLOCK2 | FEATURE_CLOCK_STABLE },
	{ "io-delay", FEATURE_NOP_IO_DELAY },
	{ "async-pf", FEATURE_ASYNC_PF | FEATURE_ASYNC_PF_INT },
	{ "steal", FEATURE_STEAL_TIME },
	{ "eoi", FEATURE_PV_EOI },
	{ "map-gpa", FEATURE_MAP_GPA_RANGE },
	{ "migration", FEATURE_MIGRATION },
};

struct steal_time {
	u64 steal;
	u32 version, flags;
	u8 preempted, pad[47];
} __packed;

_Static_assert(sizeof(struct steal_time) == 64, "kvm_steal_time");

static struct {
	u64 async_pf, async_pf_int, steal, eoi;
} msrs[MAX_VCPUS];

static u64 migration_control;

static u32 features_named(const char *word, size_t len)
{
	u32 all = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		all |= names[i].features;
		if (strlen(names[i].name) == len && !strncmp(names[i].name, word, len))
			return names[i].features;
	}
	if (len == 3 && !strncmp(word, "all", len))
		return all;
	if (len == 4 && !strncmp(word, "none", len))
		return 0;
	internal_error("option pv: unknown word at '%s'", word);
}

static u32 unoffered(void)
{
	switch (config.tech->id) {
	case COCO_SEV_SNP:
		return FEATURE_MAP_GPA_RANGE | FEATURE_MIGRATION;
	case COCO_TDX:
		return ~FEATURE_NOP_IO_DELAY;
	default:
		return 0;
	}
}

static u32 features(void)
{
	static bool known;
	static u32 offered;
	char list[128] = "all";
	bool asked;
	const char *word, *end;

	if (known)
		return offered;
	known = true;
	asked = option("pv", list, sizeof(list));
	for (word = list; *word; word = *end ? end + 1 : end) {
		for (end = word; *end && *end != ','; end++)
			;
		offered |= features_named(word, end - word);
	}
	if (!asked)
		offered &= ~unoffered();
	return offered;
}

void kvm_pv_cpuid(struct vcpu *v, u32 leaf, u32 out[4])
{
	(void)v;
	memset(out, 0, 4 * sizeof(out[0]));
	if (leaf == 0x40000000) {
		out[0] = 0x40000001;
		memcpy(&out[1], "KVMKVMKVM\0\0", 12);
	} else {
		out[0] = features();
	}
}

/* With its C-bit or shared bit, an address is in none of KVM's memory slots */
bool kvm_host_write(struct vcpu *v, u64 gpa, const void *buf, size_t len, const char *what)
{
	const u8 *from = buf;
	size_t part;
	s64 error;

	for (; len; gpa += part, from += part, len -= part) {
		part = min(len, PAGE_SIZE - (gpa & ~PAGE_MASK));
		if (!is_ram(gpa)) {
			breach(v, COCO_BREACH_PAGE, gpa, "%s at 0x%lx, which is not RAM", what, gpa);
			return false;
		}
		error = host_write(gpa, from, part);
		if (error == -EPERM)
			breach(v, COCO_BREACH_PAGE, gpa,
			       "%s at 0x%lx is private memory: the host cannot write it", what,
			       gpa);
		if (error)
			return false;
	}
	return true;
}

/* The feature that an MSR belongs to; 0: no such MSR here */
static u32 feature_of(u32 msr)
{
	switch (msr) {
	case MSR_WALL_CLOCK_OLD:
	case MSR_SYSTEM_TIME_OLD:
		return FEATURE_CLOCK;
	case MSR_WALL_CLOCK:
	case MSR_SYSTEM_TIME:
		return FEATURE_CLOCK2;
	case MSR_ASYNC_PF_EN:
		return FEATURE_ASYNC_PF;
	case MSR_ASYNC_PF_INT:
	case MSR_ASYNC_PF_ACK:
		return FEATURE_ASYNC_PF_INT;
	case MSR_STEAL_TIME:
		return FEATURE_STEAL_TIME;
	case MSR_PV_EOI_EN:
		return FEATURE_PV_EOI;
	case MSR_MIGRATION_CONTROL:
		return FEATURE_MIGRATION;
	}
	return 0;
}

bool kvm_pv_has_msr(u32 msr)
{
	return msr == MSR_WALL_CLOCK_OLD || msr == MSR_SYSTEM_TIME_OLD ||
	       (msr >= MSR_FIRST && msr <= MSR_LAST);
}

bool kvm_pv_msr_read(struct vcpu *v, u32 msr, u64 *value)
{
	if (!(feature_of(msr) & features()))
		return false;
	switch (msr) {
	case MSR_WALL_CLOCK_OLD:
	case MSR_WALL_CLOCK:
		*value = kvm_wall_clock_get();
		break;
	case MSR_SYSTEM_TIME_OLD:
	case MSR_SYSTEM_TIME:
		*value = kvm_clock_get(v);
		break;
	case MSR_ASYNC_PF_EN:
		*value = msrs[v->index].async_pf;
		break;
	case MSR_ASYNC_PF_INT:
		*value = msrs[v->index].async_pf_int;
		break;
	case MSR_ASYNC_PF_ACK:
		*value = 0;
		break;
	case MSR_STEAL_TIME:
		*value = msrs[v->index].steal;
		break;
	case MSR_PV_EOI_EN:
		*value = msrs[v->index].eoi;
		break;
	default:
		*value = migration_control;
		break;
	}
	return true;
}

static bool set_async_pf(struct vcpu *v, u64 value)
{
	if (value & (ASYNC_PF_RESERVED | ASYNC_PF_AS_VMEXIT))
		return false;
	if (value & ASYNC_PF_AS_INTERRUPT && !(features() & FEATURE_ASYNC_PF_INT))
		return false;
	msrs[v->index].async_pf = value;
	return true;
}

static bool set_steal_time(struct vcpu *v, u64 value)
{
	struct steal_time none = { .version = 2 };

	if (value & STEAL_RESERVED)
		return false;
	msrs[v->index].steal = value;
	if (value & ENABLE)
		kvm_host_write(v, value & ~(STEAL_RESERVED | ENABLE), &none, sizeof(none),
			       "steal time");
	return true;
}

static bool set_eoi(struct vcpu *v, u64 value)
{
	if (value & PV_EOI_RESERVED)
		return false;
	msrs[v->index].eoi = value;
	return true;
}

bool kvm_pv_msr_write(struct vcpu *v, u32 msr, u64 value)
{
	if (!(feature_of(msr) & features()))
		return false;
	switch (msr) {
	case MSR_WALL_CLOCK_OLD:
	case MSR_WALL_CLOCK:
		kvm_wall_clock_set(v, value);
		return true;
	case MSR_SYSTEM_TIME_OLD:
	case MSR_SYSTEM_TIME:
		kvm_clock_set(v, value);
		return true;
	case MSR_ASYNC_PF_EN:
		return set_async_pf(v, value);
	case MSR_ASYNC_PF_INT:
		msrs[v->index].async_pf_int = value;
		return true;
	case MSR_ASYNC_PF_ACK:
		return true;
	case MSR_STEAL_TIME:
		return set_steal_time(v, value);
	case MSR_PV_EOI_EN:
		return set_eoi(v, value);
	default:
		if (value & ~ENABLE)
			return false;
		migration_control = value;
		return true;
	}
}

/* The guest tells a host that may migrate it what is encrypted: this one has but an answer */
static s64 map_gpa_range(u64 gpa, u64 pages, u64 attributes)
{
	if (!(features() & FEATURE_MAP_GPA_RANGE))
		return -KVM_ENOSYS;
	if (gpa & ~PAGE_MASK || !pages || gpa / PAGE_SIZE + pages <= gpa / PAGE_SIZE ||
	    attributes & ~MAP_GPA_KNOWN)
		return -EINVAL;
	return 0;
}

s64 kvm_pv_hypercall(struct vcpu *v, u32 cpl, u64 nr, const u64 args[4])
{
	trace("KVM hypercall %lu (0x%lx, 0x%lx, 0x%lx, 0x%lx)", nr, args[0], args[1], args[2],
	      args[3]);
	if (cpl)
		return -EPERM;		/* -KVM_EPERM: user space has none */
	switch (nr) {
	case HC_VAPIC_POLL_IRQ:
		return 0;
	case HC_CLOCK_PAIRING:
		return kvm_clock_pairing(v, args[0], args[1]);
	case HC_MAP_GPA_RANGE:
		return map_gpa_range(args[0], args[1], args[2]);
	default:
		return -KVM_ENOSYS;
	}
}
