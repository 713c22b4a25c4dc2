// SPDX-License-Identifier: GPL-2.0
/* Our own KUnit core, part two: a failed check in the words of mainline's KUnit, as one record. */
#include "own_kunit.h"

#define TEXT_SIZE	960		/* what a record of printk takes in every tree */
#define INDENT		"    "
#define DUMP_BYTES	48		/* of each side, around the first difference */

struct text {
	char buf[TEXT_SIZE];
	size_t len;
};

static __printf(2, 3) void add(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	t->len += vscnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, args);
	va_end(args);
}

/* "5" for 5: saying so again helps nobody */
static bool is_literal(const struct coco_kunit_value *v)
{
	char number[24];

	snprintf(number, sizeof(number), "%lld", v->number);
	return !strcmp(number, v->text);
}

static bool is_string_literal(const struct coco_kunit_value *v)
{
	size_t len = strlen(v->text);

	return len >= 2 && v->text[0] == '"' && v->text[len - 1] == '"';
}

static void add_number(struct text *t, const struct coco_kunit_value *v)
{
	if (!is_literal(v))
		add(t, INDENT INDENT "%s == %lld (0x%llx)\n", v->text, v->number, v->number);
}

static void add_string(struct text *t, const struct coco_kunit_value *v)
{
	if (IS_ERR_OR_NULL(v->pointer))
		add(t, INDENT INDENT "%s == %px\n", v->text, v->pointer);
	else if (!is_string_literal(v))
		add(t, INDENT INDENT "%s == \"%.200s\"\n", v->text, (const char *)v->pointer);
}

static void add_bytes(struct text *t, const struct coco_kunit_value *v, const u8 *other,
		      size_t from, size_t to)
{
	const u8 *bytes = v->pointer;
	size_t i;

	add(t, INDENT INDENT "%s ==", v->text);
	if (!bytes || !other) {
		add(t, " %px\n", bytes);
		return;
	}
	for (i = from; i < to; i++) {
		if ((i - from) % 16 == 0)
			add(t, "\n" INDENT INDENT "%04zx:", i);
		add(t, bytes[i] == other[i] ? " %02x " : "<%02x>", bytes[i]);
	}
	add(t, "\n");
}

static void add_dumps(struct text *t, const struct coco_kunit_check *c)
{
	const u8 *left = c->left.pointer, *right = c->right.pointer;
	size_t from = 0, to;

	while (left && right && from < c->size && left[from] == right[from])
		from++;
	from = from == c->size ? 0 : round_down(from, 16);
	to = min_t(size_t, c->size, from + DUMP_BYTES);
	add_bytes(t, &c->left, right, from, to);
	add_bytes(t, &c->right, left, from, to);
}

static void add_not_err(struct text *t, const struct coco_kunit_value *v)
{
	if (v->pointer)
		add(t, INDENT "Expected %s is not error, but is: %ld\n", v->text,
		    PTR_ERR(v->pointer));
	else
		add(t, INDENT "Expected %s is not null, but is\n", v->text);
}

static void add_findings(struct text *t, const struct coco_kunit_check *c)
{
	switch (c->form) {
	case COCO_KUNIT_FAIL:
		return;
	case COCO_KUNIT_UNARY:
		add(t, INDENT "Expected %s to be %s, but is %s\n", c->left.text,
		    c->right.number ? "true" : "false", c->left.number ? "true" : "false");
		return;
	case COCO_KUNIT_NOT_ERR:
		add_not_err(t, &c->left);
		return;
	default:
		break;
	}
	add(t, INDENT "Expected %s %s %s, but\n", c->left.text, c->op, c->right.text);
	if (c->form == COCO_KUNIT_INT) {
		add_number(t, &c->left);
		add_number(t, &c->right);
	} else if (c->form == COCO_KUNIT_POINTER) {
		add(t, INDENT INDENT "%s == %px\n", c->left.text, c->left.pointer);
		add(t, INDENT INDENT "%s == %px\n", c->right.text, c->right.pointer);
	} else if (c->form == COCO_KUNIT_STRING) {
		add_string(t, &c->left);
		add_string(t, &c->right);
	} else {
		add_dumps(t, c);
	}
}

void coco_kunit_failed(struct kunit *test, const struct coco_kunit_check *check,
		       const char *fmt, ...)
{
	const char *what = check->assertion ? "ASSERTION" : "EXPECTATION";
	struct text *t = kzalloc(sizeof(*t), GFP_ATOMIC);
	va_list args;

	WRITE_ONCE(test->status, KUNIT_FAILURE);
	if (!t) {
		kunit_err(test, "%s FAILED at %s:%d\n", what, check->file, check->line);
		return;
	}
	add(t, "%s FAILED at %s:%d\n", what, check->file, check->line);
	add_findings(t, check);
	if (fmt) {
		va_start(args, fmt);
		t->len += vscnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, args);
		va_end(args);
	}
	while (t->len && t->buf[t->len - 1] == '\n')
		t->buf[--t->len] = '\0';
	kunit_err(test, "%s\n", t->buf);
	kfree(t);
}
EXPORT_SYMBOL_GPL(coco_kunit_failed);
