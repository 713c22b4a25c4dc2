// SPDX-License-Identifier: GPL-2.0
/*
 * GetQuote: what the host's quoting service takes, and its quote, for openssl on
 * the host to verify (verify.py).
 * GHCI (344426): 3.3, TDG.VP.VMCALL<GetQuote>
 */
#include "lib/payload.h"

#define TDG_MR_REPORT		4
#define GET_QUOTE		0x10002
#define SUCCESS			0ull
#define INVALID_OPERAND		0x8000000000000000ull
#define ALIGN_ERROR		0x8000000000000002ull
#define QUOTE_ERROR		0x8000000000000000ull
#define REPORT_SIZE		1024
#define REPORT_PAGE		8
#define DATA_PAGE		9
#define BUFFER_PAGE		16		/* and the next */
#define PRIVATE			20
#define BODY_DATA		(48 + 520)	/* REPORTDATA in a quote */

struct buffer {
	u64 version, status;
	u32 in_len, out_len;
	u8 data[];
} __packed;

static struct buffer *buffer;

static u64 gpa(u32 page)
{
	return ARENA + page * PAGE_SIZE;
}

static void share(u32 page)
{
	map_gpa(gpa(page) | cmask, PAGE_SIZE);
	map_arena(page, SHARED_PAGE);
}

static void make_report(void)
{
	struct tdregs r = { .rax = TDG_MR_REPORT, .rcx = gpa(REPORT_PAGE), .rdx = gpa(DATA_PAGE) };
	u32 i;

	for (i = 0; i < 64; i++)
		arena(DATA_PAGE)[i] = i;
	tdcall(&r);
	check_eq("report_is_made", r.rax, 0);
}

static void fill(void)
{
	memset(buffer, 0, 2 * PAGE_SIZE);
	buffer->version = 1;
	buffer->in_len = REPORT_SIZE;
	memcpy(buffer->data, arena(REPORT_PAGE), REPORT_SIZE);
}

static u64 ask(u64 address, u64 size)
{
	return tdvmcall(GET_QUOTE, address, size, 0, 0, NULL);
}

static void operands(void)
{
	u64 shared = gpa(BUFFER_PAGE) | cmask;

	fill();
	check_eq("private_address_is_refused", ask(gpa(BUFFER_PAGE), PAGE_SIZE), INVALID_OPERAND);
	check_eq("misaligned_buffer_is_refused", ask(shared + 8, PAGE_SIZE), ALIGN_ERROR);
	check_eq("misaligned_size_is_refused", ask(shared, 100), ALIGN_ERROR);
	check_eq("no_size_is_refused", ask(shared, 0), INVALID_OPERAND);
	expect_breach(COCO_BREACH_PAGE, 1);
	check_eq("private_page_is_refused", ask(gpa(PRIVATE) | cmask, PAGE_SIZE), INVALID_OPERAND);
	check("private_page_is_a_breach", breached(COCO_BREACH_PAGE));
	buffer->version = 2;
	check_eq("other_version_is_refused", ask(shared, PAGE_SIZE), INVALID_OPERAND);
	fill();
	buffer->in_len = PAGE_SIZE;
	check_eq("report_beyond_the_buffer_is_refused", ask(shared, PAGE_SIZE), INVALID_OPERAND);
}

/* The service verifies the report: whatever bit of it was changed */
static void forgeries(void)
{
	static const u32 bits[] = { 0, 128, 224, 256 + 8, 512, 512 + 16, 1023 };
	u32 i, refused = 0;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		fill();
		buffer->data[bits[i]] ^= 1;
		refused += ask(gpa(BUFFER_PAGE) | cmask, 2 * PAGE_SIZE) == SUCCESS &&
			   buffer->status == QUOTE_ERROR && !buffer->out_len;
	}
	check_eq("forged_report_gives_no_quote", refused, ARRAY_SIZE(bits));
	fill();
	buffer->in_len = REPORT_SIZE - 1;
	ask(gpa(BUFFER_PAGE) | cmask, 2 * PAGE_SIZE);
	check_eq("part_of_a_report_gives_no_quote", buffer->status, QUOTE_ERROR);
}

static void quote(void)
{
	u32 i, echoed = 0;

	fill();
	check_eq("quote_succeeds", ask(gpa(BUFFER_PAGE) | cmask, 2 * PAGE_SIZE), SUCCESS);
	check_eq("status_is_success", buffer->status, SUCCESS);
	check("quote_fits", buffer->out_len > 1000 && buffer->out_len <= 2 * PAGE_SIZE - 24);
	for (i = 0; i < 64; i++)
		echoed += buffer->data[BODY_DATA + i] == i;
	check_eq("quote_echoes_the_data", echoed, 64);
	dump("report", arena(REPORT_PAGE), REPORT_SIZE);
	dump("quote", buffer->data, buffer->out_len);
}

void payload(void)
{
	share(BUFFER_PAGE);
	share(BUFFER_PAGE + 1);
	buffer = (void *)arena(BUFFER_PAGE);
	make_report();
	operands();
	forgeries();
	quote();
	check_eq("nothing_else_is_a_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
}
