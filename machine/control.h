/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the control interface know of each other, and nobody else needs. */
#ifndef CONTROL_H
#define CONTROL_H

#include "machine.h"

/* ---- event.c ---- */
u64 event_next(void);
s64 event_get(u64 seq, struct coco_event *event);	/* 0, -ENOENT, -ESTALE */
const char *event_kind_name(enum coco_event_kind kind);

/* ---- breach.c ---- */
u64 breach_unexpected(void);
s64 breach_expect(u64 what, u64 count);		/* how many of the last expectation never came */
s64 end_expect(u64 why, u64 value, u64 mask);

/* ---- rule.c ---- */
s64 rule_add(const struct coco_rule *rule);
u64 rule_hits(u64 id);
u64 rule_delete(u64 id);

/* ---- inject.c ---- */
s64 inject_add(struct vcpu *v, const struct coco_inject *what);

/* ---- snapshot.c ---- */
s64 snapshot_take(struct vcpu *v);

/* ---- bootfile.c ---- */
enum { BOOTFILE_KERNEL, BOOTFILE_INITRAMFS };
/* Up to size bytes from offset on: where they are and how many; 0: the end; -ENOENT: no such file */
s64 bootfile_part(u32 nr, u64 offset, u64 size, const void **part);

/* ---- watch.c ---- */
s64 watch_set(struct vcpu *v, u64 va, u64 len);
u64 watch_mapping(struct vcpu *v, const struct coco_event *e);	/* 0 or COCO_WATCH* */

/* ---- hostview.c: guest memory as the host reaches it; within one page ---- */
s64 host_read(u64 gpa, void *buf, size_t len);
s64 host_write(u64 gpa, const void *buf, size_t len);
s64 host_page_set(struct vcpu *v, u64 gpa, u64 flags);

#endif /* CONTROL_H */
