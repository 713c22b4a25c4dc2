/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that are private or shared: what the kernel's page tables say, what the
 * machine keeps, and which changes of state it saw.
 */
#ifndef COCO_LIB_PAGES_H
#define COCO_LIB_PAGES_H

#include <linux/types.h>
#include "machine.h"
#include "tdx.h"
#include "technology.h"

#define COCO_CONFIDENTIAL	(COCO_ANY_SEV | COCO_ONLY(COCO_TDX))
/* The technologies where each page has a state that the guest has changed by calls */
#define COCO_PAGE_STATES	(COCO_ONLY(COCO_SEV_SNP) | COCO_ONLY(COCO_TDX))

/* GHCB specification 56421, page state change: operations; MapGPA is logged as the same two */
#define COCO_PSC_PRIVATE	1
#define COCO_PSC_SHARED		2
/* Linux's own reason code set, and its reasons (arch/x86/include/asm/sev-common.h) */
#define TERMINATE_PSC		(1 | 1 << 8)
#define TERMINATE_PVALIDATE	(2 | 1 << 8)
/* APM vol. 3, PVALIDATE: EAX 1 is FAIL_INPUT */
#define FAIL_INPUT		1

/* By a walk of the kernel's page tables; not mapped counts as neither */
bool coco_maps_private(const void *p);
bool coco_maps_shared(const void *p);
bool coco_maps_large(const void *p);		/* by an entry of 2M or more */

/* Any words as long as no other page has them */
void coco_fill_page(void *page, u64 seed);
/* How many of the page's words are those of coco_fill_page() */
unsigned int coco_page_filled(const void *page, u64 seed);
#define COCO_WORDS	(PAGE_SIZE / sizeof(u64))
/* The same, as the host reads that page; -errno */
int coco_host_filled(u64 gpa, u64 seed);
u64 coco_gpa(const void *p);
/* 1: whoever allocated the page at this address; 0: it is free, in whichever list it waits */
int coco_page_users(unsigned long address);

/* What happened to one page, by the machine's log; each count is of what succeeded */
struct coco_page_log {
	u16 to_shared, to_private;	/* page state changes; MapGPA */
	u16 rescinded, validated;	/* PVALIDATE; TDG.MEM.PAGE.ACCEPT */
	u16 refused;			/* any of these, other than for its size */
	u16 watched, maps_private, maps_shared;	/* COCO_CALL_WATCH, at each of these */
	u64 change, validation;		/* number of the last event of either sort */
};

struct coco_log {
	unsigned int npages;
	unsigned int elsewhere;		/* changes of other pages */
	bool lost;			/* there were more events than the machine keeps */
	struct coco_page_log page[];
};

/* All events from first (coco_event_next()) to now; freed with the case */
struct coco_log *coco_log(struct kunit *test, u64 first, u64 gpa, unsigned int npages);

#endif /* COCO_LIB_PAGES_H */
