// SPDX-License-Identifier: GPL-2.0
/*
 * Guest requests, as far as they go without the key: what the firmware refuses,
 * what the host asks for, what the judge holds against the guest.
 * SNP firmware ABI (56860): SNP_GUEST_REQUEST, "Message Header Format"
 * GHCB specification (56421): SNP Guest Request, SNP Extended Guest Request
 */
#include "lib/payload.h"

#define GUEST_REQUEST		0x80000011
#define EXT_GUEST_REQUEST	0x80000012
#define REQUEST_PAGE		8
#define REPLY_PAGE		9
#define PRIVATE			10
#define REPORT_SIZE		96

#define OK			0
#define MALFORMED		2
#define BAD_MEASUREMENT		0x0a
#define INVALID_PARAM		0x16
#define INVALID_LEN		(1ull << 32)

struct message {
	u8 tag[32];
	u64 seqno;
	u8 reserved[8];
	u8 algo, version;
	u16 size;
	u8 type, message_version;
	u16 message_size;
	u32 reserved2;
	u8 vmpck;
	u8 reserved3[35];
	u8 payload[REPORT_SIZE];
} __packed;

static struct message *request;

static u64 gpa(u32 page)
{
	return ARENA + page * PAGE_SIZE;
}

static void fill(u64 seqno)
{
	*request = (struct message){
		.seqno = seqno, .algo = 1, .version = 1, .size = 0x60, .type = 5,
		.message_version = 1, .message_size = REPORT_SIZE,
	};
}

/* SW_EXITINFO2 */
static u64 send(void)
{
	ghcb_clear();
	if (ghcb_exit(GUEST_REQUEST, gpa(REQUEST_PAGE), gpa(REPLY_PAGE)) != OK)
		return ~0ull;
	return ghcb_get(F_EXITINFO2);
}

static u64 breaches(void)
{
	return machine_call(COCO_CALL_COUNT, COCO_EV_BREACH, COCO_BREACH_IV, 0);
}

static void header_checks(void)
{
	fill(1);
	request->algo = 2;
	check_eq("another_algorithm_is_refused", send(), INVALID_PARAM);
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_IV, 100, 0);
	fill(1);
	request->version = 2;
	check_eq("another_header_version_is_refused", send(), INVALID_PARAM);
	fill(1);
	request->size = 0x5f;
	check_eq("another_header_size_is_refused", send(), INVALID_PARAM);
	fill(1);
	request->vmpck = 4;
	check_eq("key_4_is_refused", send(), INVALID_PARAM);
	fill(1);
	request->message_size = 0xfa1;
	check_eq("message_beyond_the_page_is_refused", send(), INVALID_PARAM);
	fill(0);
	check_eq("sequence_number_0_is_refused", send(), INVALID_PARAM);
	fill(2);
	check_eq("sequence_number_out_of_turn_is_refused", send(), INVALID_PARAM);
	fill(1);
	check_eq("message_with_a_wrong_tag_is_refused", send(), BAD_MEASUREMENT);
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_IV, 0, 0);
}

static void judge(void)
{
	u64 before;

	fill(5);
	send();
	before = breaches();
	send();
	check_eq("same_message_again_is_no_breach", breaches(), before);
	request->vmpck = 1;
	send();
	check_eq("same_number_under_another_key_is_no_breach", breaches(), before);
	fill(5);
	request->payload[REPORT_SIZE - 1] ^= 1;
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_IV, 1, 0);
	send();
	check_eq("other_content_under_the_same_number_is_a_breach", breaches(), before + 1);
}

/* The firmware refuses this number, but the host has both messages by then */
static void judge_of_number_0(void)
{
	fill(0);
	send();
	request->payload[0] ^= 1;
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_IV, 1, 0);
	send();
	check_eq("other_content_under_number_0_is_a_breach",
		 machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_IV, 0, 0), 0);
}

static void judge_sees_what_rules_answer(void)
{
	static const struct coco_rule busy = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .count = 1, .code = GUEST_REQUEST,
		.reply_mask = 3, .reply = { 0, 2ull << 32 },
	};
	u64 before;

	fill(7);
	machine_call(COCO_CALL_RULE_ADD, (u64)&busy, 0, 0);
	check_eq("rule_answers_the_request", send(), 2ull << 32);
	before = breaches();
	request->tag[0] ^= 1;
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_IV, 1, 0);
	send();
	check_eq("message_that_a_rule_answered_counts", breaches(), before + 1);
}

