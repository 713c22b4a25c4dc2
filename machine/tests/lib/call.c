// SPDX-License-Identifier: GPL-2.0
#include "payload.h"

s64 machine_call(u32 nr, u64 a, u64 b, u64 c)
{
	s64 result;

	asm volatile("vmmcall"
		     : "=a"(result)
		     : "a"(COCO_CALL(nr)), "D"(a), "S"(b), "d"(c)
		     : "memory");
	return result;
}

bool breached(enum coco_breach what)
{
	return !machine_call(COCO_CALL_EXPECT_BREACH, what, 0, 0) &&
	       !machine_call(COCO_CALL_BREACHES, 0, 0, 0);
}

u64 event_next(void)
{
	return machine_call(COCO_CALL_EVENT_NEXT, 0, 0, 0);
}

bool last_event(u64 since, struct coco_event *event)
{
	u64 next = event_next();

	memset(event, 0, sizeof(*event));
	return next > since && !machine_call(COCO_CALL_EVENT, next - 1, (u64)event, 0);
}
