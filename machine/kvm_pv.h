/* SPDX-License-Identifier: GPL-2.0 */
/* What kvm_pv.c and kvm_clock.c know of each other. */
#ifndef KVM_PV_H
#define KVM_PV_H

#include "machine.h"

/* Write to the guest as a host does: the shared view, across pages; false: it cannot */
bool kvm_host_write(struct vcpu *v, u64 gpa, const void *buf, size_t len, const char *what);

void kvm_clock_set(struct vcpu *v, u64 msr);		/* system time MSR, old or new */
u64 kvm_clock_get(struct vcpu *v);
void kvm_wall_clock_set(struct vcpu *v, u64 gpa);
u64 kvm_wall_clock_get(void);
s64 kvm_clock_pairing(struct vcpu *v, u64 gpa, u64 type);

#endif /* KVM_PV_H */
