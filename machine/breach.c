// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine holds against the guest, and what a test said beforehand
 * that it would do: breaches of the protocol, and ways to end the run.
 */
#include "control.h"
#include "core.h"

#define MAX_ENDS	8

struct end {
	enum coco_end why;
	u64 value, mask;
};

static const char *const breach_names[] = {
	[COCO_BREACH_FIELD] = "field",
	[COCO_BREACH_RESERVED] = "reserved",
	[COCO_BREACH_SCRATCH] = "scratch",
	[COCO_BREACH_VERSION] = "version",
	[COCO_BREACH_GHCB_PRIVATE] = "ghcb-private",
	[COCO_BREACH_REGMASK] = "regmask",
	[COCO_BREACH_PAGE] = "page",
	[COCO_BREACH_SECRET] = "secret",
	[COCO_BREACH_ORDER] = "order",
	[COCO_BREACH_IV] = "iv",
};

static u64 expected[ARRAY_SIZE(breach_names)];
static u64 unexpected;
static struct end ends[MAX_ENDS];
static u32 nends;

void breach(struct vcpu *v, enum coco_breach what, u64 detail, const char *fmt, ...)
{
	struct coco_event *event = event_add(v, COCO_EV_BREACH, what, detail, 0);
	const char *word = "breach";
	char text[200];
	va_list ap;

	if (v && flash_code_runs(v)) {
		event->flags |= COCO_EVF_SCRIPTED;
		word = "note breach of firmware or stub";
	} else if (expected[what]) {
		expected[what]--;
		event->flags |= COCO_EVF_SCRIPTED;
		word = "note expected breach";
	} else {
		unexpected++;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	stream_line('m', "%s kind=%s detail=0x%lx rip=0x%lx : %s", word, breach_names[what], detail,
		    event->rip, text);
}

u64 breach_unexpected(void)
{
	return unexpected;
}

s64 breach_expect(u64 what, u64 count)
{
	u64 outstanding;

	if (!what || what >= ARRAY_SIZE(breach_names))
		return -EINVAL;
	outstanding = expected[what];
	expected[what] = count;
	return outstanding;
}

s64 end_expect(u64 why, u64 value, u64 mask)
{
	if (!why) {
		nends = 0;
		return 0;
	}
	if (why > COCO_END_HALT)
		return -EINVAL;
	if (nends == MAX_ENDS)
		return -ENOSPC;
	ends[nends++] = (struct end){ .why = why, .value = value & mask, .mask = mask };
	return 0;
}

bool end_expected(enum coco_end why, u64 value)
{
	u32 i;

	for (i = 0; i < nends; i++)
		if (ends[i].why == why && (value & ends[i].mask) == ends[i].value)
			return true;
	return false;
}
