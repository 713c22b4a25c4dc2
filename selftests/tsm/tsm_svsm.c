// SPDX-License-Identifier: GPL-2.0
/*
 * configfs-tsm in a guest below VMPL 0: reports that its SVSM has made, of its services.
 *
 * Path:        service_provider, service_guid, outblob, manifestblob -> sev_svsm_report_new() ->
 *              snp_issue_svsm_attest_req() -> SVSM_ATTEST_SERVICES, SVSM_ATTEST_SINGLE_SERVICE
 * Upstream:    627dc671518b ("x86/sev: Extend the config-fs attestation support for an SVSM")
 * Without it:  nobody outside can tell which SVSM the guest relies on.
 *
 * Such a report is one of VMPL 0; its REPORT_DATA is the SHA-512 of inblob and manifest
 * (SVSM specification 58019, "Attestation Protocol").
 */
#include <bearssl/bearssl_hash.h>

#include "kselftest_harness.h"
#include "item.h"
#include "../sev_guest/report.h"

#define ITEM		"coco_svsm"
#define ATTEST_SERVICES	(1ull << 32)	/* protocol 1, call 0 */
#define ATTEST_SINGLE	(1ull << 32 | 1)
#define INVALID_PARAMETER	0x80000005
#define UNSUPPORTED_PROTOCOL	0x80000001
#define REPLY_RAX	(1u << 0)
#define REPLY_R8	(1u << 3)	/* how long the report is */
#define SOME_GUID	"00112233-4455-6677-8899-aabbccddeeff\n"

FIXTURE(svsm) {
	uint8_t inblob[INBLOB_SIZE];
	struct blob report, manifest, table;
	int64_t breaches;
};

FIXTURE_SETUP(svsm)
{
	item_ask(ITEM, self->inblob, 3);
	self->breaches = machine_breaches();
}

FIXTURE_TEARDOWN(svsm)
{
	machine_rule_del(0);
	item_remove(ITEM);
	EXPECT_EQ(self->breaches, machine_breaches());
}

#define NEED_SVSM() do { \
	NEED_REPORTS(); \
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP); \
	NEED_MACHINE(); \
	if (!technology_vmpl()) \
		SKIP(return, "this guest is at VMPL 0: there is no SVSM"); \
} while (0)

static int ask_svsm(void)
{
	return item_write(ITEM, "service_provider", "svsm\n", 5);
}

static const struct report *report_of(const struct blob *blob)
{
	return (const struct report *)blob->data;
}

static int64_t svsm_answers(uint64_t code, uint32_t count, uint64_t rax, uint32_t mask, uint64_t r8)
{
	struct coco_rule rule = {
		.kind = COCO_EV_SVSM, .action = COCO_REPLY, .code = code, .count = count,
		.reply_mask = mask, .reply = { rax, 0, 0, r8 },
	};

	return machine_rule_add(&rule);
}

static int64_t asked(uint64_t call)
{
	return machine_count(COCO_EV_SVSM, call);
}

TEST_F(svsm, own_level_is_the_floor)
{
	NEED_SVSM();
	EXPECT_EQ(technology_vmpl(), item_number(ITEM, "privlevel_floor"));
}

TEST_F(svsm, attributes_of_services_are_there)
{
	static const char * const attributes[] = { "manifestblob", "service_provider",
						   "service_guid", "service_manifest_version" };
	size_t i;

	NEED_SVSM();
	for (i = 0; i < ARRAY_SIZE(attributes); i++)
		EXPECT_TRUE(item_has(ITEM, attributes[i]));
}

TEST_F(svsm, report_of_services_is_the_svsm_s)
{
	int64_t before, requests;

	NEED_SVSM();
	before = asked(ATTEST_SERVICES);
	requests = reports_asked_for();
	ASSERT_EQ(0, ask_svsm());
	ASSERT_EQ(0, item_read(ITEM, "outblob", &self->report));
	ASSERT_EQ(sizeof(struct report), self->report.len);
	EXPECT_EQ(0, report_of(&self->report)->vmpl);
	EXPECT_EQ(before + 1, asked(ATTEST_SERVICES));
	EXPECT_EQ(requests, reports_asked_for());
}

