// SPDX-License-Identifier: GPL-2.0
/*
 * Several vCPUs: the lock, waking and stopping one another, INIT and SIPI.
 *
 * One vCPU reaches another by a real NMI: it ends VMRUN (NMIs are intercepted)
 * or the HLT of a vCPU that sleeps or is parked in the machine.
 */
#include "apic.h"
#include "core.h"

#define AP_START_MS	5000
#define SIPI_MS		100
#define NMI_TRIES	1000

static volatile int lock;
static volatile u32 cpus_up;

void machine_lock(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
}

void machine_unlock(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

/* ---- reaching another vCPU ---- */

static void kick(struct vcpu *v)
{
	if (v->kicked || (!v->in_guest && !v->asleep))
		return;
	v->kicked = true;
	apic_send(v->apic_id, ICR_NMI | ICR_ASSERT);
}

void vcpu_kick(struct vcpu *v)
{
	v->wake = true;
	kick(v);
}

static void nmi_came(struct vcpu *v)
{
	if (v->kicked)
		v->kicked = false;
	else
		v->nmi_pending = true;		/* not ours: QEMU's, for the guest */
}

void vcpu_take_nmi(struct vcpu *v)
{
	struct wakeup w = { .vector = -1 };
	u32 i;

	/* QEMU serves one request at a time, and its APIC's own (CPU_INTERRUPT_POLL) before an NMI */
	for (i = 0; i < NMI_TRIES && !w.nmi; i++)
		cpu_open(&w);
	if (!w.nmi)
		internal_error("exit NMI, but no NMI");
	nmi_came(v);
}

void vcpus_flush(struct vcpu *self)
{
	u32 i;

	/* Not those asleep: their guests are in HLT, which only an event for them ends */
	for (i = 0; i < config.vcpus; i++)
		if (&vcpus[i] != self && vcpus[i].in_guest)
			kick(&vcpus[i]);
	/* VMRUN starts with an empty TLB; none can start while this CPU has the lock */
	for (i = 0; i < config.vcpus; i++)
		while (&vcpus[i] != self && vcpus[i].in_guest)
			cpu_relax();
}

void vcpus_time_moved(struct vcpu *self)
{
	u32 i;

	vcpus_flush(self);
	for (i = 0; i < config.vcpus; i++)
		if (vcpus[i].asleep)
			kick(&vcpus[i]);
}

void vcpu_sleep(struct vcpu *v, bool interrupts)
{
	struct wakeup w = { .vector = -1 };

	if (v->kicked)
		vcpu_take_nmi(v);	/* meant for the guest that it has left by now */
	do {
		apic_time_moved(v);
		v->interruptible = interrupts;
		v->asleep = true;
		machine_unlock();
		cpu_sleep(&w, interrupts);
		machine_lock();
		v->asleep = false;
		if (w.nmi)
			nmi_came(v);
		w.nmi = 0;
	} while (v->moved_ns && !v->wake && !v->nmi_pending && w.vector < 0);
	if (w.vector >= 0)
		v->pending_vector = w.vector;
}

static bool others_run(const struct vcpu *v)
{
	u32 i;

	for (i = 0; i < config.vcpus; i++)
		if (&vcpus[i] != v && vcpus[i].running && (!vcpus[i].asleep || vcpus[i].interruptible))
			return true;
	return false;
}

void vcpu_halt(struct vcpu *v, bool interrupts)
{
	u32 inits = v->inits;

	if (interrupts && v->pending_vector >= 0)
		return;
	if (v->wake || (v->nmi_pending && !v->nmi_blocked))
		return;
	if (config.halt_ends && !interrupts && !others_run(v))
		end_run(v, COCO_END_HALT, 0, "HLT with interrupts off");
	vcpu_sleep(v, interrupts);
	if (inits != v->inits) {
		machine_unlock();
		stack_restart(v, v->index);
	}
}

/* ---- INIT, SIPI, AP creation ---- */

void vcpu_park(struct vcpu *v)
{
	vcpu_kick(v);
	while (v->in_guest)
		cpu_relax();
	v->running = false;
	v->inits++;
}

static void start(struct vcpu *v)
{
	v->vmcb.event_inj = 0;
	v->vmcb.int_shadow = 0;
	v->vmcb.intercepts &= ~INTERCEPT(SVM_EXIT_IRET);
	v->nmi_pending = v->nmi_blocked = v->nmi_stepping = false;
	v->pending_vector = -1;
	paging_load(v);
	v->running = v->fresh = true;
	vcpu_kick(v);
}

int vcpu_start(u32 apic_id, const struct vmcb_save *state, const u64 regs[16])
{
	struct vcpu *v = vcpu_by_apic_id(apic_id);

	if (!v)
		return -EINVAL;
	if (v->running)
		return -EBUSY;
	v->vmcb.save = *state;
	memcpy(v->regs, regs, sizeof(v->regs));
	start(v);
	return 0;
}

/* Real mode at page `vector` (APM vol. 2, 16.5, startup IPI) */
int vcpu_start_sipi(u32 apic_id, u8 vector)
{
	struct vcpu *v = vcpu_by_apic_id(apic_id);

	if (!v)
		return -EINVAL;
	if (v->running)
		return -EBUSY;
	vcpu_reset_state(v);
	v->vmcb.save.cs.selector = vector << 8;
	v->vmcb.save.cs.base = vector << 12;
	v->vmcb.save.rip = 0;
	start(v);
	return 0;
}

/* ---- the machine's own start on the other CPUs ---- */

void ap_main(u32 index)
{
	if (index >= config.vcpus)
		for (;;)
			asm volatile("cli; hlt");
	cpu_setup();
	vcpu_init(&vcpus[index]);
	__atomic_add_fetch(&cpus_up, 1, __ATOMIC_RELEASE);
	vcpu_run_forever(&vcpus[index]);
}

static bool wait_for_cpus(u32 ms)
{
	u64 end = rdtsc() + ms * (tsc_hz() / 1000);

	while (cpus_up < config.vcpus - 1) {
		if (rdtsc() > end)
			return false;
		cpu_relax();
	}
	return true;
}

void smp_start(void)
{
	u8 kept[PAGE_SIZE];
	u32 ms;

	if (config.vcpus == 1)
		return;
	apic_map_writable(false);	/* INIT and SIPI must not reach the real CPUs */
	memcpy(kept, (void *)AP_TRAMPOLINE, sizeof(kept));
	memcpy((void *)AP_TRAMPOLINE, ap_trampoline, ap_trampoline_end - ap_trampoline);
	apic_send(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	/* MP specification, B.4: 10 ms after INIT; then as often as an emulated CPU needs it */
	wait_for_cpus(10);
	for (ms = 0; ms < AP_START_MS; ms += SIPI_MS) {
		apic_send(0, ICR_SIPI | ICR_ASSERT | ICR_OTHERS | AP_TRAMPOLINE >> 12);
		if (wait_for_cpus(SIPI_MS))
			break;
	}
	if (cpus_up < config.vcpus - 1)
		internal_error("%u of %u CPUs came up: is -smp the same as vcpus?", cpus_up + 1, config.vcpus);
	memcpy((void *)AP_TRAMPOLINE, kept, sizeof(kept));
}
