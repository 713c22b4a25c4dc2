// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to and from the SNP firmware while the host writes into the pages that carry them:
 * the driver works on copies of its own.
 *
 * Path:        ioctl(SNP_GET_REPORT) -> enc_payload() -> page for requests -> host, page for
 *              replies -> verify_and_dec_payload()
 * Upstream:    965006103a14 ("virt/coco/sev-guest: Double-buffer messages")  CVE-2023-53769
 * Without it:  the host changes a message after it was checked, or before it is authenticated.
 *
 * Both pages are shared, and the host may write there at any time.  A kprobe gives it the worst
 * moment: the call of the cipher, when the header of a reply has been checked and that of a
 * request been made.  The ioctl is user space's: a program of the selftests makes it, and a
 * report that is not what it asked for is an exit status.
 */
#include <linux/kprobes.h>
#include "lib/coco_kunit.h"
#include "lib/program.h"

static void reply_that_changes_once_it_was_checked_is_not_looked_at(struct kunit *test);
static void request_that_changes_before_it_is_encrypted_is_not_sent(struct kunit *test);

static struct kunit_case sev_guest_race_cases[] = {
	KUNIT_CASE(reply_that_changes_once_it_was_checked_is_not_looked_at),
	KUNIT_CASE(request_that_changes_before_it_is_encrypted_is_not_sent),
	{}
};

#define PROGRAM		"/coco/selftests/sev_guest_user"
#define CASE		"report_echoes_the_report_data"
#define GUEST_REQUEST	0x80000011ull	/* GHCB specification 56421, 4.1 */
/* SNP firmware ABI 56860, guest messages: the header's type, and what follows it */
#define MESSAGE_TYPE	0x34
#define MESSAGE_PAYLOAD	0x60

struct tampering {
	const char * const *functions;	/* one of which the driver calls */
	u64 gpa;
	unsigned int hits;
	s64 error;
};

/* By who called the cipher: crypto API up to 6.13, then one library after another */
static const char * const decrypt[] = {
	"crypto_aead_decrypt", "aesgcm_decrypt", "aes_gcm_decrypt", NULL
};
static const char * const encrypt[] = {
	"crypto_aead_encrypt", "aesgcm_encrypt", "aes_gcm_encrypt", NULL
};

#define FUNCTIONS	3

static struct tampering tampering;
static struct kprobe probes[FUNCTIONS];

static int host_writes(struct kprobe *probe, struct pt_regs *regs)
{
	u8 byte;

	if (tampering.hits++)
		return 0;
	tampering.error = coco_host_read(tampering.gpa, &byte, 1);
	byte ^= 6;
	if (!tampering.error)
		tampering.error = coco_host_write(tampering.gpa, &byte, 1);
	return 0;
}

/* Those that this kernel has; none if it lacks kprobes */
static unsigned int probes_begin(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < FUNCTIONS; i++) {
		memset(&probes[i], 0, sizeof(probes[i]));
		probes[i].symbol_name = tampering.functions[i];
		probes[i].pre_handler = host_writes;
		if (register_kprobe(&probes[i]))
			probes[i].symbol_name = NULL;
		else
			n++;
	}
	return n;
}

static void probes_end(void)
{
	unsigned int i;

	for (i = 0; i < FUNCTIONS; i++)
		if (probes[i].symbol_name)
			unregister_kprobe(&probes[i]);
}

/* Where the last request was, and its reply; true: the machine has seen one since */
static bool last_request(u64 since, u64 *request, u64 *reply)
{
	u64 seq = coco_event_next();
	struct coco_event event;

	while (seq-- > since) {
		if (coco_event(seq, &event) || event.kind != COCO_EV_GHCB ||
		    event.code != GUEST_REQUEST)
			continue;
		*request = event.info1;
		*reply = event.info2;
		return true;
	}
	return false;
}

/* The exit status of a report with one byte changed by the host meanwhile */
static int report_while_the_host_writes(struct kunit *test, bool to_reply)
{
	u64 since = coco_event_next(), request, reply;
	int status;

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP));
	COCO_NEEDS_MACHINE(test);
	status = coco_run_program(PROGRAM, CASE);
	if (status == COCO_PROGRAM_SKIPS)
		kunit_skip(test, "the driver is not there");
	KUNIT_ASSERT_EQ(test, status, 0);
	KUNIT_ASSERT_TRUE(test, last_request(since, &request, &reply));
	tampering = (struct tampering){
		.functions = to_reply ? decrypt : encrypt,
		.gpa = to_reply ? reply + MESSAGE_PAYLOAD : request + MESSAGE_TYPE,
	};
	if (!probes_begin())
		kunit_skip(test, "no kprobe on the cipher");
	status = coco_run_program(PROGRAM, CASE);
	probes_end();
	KUNIT_EXPECT_EQ(test, tampering.hits, 1u);
	KUNIT_EXPECT_EQ(test, tampering.error, (s64)0);
	return status;
}

static void reply_that_changes_once_it_was_checked_is_not_looked_at(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, report_while_the_host_writes(test, true), 0);
}

static void request_that_changes_before_it_is_encrypted_is_not_sent(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, report_while_the_host_writes(test, false), 0);
}

static struct kunit_suite sev_guest_race_suite = {
	.name = "sev_guest_race",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = sev_guest_race_cases,
};
kunit_test_suite(sev_guest_race_suite);

MODULE_DESCRIPTION("Messages to the SNP firmware, changed by the host while they are made and read");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