TEST_F(svsm, report_data_is_the_digest_of_inblob_and_manifest)
{
	br_sha512_context sha;
	uint8_t digest[64];

	NEED_SVSM();
	ASSERT_EQ(0, ask_svsm());
	ASSERT_EQ(0, item_read(ITEM, "outblob", &self->report));
	ASSERT_EQ(0, item_read(ITEM, "manifestblob", &self->manifest));
	ASSERT_LT(0, self->manifest.len);
	br_sha512_init(&sha);
	br_sha512_update(&sha, self->inblob, INBLOB_SIZE);
	br_sha512_update(&sha, self->manifest.data, self->manifest.len);
	br_sha512_out(&sha, digest);
	EXPECT_EQ(0, memcmp(digest, report_of(&self->report)->report_data, sizeof(digest)));
}

TEST_F(svsm, certificates_come_along)
{
	const struct cert_entry *vcek;

	NEED_SVSM();
	ASSERT_EQ(0, ask_svsm());
	ASSERT_EQ(0, item_read(ITEM, "auxblob", &self->table));
	ASSERT_LT(sizeof(*vcek), (size_t)self->table.len);
	vcek = find_cert(self->table.data, vcek_guid);
	ASSERT_NE(NULL, (void *)vcek);
	EXPECT_LE(vcek->offset + vcek->length, (size_t)self->table.len);
}

/* What the SVSM needs is in the registers that it answers with */
TEST_F(svsm, buffer_that_is_too_small_is_made_larger)
{
	int64_t before;

	NEED_SVSM();
	before = asked(ATTEST_SERVICES);
	ASSERT_EQ(0, ask_svsm());
	ASSERT_LT(0, svsm_answers(ATTEST_SERVICES, 1, INVALID_PARAMETER, REPLY_RAX | REPLY_R8,
				  3 * 4096));
	ASSERT_EQ(0, item_read(ITEM, "outblob", &self->report));
	EXPECT_EQ(sizeof(struct report), self->report.len);
	EXPECT_EQ(before + 2, asked(ATTEST_SERVICES));
}

/* The second buffer is as large as it said */
TEST_F(svsm, svsm_that_is_never_content_is_given_up)
{
	int64_t before;

	NEED_SVSM();
	before = asked(ATTEST_SERVICES);
	ASSERT_EQ(0, ask_svsm());
	ASSERT_LT(0, svsm_answers(ATTEST_SERVICES, 0, INVALID_PARAMETER, REPLY_RAX | REPLY_R8,
				  3 * 4096));
	EXPECT_EQ(EINVAL, item_read(ITEM, "outblob", &self->report));
	EXPECT_EQ(0, self->report.len);
	EXPECT_EQ(before + 2, asked(ATTEST_SERVICES));
}

TEST_F(svsm, svsm_that_refuses_gives_no_report)
{
	NEED_SVSM();
	ASSERT_EQ(0, ask_svsm());
	ASSERT_LT(0, svsm_answers(ATTEST_SERVICES, 1, UNSUPPORTED_PROTOCOL, REPLY_RAX, 0));
	EXPECT_EQ(EINVAL, item_read(ITEM, "outblob", &self->report));
	EXPECT_EQ(0, self->report.len);
	EXPECT_EQ(0, item_read(ITEM, "outblob", &self->report));
	EXPECT_EQ(sizeof(struct report), self->report.len);
}

TEST_F(svsm, service_that_there_is_not_gives_no_report)
{
	int64_t before;

	NEED_SVSM();
	before = asked(ATTEST_SINGLE);
	ASSERT_EQ(0, ask_svsm());
	ASSERT_EQ(0, item_write(ITEM, "service_guid", SOME_GUID, strlen(SOME_GUID)));
	EXPECT_EQ(EINVAL, item_read(ITEM, "outblob", &self->report));
	EXPECT_EQ(0, self->report.len);
	EXPECT_EQ(before + 1, asked(ATTEST_SINGLE));
}

TEST_F(svsm, other_provider_of_services_gives_no_report)
{
	int64_t before;

	NEED_SVSM();
	before = asked(ATTEST_SERVICES);
	if (!item_write(ITEM, "service_provider", "tpm\n", 4))
		EXPECT_EQ(EINVAL, item_read(ITEM, "outblob", &self->report));
	EXPECT_EQ(0, self->report.len);
	EXPECT_EQ(before, asked(ATTEST_SERVICES));
}

/* As without an SVSM, under the key of the guest's own VMPL */
TEST_F(svsm, report_without_a_service_is_the_guest_s)
{
	NEED_SVSM();
	ASSERT_EQ(0, item_read(ITEM, "outblob", &self->report));
	EXPECT_TRUE(report_echoes(&self->report, self->inblob));
	EXPECT_EQ((uint32_t)technology_vmpl(), report_of(&self->report)->vmpl);
}

TEST_HARNESS_MAIN