/* Bits 8..15 stay, the others go; then bits are turned */
static void host_writes(void)
{
	static const struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_WRITE, .count = 1, .code = GUEST_REQUEST,
		.reply = { 2, 0x34, 3, 0xff00, 0x4100f0 },
	};
	static const struct coco_rule bad[] = {
		{ .kind = COCO_EV_VC, .action = COCO_WRITE, .reply = { 1, 0, 1 } },
		{ .kind = COCO_EV_GHCB, .action = COCO_WRITE, .reply = { 4, 0, 1 } },
		{ .kind = COCO_EV_TDVMCALL, .action = COCO_WRITE, .reply = { 3, 0, 1 } },
		{ .kind = COCO_EV_GHCB, .action = COCO_WRITE, .reply = { 1, 0, 9 } },
		{ .kind = COCO_EV_GHCB, .action = COCO_WRITE, .reply = { 1, 0, PAGE_SIZE + 8 } },
		{ .kind = COCO_EV_GHCB, .action = COCO_WRITE, .reply = { 1, 0, 0 } },
		{ .kind = COCO_EV_GHCB, .action = COCO_WRITE, .reply_mask = 1, .reply = { 1, 0, 1 } },
	};
	u32 *word = (void *)(arena(REPLY_PAGE) + 0x34);
	u64 refused = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refused += machine_call(COCO_CALL_RULE_ADD, (u64)&bad[i], 0, 0) == -EINVAL;
	check_eq("write_that_cannot_be_is_refused", refused, ARRAY_SIZE(bad));
	*word = 0x87654321;
	fill(11);
	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	check_eq("model_answers_before_the_host_writes", send(), INVALID_PARAM);
	check_eq("host_writes_just_its_bytes", *word, 0x874143f0);
}

/* Words of a table of certificates; the last one is the guest's own */
static void host_writes_certificates(void)
{
	static const struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_WRITE, .count = 1, .code = EXT_GUEST_REQUEST,
		.reply = { 3, 0x18, 16, 0, 0x55 },
	};
	u64 *words = (void *)(arena(REPLY_PAGE) + 0x18);

	words[0] = words[1] = words[2] = ~0ull;
	fill(13);
	ghcb_clear();
	ghcb_put(F_RAX, gpa(REPLY_PAGE));
	ghcb_put(F_RBX, 1);
	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	ghcb_exit(EXT_GUEST_REQUEST, gpa(REQUEST_PAGE), gpa(REPLY_PAGE));
	check("host_writes_words_behind_rax", words[0] == 0x55 && words[1] == 0x55);
	check_eq("host_writes_no_word_more", words[2], ~0ull);
}

static void pages_of_certificates(void)
{
	fill(9);
	ghcb_clear();
	expect_breach(COCO_BREACH_FIELD, 1);
	check_eq("extended_request_without_rax_and_rbx_is_refused",
		 ghcb_exit(EXT_GUEST_REQUEST, gpa(REQUEST_PAGE), gpa(REPLY_PAGE)), MALFORMED);
	check("extended_request_without_rax_and_rbx_is_a_breach", breached(COCO_BREACH_FIELD));
	ghcb_clear();
	ghcb_put(F_RAX, gpa(REPLY_PAGE) + 8);
	ghcb_put(F_RBX, 2);
	expect_breach(COCO_BREACH_RESERVED, 1);
	check_eq("certificates_beside_a_page_are_refused",
		 ghcb_exit(EXT_GUEST_REQUEST, gpa(REQUEST_PAGE), gpa(REPLY_PAGE)), MALFORMED);
	check("certificates_beside_a_page_are_a_breach", breached(COCO_BREACH_RESERVED));
}

static void pages(void)
{
	fill(9);
	ghcb_clear();
	ghcb_put(F_RAX, gpa(REPLY_PAGE));
	ghcb_put(F_RBX, 1);
	ghcb_exit(EXT_GUEST_REQUEST, gpa(REQUEST_PAGE), gpa(REPLY_PAGE));
	check_eq("one_page_is_too_few_for_the_certificates", ghcb_get(F_EXITINFO2), INVALID_LEN);
	check("number_of_pages_is_valid", ghcb_valid(F_RBX));
	check_eq("number_of_pages_is_told", ghcb_get(F_RBX), 2);
	ghcb_clear();
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_PAGE, 1, 0);
	check_eq("reply_into_private_memory_is_refused",
		 ghcb_exit(GUEST_REQUEST, gpa(REQUEST_PAGE), gpa(PRIVATE)), MALFORMED);
	check_eq("reply_into_private_memory_is_a_breach",
		 machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_PAGE, 1, 0), 0);
	ghcb_clear();
	check_eq("request_from_private_memory_is_refused",
		 ghcb_exit(GUEST_REQUEST, gpa(PRIVATE), gpa(REPLY_PAGE)), MALFORMED);
	check_eq("request_from_private_memory_is_a_breach",
		 machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_PAGE, 0, 0), 0);
	ghcb_clear();
	expect_breach(COCO_BREACH_PAGE, 1);
	check_eq("request_from_no_memory_is_refused",
		 ghcb_exit(GUEST_REQUEST, 0xfee00000, gpa(REPLY_PAGE)), MALFORMED);
	check("request_from_no_memory_is_a_breach", breached(COCO_BREACH_PAGE));
	ghcb_clear();
	expect_breach(COCO_BREACH_RESERVED, 1);
	check_eq("reply_into_the_request_is_refused",
		 ghcb_exit(GUEST_REQUEST, gpa(REQUEST_PAGE), gpa(REQUEST_PAGE)), MALFORMED);
	check("reply_into_the_request_is_a_breach", breached(COCO_BREACH_RESERVED));
}

void payload(void)
{
	ghcb_init();
	make_shared(REQUEST_PAGE);
	make_shared(REPLY_PAGE);
	request = (void *)arena(REQUEST_PAGE);
	header_checks();
	judge();
	judge_of_number_0();
	judge_sees_what_rules_answer();
	host_writes();
	host_writes_certificates();
	pages_of_certificates();
	pages();
	check_eq("nothing_else_is_a_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
}
