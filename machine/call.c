// SPDX-License-Identifier: GPL-2.0
/*
 * The machine call (coco_abi.h): plain VMMCALL with a magic number in RAX.
 *
 * Arguments in memory are copied through the caller's page tables, after every
 * page of them was found mapped, so that a call either happens whole or gives
 * -EFAULT.  A page that the caller may not write is not written: it may be the
 * kernel's zero page, not yet replaced by one of the caller's own.
 */
#include "control.h"
#include "core.h"
#include "efi.h"

#define CALL_MAGIC_MASK	0xffffffff00000000ull
#define VMMCALL_LENGTH	3
#define MAX_TRANSFER	0x100000ull
#define RUN_FILE	"opt/coco/run"

struct args {
	u64 a, b, c;
};

static u8 bounce[PAGE_SIZE];

static bool reachable(struct vcpu *v, u64 va, u64 len, bool write)
{
	u64 page;

	if (!len)
		return true;
	if (va + len < va)
		return false;
	for (page = va & PAGE_MASK; page < va + len; page += PAGE_SIZE) {
		struct mapping m;

		if (guest_translate(v, page, &m) || (write && !m.write) ||
		    (guest_cpl(v) == 3 && !m.user))
			return false;
		if (page + PAGE_SIZE < page)
			break;
	}
	return true;
}

static s64 copy_in(struct vcpu *v, void *buf, u64 va, u64 len)
{
	if (!reachable(v, va, len, false) || guest_read(v, va, buf, len))
		return -EFAULT;
	return 0;
}

static s64 copy_out(struct vcpu *v, u64 va, const void *buf, u64 len)
{
	if (!reachable(v, va, len, true) || guest_write(v, va, buf, len))
		return -EFAULT;
	return 0;
}

static s64 put(struct vcpu *v, u64 channel, u64 va, u64 len)
{
	u64 done, part;

	if (channel == 'm')
		return -EPERM;
	if (channel != COCO_CHAN_KLOG && channel != COCO_CHAN_TEST && channel != COCO_CHAN_INIT)
		return -EINVAL;
	if (len > MAX_TRANSFER)
		return -E2BIG;
	if (!reachable(v, va, len, false))
		return -EFAULT;
	for (done = 0; done < len; done += part) {
		part = min(len - done, sizeof(bounce));
		if (guest_read(v, va + done, bounce, part))
			return -EFAULT;
		stream_put(channel, (const char *)bounce, part);
	}
	return len;
}

static s64 get(struct vcpu *v, u64 va, u64 size, u64 offset)
{
	u64 done = 0;

	if (size > MAX_TRANSFER)
		return -E2BIG;
	if (!reachable(v, va, size, true))
		return -EFAULT;
	while (done < size) {
		u64 part = min(size - done, sizeof(bounce));
		int n = fwcfg_read(RUN_FILE, bounce, part, offset + done);

		if (n < 0)
			return n;
		if (guest_write(v, va + done, bounce, n))
			return -EFAULT;
		done += n;
		if ((u64)n < part)
			break;
	}
	return done;
}

static s64 get_boot_file(struct vcpu *v, u32 nr, u64 va, u64 size, u64 offset)
{
	const void *part;
	s64 n = bootfile_part(nr, offset, min(size, MAX_TRANSFER), &part);

	return n > 0 && copy_out(v, va, part, n) ? -EFAULT : n;
}

static s64 get_event(struct vcpu *v, u64 seq, u64 va)
{
	struct coco_event event;
	s64 r = event_get(seq, &event);

	return r ? r : copy_out(v, va, &event, sizeof(event));
}

static s64 add_rule(struct vcpu *v, u64 va)
{
	struct coco_rule rule;
	s64 r = copy_in(v, &rule, va, sizeof(rule));

	return r ? r : rule_add(&rule);
}

static s64 add_injection(struct vcpu *v, u64 va)
{
	struct coco_inject inject;
	s64 r = copy_in(v, &inject, va, sizeof(inject));

	return r ? r : inject_add(v, &inject);
}

static s64 warp(struct vcpu *v, u64 ns)
{
	/* No vCPU reads KVM's clock of the new time with the old TSC: that would be before it */
	vcpus_flush(v);
	time_warp(ns);
	vcpus_time_moved(v);
	return 0;
}

static s64 translate(struct vcpu *v, u64 va)
{
	struct mapping m;

	if (guest_translate(v, va, &m))
		return -EFAULT;
	/* Without C-bit or shared bit there is one view, and the host reads it */
	return (m.gpa & PAGE_MASK) | (config.cmask && m.view == PRIVATE ? COCO_GPA_PRIVATE : 0);
}

