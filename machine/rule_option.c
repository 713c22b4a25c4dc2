// SPDX-License-Identifier: GPL-2.0
/*
 * Rules from the machine's command line: a host that lies from the guest's first
 * instruction on, when no test runs yet that could add them.  One word a rule:
 *
 *	rule=<kind>,<action>[,code=N][,info1=N[/MASK]][,skip=N][,count=N][,r0=N]...[,r5=N]
 *
 *	kind	ghcb msrproto tdvmcall tdcall pvalidate psc svsm vc ve
 *	action	reply patch code silent write
 *	code	left out: any
 *	r0...	the words of the reply (struct coco_rule in coco_abi.h); those that
 *		are named count
 *
 *	rule=msrproto,reply,code=0x2,r0=0x1	knows no version of the GHCB protocol
 *	rule=ghcb,write,code=0x80000011,r0=2,r1=0x36,r2=2,r3=0,r4=0
 *					empties the messages of the firmware
 */
#include "control.h"

#define WORD_SIZE	160

static const char *const action_names[] = {
	[COCO_REPLY] = "reply",
	[COCO_PATCH] = "patch",
	[COCO_CODE] = "code",
	[COCO_SILENT] = "silent",
	[COCO_WRITE] = "write",
};

/* The next part of a word, between commas; NULL: none is left */
static char *next_part(char **rest)
{
	char *part = *rest, *s = part;

	if (!part)
		return NULL;
	while (*s && *s != ',')
		s++;
	*rest = *s ? s + 1 : NULL;
	*s = '\0';
	return part;
}

static u64 number(const char *word, const char *text, char stop)
{
	const char *end;
	u64 n = strtou64(text, &end);

	if (end == text || (*end && *end != stop))
		internal_error("option rule: '%s': '%s' is not a number", word, text);
	return n;
}

static u32 find_kind(const char *name)
{
	u32 kind;

	for (kind = 1; name && kind < COCO_EV_KINDS; kind++)
		if (!strcmp(event_kind_name(kind), name))
			return kind;
	return 0;
}

static u32 find_action(const char *name)
{
	u32 action;

	for (action = COCO_REPLY; name && action < ARRAY_SIZE(action_names); action++)
		if (!strcmp(action_names[action], name))
			return action;
	return 0;
}

/* What stands behind "name=", or NULL if the part is another one's */
static const char *value_of(const char *part, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(part, name, len) && part[len] == '=' ? part + len + 1 : NULL;
}

static void parse_info1(struct coco_rule *rule, const char *word, const char *text)
{
	const char *slash = text;

	rule->info1 = number(word, text, '/');
	while (*slash && *slash != '/')
		slash++;
	rule->info1_mask = *slash ? number(word, slash + 1, '\0') : ~0ull;
}

/* The part, if it is this one: its number */
static bool take(const char *word, const char *part, const char *name, u64 *n)
{
	const char *value = value_of(part, name);

	if (value)
		*n = number(word, value, '\0');
	return value;
}

static bool parse_reply(struct coco_rule *rule, const char *word, const char *part)
{
	u32 i = (u8)part[1] - '0';

	if (part[0] != 'r' || i >= ARRAY_SIZE(rule->reply) || part[2] != '=')
		return false;
	rule->reply[i] = number(word, part + 3, '\0');
	rule->reply_mask |= BIT(i);
	return true;
}

static void parse_part(struct coco_rule *rule, const char *word, const char *part)
{
	u64 skip = rule->skip, count = rule->count;

	if (value_of(part, "info1"))
		parse_info1(rule, word, value_of(part, "info1"));
	else if (!take(word, part, "code", &rule->code) && !take(word, part, "skip", &skip) &&
		 !take(word, part, "count", &count) && !parse_reply(rule, word, part))
		internal_error("option rule: '%s': unknown part '%s'", word, part);
	rule->skip = skip;
	rule->count = count;
}

static void add(const char *word)
{
	struct coco_rule rule = { .code = COCO_ANY };
	char copy[WORD_SIZE], *rest = copy, *part;

	if (strlen(word) + 1 == sizeof(copy))
		internal_error("option rule: '%s' is too long", word);
	memcpy(copy, word, strlen(word) + 1);
	rule.kind = find_kind(next_part(&rest));
	rule.action = find_action(next_part(&rest));
	while ((part = next_part(&rest)))
		parse_part(&rule, word, part);
	if (rule.action == COCO_WRITE)
		rule.reply_mask = 0;	/* where and what, of which all counts */
	if (rule_add(&rule) < 0)
		internal_error("option rule: '%s' is no rule of this machine", word);
}

void rules_from_options(void)
{
	char word[WORD_SIZE];
	u32 n;

	for (n = 0; option_nth("rule", n, word, sizeof(word)); n++)
		add(word);
}
