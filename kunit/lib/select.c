// SPDX-License-Identifier: GPL-2.0
/* Which cases run; the begin and end of each. */
#include <linux/export.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include "kunit_choice.h"
#include "machine.h"
#include "select.h"

#define MODULE_PREFIX	"coco_"
#define NAME_SIZE	256
#define PARTS		2		/* <suite>.<case> */

static char filter[NAME_SIZE];
module_param_string(filter, filter, sizeof(filter), 0644);
MODULE_PARM_DESC(filter, "run only the cases whose <suite>.<case> matches this glob (* and ?)");

/* Linux has glob_match(), but not in every configuration */
static bool glob(const char *pattern, const char *end, const char *text)
{
	if (pattern == end)
		return !*text;
	if (*pattern == '*')
		return glob(pattern + 1, end, text) || (*text && glob(pattern, end, text + 1));
	return *text && (*pattern == '?' || *pattern == *text) && glob(pattern + 1, end, text + 1);
}

/* Where "<suite>.<case>" ends: at a second dot, or at the newline that "echo" leaves in sysfs */
static const char *end_of_case(const char *pattern)
{
	unsigned int dots = 0;

	for (; *pattern; pattern++)
		if (*pattern == '\n' || (*pattern == '.' && ++dots == PARTS))
			break;
	return pattern;
}

bool coco_selected(const char *pattern, const char *suite, const char *name)
{
	char id[NAME_SIZE];
	const char *end;

	if (!pattern)
		pattern = filter;
	end = end_of_case(pattern);
	if (end == pattern)
		return true;
	snprintf(id, sizeof(id), "%s.%s", suite, name);
	return glob(pattern, end, id);
}
EXPORT_SYMBOL_GPL(coco_selected);

int coco_case_begin_in(struct kunit *test, const char *module, const char *pattern)
{
	const char *suite = module;

	if (!strncmp(suite, MODULE_PREFIX, strlen(MODULE_PREFIX)))
		suite += strlen(MODULE_PREFIX);
	if (!coco_selected(pattern, suite, test->name))
		kunit_skip(test, "not selected");
	/* The console is synchronous: whatever dies from here on is this case's */
	pr_info("    # begin %s.%s\n", suite, test->name);
	return 0;
}
EXPORT_SYMBOL_GPL(coco_case_begin_in);

/*
 * Also after a failed assertion or a skip: no case sees another one's script, nor passes by an
 * end or a breach that another one expected
 */
void coco_case_end(struct kunit *test)
{
	enum coco_breach breach;

	coco_rule_del(0);
	coco_watch(NULL, 0);
	coco_expect(0, 0, 0);
	for (breach = COCO_BREACH_FIELD; breach < COCO_BREACH_KINDS; breach++)
		coco_expect_breach(breach, 0);
}
EXPORT_SYMBOL_GPL(coco_case_end);
