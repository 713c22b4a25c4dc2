// SPDX-License-Identifier: GPL-2.0
/*
 * kvmclock: system time and wall clock in guest memory (Documentation/virt/kvm/
 * x86/msr.rst, pvclock).
 *
 * The time-stamp counter runs at one rate and in step on all vCPUs, so the
 * structure stays true from when it was written until time is warped.
 */
#include "kvm_pv.h"

#define NSEC_PER_SEC		1000000000ull
#define CLOCK_ENABLE		BIT_ULL(0)
#define TSC_STABLE		BIT(0)

#define RTC_INDEX		0x70
#define RTC_DATA		0x71
#define RTC_NO_NMI		0x80
#define RTC_STATUS_A		0x0a
#define RTC_UPDATING		BIT(7)
#define RTC_STATUS_B		0x0b
#define RTC_BINARY		BIT(2)

struct pvclock_time {
	u32 version;		/* odd while it is being written */
	u32 pad;
	u64 tsc_timestamp;
	u64 system_time;
	u32 tsc_to_system_mul;
	int8_t tsc_shift;
	u8 flags;
	u8 pad2[2];
} __packed;

struct pvclock_wall {
	u32 version, sec, nsec;
} __packed;

struct clock_pairing {
	s64 sec, nsec;
	u64 tsc;
	u32 flags, pad[9];
} __packed;

_Static_assert(sizeof(struct pvclock_time) == 32, "pvclock_vcpu_time_info");
_Static_assert(sizeof(struct clock_pairing) == 64, "kvm_clock_pairing");

static struct {
	bool started;
	u64 tsc;		/* the guest's, when its system time was 0 */
	u64 wall;		/* seconds since 1970 at that time */
	u32 mul;
	int8_t shift;
} base;

static u64 system_time_msr[MAX_VCPUS];
static u32 version[MAX_VCPUS];
static u64 wall_clock_msr;

static u8 rtc_read(u8 reg)
{
	outb(RTC_INDEX, RTC_NO_NMI | reg);
	return inb(RTC_DATA);
}

static u32 rtc_field(u8 reg, bool binary)
{
	u8 value = rtc_read(reg);

	return binary ? value : (value >> 4) * 10 + (value & 15);
}

/* Days from 1970-01-01 in the Gregorian calendar; years from 2000 on */
static u64 days_since_epoch(u32 year, u32 month, u32 day)
{
	static const u16 before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	u64 days = 10957 + (year - 2000) * 365ull + (year - 2000 + 3) / 4;

	return days + before[(month - 1) % 12] + (month > 2 && !(year % 4)) + day - 1;
}

/* QEMU's RTC runs in 24 hours (MC146818) */
static u64 rtc_seconds(void)
{
	u64 days, seconds;
	bool binary;

	while (rtc_read(RTC_STATUS_A) & RTC_UPDATING)
		cpu_relax();
	binary = rtc_read(RTC_STATUS_B) & RTC_BINARY;
	days = days_since_epoch(2000 + rtc_field(9, binary), rtc_field(8, binary),
				rtc_field(7, binary));
	seconds = (rtc_field(4, binary) * 60ull + rtc_field(2, binary)) * 60 + rtc_field(0, binary);
	return days * 86400 + seconds;
}

/* ns = (ticks << shift) * mul >> 32, with mul below 2^32 */
static void set_scale(void)
{
	u64 hz = tsc_hz();

	base.shift = 0;
	for (; hz > 2 * NSEC_PER_SEC; hz >>= 1)
		base.shift--;
	for (; hz <= NSEC_PER_SEC; hz <<= 1)
		base.shift++;
	base.mul = (NSEC_PER_SEC << 32) / hz;
}

static void start(struct vcpu *v)
{
	if (base.started)
		return;
	base.started = true;
	set_scale();
	base.tsc = guest_tsc(v);
	base.wall = rtc_seconds();
}

static u64 system_time(u64 tsc)
{
	u64 ticks = tsc - base.tsc;

	ticks = base.shift < 0 ? ticks >> -base.shift : ticks << base.shift;
	return (unsigned __int128)ticks * base.mul >> 32;
}

static void clock_write(struct vcpu *v, struct vcpu *target)
{
	u64 gpa = system_time_msr[target->index] & ~CLOCK_ENABLE;
	u32 *ver = &version[target->index];
	struct pvclock_time time = {
		.tsc_timestamp = guest_tsc(v),
		.tsc_to_system_mul = base.mul,
		.tsc_shift = base.shift,
		.flags = TSC_STABLE,
	};

	time.system_time = system_time(time.tsc_timestamp);
	time.version = ++*ver;
	if (!kvm_host_write(v, gpa, &time, sizeof(time), "kvmclock"))
		return;
	time.version = ++*ver;
	kvm_host_write(v, gpa, &time.version, sizeof(time.version), "kvmclock");
}

void kvm_clock_set(struct vcpu *v, u64 msr)
{
	start(v);
	system_time_msr[v->index] = msr;
	version[v->index] = 0;
	if (msr & CLOCK_ENABLE)
		clock_write(v, v);
}

u64 kvm_clock_get(struct vcpu *v)
{
	return system_time_msr[v->index];
}

/* The wall clock at system time 0 */
void kvm_wall_clock_set(struct vcpu *v, u64 gpa)
{
	static u32 wall_version;
	struct pvclock_wall wall;

	start(v);
	wall_clock_msr = gpa;
	if (!gpa)
		return;
	wall = (struct pvclock_wall){ .version = ++wall_version, .sec = base.wall };
	if (!kvm_host_write(v, gpa, &wall, sizeof(wall), "wall clock"))
		return;
	wall.version = ++wall_version;
	kvm_host_write(v, gpa, &wall.version, sizeof(wall.version), "wall clock");
}

u64 kvm_wall_clock_get(void)
{
	return wall_clock_msr;
}

s64 kvm_clock_pairing(struct vcpu *v, u64 gpa, u64 type)
{
	struct clock_pairing pair = { 0 };
	u64 ns;

	if (type)		/* KVM_CLOCK_PAIRING_WALLCLOCK is the only one */
		return -ENOTSUP;
	start(v);
	pair.tsc = guest_tsc(v);
	ns = system_time(pair.tsc);
	pair.sec = base.wall + ns / NSEC_PER_SEC;
	pair.nsec = ns % NSEC_PER_SEC;
	return kvm_host_write(v, gpa, &pair, sizeof(pair), "clock pairing") ? 0 : -EFAULT;
}

void kvm_pv_time_warped(u64 ns)
{
	u32 i;

	(void)ns;
	for (i = 0; i < config.vcpus; i++)
		if (vcpus[i].online && system_time_msr[i] & CLOCK_ENABLE)
			clock_write(&vcpus[i], &vcpus[i]);
}