static s64 page_state(u64 gpa)
{
	gpa = strip(gpa);
	if (!is_ram(gpa))
		return -EINVAL;
	return config.cmask ? page_flags(gpa) : 0;
}

static s64 page_find(u64 gpa, u64 mask, u64 flags)
{
	for (gpa = next_ram(strip(gpa) & PAGE_MASK); gpa != RAM_END; gpa = next_ram(gpa + PAGE_SIZE))
		if (is_ram(gpa) && ((u64)page_state(gpa) & mask) == flags)
			return gpa;
	return -ENOENT;
}

static s64 page_used(u64 gpa)
{
	gpa = strip(gpa);
	if (!is_ram(gpa))
		return -EINVAL;
	return npt_accessed(gpa, PRIVATE) || npt_accessed(gpa, SHARED);
}

static s64 read_as_host(struct vcpu *v, u64 gpa, u64 va, u64 len)
{
	s64 r = len > sizeof(bounce) ? -EINVAL : host_read(gpa, bounce, len);

	return r ? r : copy_out(v, va, bounce, len);
}

static s64 write_as_host(struct vcpu *v, u64 gpa, u64 va, u64 len)
{
	s64 r = len > sizeof(bounce) ? -EINVAL : copy_in(v, bounce, va, len);

	return r ? r : host_write(gpa, bounce, len);
}

static s64 call(struct vcpu *v, u32 nr, const struct args *x)
{
	switch (nr) {
	case COCO_CALL_VERSION:
		return COCO_ABI_VERSION;
	case COCO_CALL_PUT:
		return put(v, x->a, x->b, x->c);
	case COCO_CALL_GET:
		return get(v, x->a, x->b, x->c);
	case COCO_CALL_SNAPSHOT:
		return snapshot_take(v);
	case COCO_CALL_EXIT:
		end_run(v, COCO_END_EXIT, x->a, "machine call");
	case COCO_CALL_KERNEL:
		return get_boot_file(v, BOOTFILE_KERNEL, x->a, x->b, x->c);
	case COCO_CALL_INITRAMFS:
		return get_boot_file(v, BOOTFILE_INITRAMFS, x->a, x->b, x->c);
	case COCO_CALL_COUNT:
		return event_count(x->a, x->b);
	case COCO_CALL_EVENT_NEXT:
		return event_next();
	case COCO_CALL_EVENT:
		return get_event(v, x->a, x->b);
	case COCO_CALL_BREACHES:
		return breach_unexpected();
	case COCO_CALL_RULE_ADD:
		return add_rule(v, x->a);
	case COCO_CALL_RULE_HITS:
		return rule_hits(x->a);
	case COCO_CALL_RULE_DEL:
		return rule_delete(x->a);
	case COCO_CALL_INJECT:
		return add_injection(v, x->a);
	case COCO_CALL_EXPECT:
		return end_expect(x->a, x->b, x->c);
	case COCO_CALL_EXPECT_BREACH:
		return breach_expect(x->a, x->b);
	case COCO_CALL_WARP:
		return warp(v, x->a);
	case COCO_CALL_TRANSLATE:
		return translate(v, x->a);
	case COCO_CALL_PAGE_STATE:
		return page_state(x->a);
	case COCO_CALL_PAGE_SET:
		return host_page_set(v, x->a, x->b);
	case COCO_CALL_HOST_READ:
		return read_as_host(v, x->a, x->b, x->c);
	case COCO_CALL_HOST_WRITE:
		return write_as_host(v, x->a, x->b, x->c);
	case COCO_CALL_WATCH:
		return watch_set(v, x->a, x->b);
	case COCO_CALL_PAGE_FIND:
		return page_find(x->a, x->b, x->c);
	case COCO_CALL_PAGE_USED:
		return page_used(x->a);
	default:
		return -ENOSYS;
	}
}

bool machine_call(struct vcpu *v)
{
	struct args args;
	u64 rax = reg(v, RAX);

	/* VMGEXIT is the same instruction with a prefix, hence the length */
	if ((rax & CALL_MAGIC_MASK) != COCO_MAGIC || insn_length(v, INSN_VMMCALL) != VMMCALL_LENGTH)
		return false;
	if (efi_call(v, (u32)rax))
		return true;
	args = (struct args){ .a = reg(v, RDI), .b = reg(v, RSI), .c = reg(v, RDX) };
	insn_skip(v, INSN_VMMCALL);
	set_reg(v, RAX, call(v, (u32)rax, &args));
	return true;
}
