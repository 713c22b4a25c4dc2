// SPDX-License-Identifier: GPL-2.0
/*
 * Rules: how a test has the host (and sometimes, synthetically, the processor)
 * answer otherwise than the model would.
 *
 * A matching event is offered to the rules in the order in which they were
 * added.  A rule that still has matches to skip lets the event pass to the
 * next one; a rule that has been applied as often as it asked is out of use.
 */
#include "control.h"

#define MAX_RULES	32

struct rule_slot {
	u64 id;			/* 0: free; never used twice */
	u64 seen, hits;
	struct coco_rule rule;
};

static struct rule_slot slots[MAX_RULES];	/* in order of addition, without gaps */
static u32 nslots;
static u64 last_id;

static bool valid_write(const struct coco_rule *rule)
{
	u64 len = rule->reply[2], addresses = 0;

	if (rule->kind == COCO_EV_GHCB)
		addresses = 3;
	else if (rule->kind == COCO_EV_TDVMCALL)
		addresses = 2;
	return !rule->reply_mask && rule->reply[0] && rule->reply[0] <= addresses && len &&
	       (len <= sizeof(u64) || (len <= PAGE_SIZE && !(len % sizeof(u64)))) &&
	       !(rule->info1 & ~rule->info1_mask);
}

static bool valid(const struct coco_rule *rule)
{
	bool answer = rule->action == COCO_REPLY || rule->action == COCO_PATCH;
	u32 words;

	if (rule->action == COCO_WRITE)
		return valid_write(rule);
	switch (rule->kind) {
	case COCO_EV_VC:
	case COCO_EV_VE:
		return rule->action == COCO_CODE && !(rule->reply_mask & ~1u) &&
		       !(rule->info1 & ~rule->info1_mask);
	case COCO_EV_GHCB:
		answer |= rule->action == COCO_SILENT;
		words = 6;
		break;
	case COCO_EV_TDVMCALL:
	case COCO_EV_TDCALL:
		words = 6;
		break;
	case COCO_EV_SVSM:
		words = 5;
		break;
	case COCO_EV_MSRPROTO:
	case COCO_EV_PVALIDATE:
	case COCO_EV_PSC:
		words = 1;
		break;
	default:
		return false;
	}
	/* A rule whose info1 has bits outside its mask could never match */
	return answer && !(rule->reply_mask >> words) && !(rule->info1 & ~rule->info1_mask);
}

s64 rule_add(const struct coco_rule *rule)
{
	if (!valid(rule))
		return -EINVAL;
	if (nslots == MAX_RULES)
		return -ENOSPC;
	slots[nslots++] = (struct rule_slot){ .id = ++last_id, .rule = *rule };
	return last_id;
}

u64 rule_hits(u64 id)
{
	u32 i;

	for (i = 0; i < nslots; i++)
		if (slots[i].id == id)
			return slots[i].hits;
	return 0;
}

u64 rule_delete(u64 id)
{
	u64 hits = 0;
	u32 i, kept = 0;

	for (i = 0; i < nslots; i++) {
		if (!id || slots[i].id == id)
			hits += slots[i].hits;
		else
			slots[kept++] = slots[i];
	}
	nslots = kept;
	return hits;
}

const struct coco_rule *rule_match(struct coco_event *event)
{
	u32 i;

	for (i = 0; i < nslots; i++) {
		const struct coco_rule *rule = &slots[i].rule;

		if (rule->kind != event->kind ||
		    (rule->code != COCO_ANY && rule->code != event->code) ||
		    (event->info1 & rule->info1_mask) != rule->info1)
			continue;
		if (rule->count && slots[i].hits == rule->count)
			continue;
		if (slots[i].seen++ < rule->skip)
			continue;
		slots[i].hits++;
		event->flags |= COCO_EVF_SCRIPTED;
		return rule;
	}
	return NULL;
}

u32 rule_patch(const struct coco_rule *rule, u64 *words)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rule->reply); i++)
		if (rule->reply_mask & BIT(i))
			words[i] = rule->reply[i];
	return rule->reply_mask;
}

void rule_write(const struct coco_rule *rule, const u64 addresses[RULE_ADDRESSES])
{
	u64 at = strip(addresses[rule->reply[0] - 1] + rule->reply[1]), done, len, old;

	for (done = 0; done < rule->reply[2]; done += len) {
		len = rule->reply[2] - done;
		if (len > sizeof(old))
			len = sizeof(old);
		old = 0;
		/* What the host cannot reach stays as it is: the test sees its own mistake */
		if (host_read(at + done, &old, len))
			return;
		old = (old & rule->reply[3]) ^ rule->reply[4];
		host_write(at + done, &old, len);
	}
}
