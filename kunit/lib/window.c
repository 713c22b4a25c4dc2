// SPDX-License-Identifier: GPL-2.0
/* What one CPU made the machine do, between two points. */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include <asm/processor.h>
#include "kunit_choice.h"
#include "machine.h"

/* A kind without a name does not build */
#pragma GCC diagnostic error "-Wswitch"

static const char *kind_name(enum coco_event_kind kind)
{
	switch (kind) {
	case COCO_EV_VC:
		return "#VC";
	case COCO_EV_VE:
		return "#VE";
	case COCO_EV_GHCB:
		return "GHCB";
	case COCO_EV_MSRPROTO:
		return "GHCB MSR protocol";
	case COCO_EV_TDVMCALL:
		return "TDVMCALL";
	case COCO_EV_TDCALL:
		return "TDCALL";
	case COCO_EV_PVALIDATE:
		return "PVALIDATE";
	case COCO_EV_PSC:
		return "page state change";
	case COCO_EV_INJECT:
		return "injection";
	case COCO_EV_BREACH:
		return "breach";
	case COCO_EV_NPF:
		return "nested page fault";
	case COCO_EV_SVSM:
		return "SVSM";
	case COCO_EV_KINDS:
		break;
	}
	return "?";
}

struct coco_window *coco_window(struct kunit *test)
{
	struct coco_window *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	return w;
}
EXPORT_SYMBOL_GPL(coco_window);

/* ---- other CPUs stand still ---- */

static atomic_t parked;
static bool leave;

static void park(void *unused)
{
	atomic_inc(&parked);
	while (!READ_ONCE(leave))
		cpu_relax();
	atomic_dec(&parked);
}

static void stop_others(void)
{
	preempt_disable();
	WRITE_ONCE(leave, false);
	smp_call_function(park, NULL, 0);
	while (atomic_read(&parked) < (int)num_online_cpus() - 1)
		cpu_relax();
}

static void let_others_go(void)
{
	WRITE_ONCE(leave, true);
	while (atomic_read(&parked))
		cpu_relax();
	preempt_enable();
}

/* ---- begin, end ---- */

/* The machine numbers its vCPUs in the order of the MADT, as Linux does its CPUs */
static void begin(struct coco_window *w, bool open, const struct coco_rule *rule)
{
	w->open = open;
	w->applied = 0;
	w->cpu = COCO_ALL_CPUS;
	if (!open) {
		stop_others();
		local_irq_save(w->flags);
		w->cpu = smp_processor_id();
	}
	w->rule = rule ? coco_rule_add(rule) : 0;
	w->first = coco_event_next();
}

void coco_window_begin_open(struct coco_window *w)
{
	begin(w, true, NULL);
}
EXPORT_SYMBOL_GPL(coco_window_begin_open);

void coco_window_begin_here(struct coco_window *w)
{
	begin(w, true, NULL);
	w->cpu = smp_processor_id();
}
EXPORT_SYMBOL_GPL(coco_window_begin_here);

void coco_window_begin_scripted(struct coco_window *w, const struct coco_rule *rule)
{
	begin(w, false, rule);
}
EXPORT_SYMBOL_GPL(coco_window_begin_scripted);

void coco_window_begin(struct coco_window *w)
{
	begin(w, false, NULL);
}
EXPORT_SYMBOL_GPL(coco_window_begin);

void coco_window_read(struct coco_window *w)
{
	u64 seq, end = coco_event_next();

	w->nevents = 0;
	w->lost = 0;
	for (seq = w->first; seq < end; seq++) {
		struct coco_event *e = &w->events[w->nevents];

		if (w->nevents == COCO_WINDOW_EVENTS || coco_event(seq, e))
			w->lost++;
		else if (w->cpu == COCO_ALL_CPUS || e->cpu == w->cpu)
			w->nevents++;
	}
}
EXPORT_SYMBOL_GPL(coco_window_read);

void coco_window_end(struct coco_window *w)
{
	coco_window_read(w);
	if (w->rule > 0)
		w->applied = coco_rule_del(w->rule);
	if (!w->open) {
		local_irq_restore(w->flags);
		let_others_go();
	}
}
EXPORT_SYMBOL_GPL(coco_window_end);

/* ---- what is in it ---- */

static bool matches(const struct coco_event *e, enum coco_event_kind kind, u64 code)
{
	return e->kind == kind && (code == COCO_ANY || e->code == code);
}

unsigned int coco_window_count(const struct coco_window *w, enum coco_event_kind kind, u64 code)
{
	unsigned int i, n = 0;

	for (i = 0; i < w->nevents; i++)
		n += matches(&w->events[i], kind, code);
	return n;
}
EXPORT_SYMBOL_GPL(coco_window_count);

const struct coco_event *coco_window_find(const struct coco_window *w, enum coco_event_kind kind,
					  u64 code, unsigned int nth)
{
	unsigned int i;

	for (i = 0; i < w->nevents; i++)
		if (matches(&w->events[i], kind, code) && !nth--)
			return &w->events[i];
	return NULL;
}
EXPORT_SYMBOL_GPL(coco_window_find);

void coco_window_show(const struct coco_window *w)
{
	unsigned int i;

	pr_info("    # machine: %u events, %u lost\n", w->nevents, w->lost);
	for (i = 0; i < w->nevents; i++) {
		const struct coco_event *e = &w->events[i];
		const char *by = e->flags & COCO_EVF_SCRIPTED ? " (scripted)" : "";

		pr_info("    # machine: %s code 0x%llx info 0x%llx 0x%llx mask 0x%llx ret 0x%llx%s\n",
			kind_name(e->kind), e->code, e->info1, e->info2, e->mask, e->ret, by);
		pr_info("    # machine: ... at %pS\n", (void *)(unsigned long)e->rip);
	}
}
EXPORT_SYMBOL_GPL(coco_window_show);
