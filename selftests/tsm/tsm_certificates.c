// SPDX-License-Identifier: GPL-2.0
/*
 * configfs-tsm in an SNP guest: the table of certificates, which is the host's word alone, and
 * a firmware that makes no report.
 *
 * Path:        outblob, auxblob -> sev_report_new() -> get_ext_report() -> EXT_GUEST_REQUEST;
 *              tsm_report_read() -> __read_report()
 * Upstream:    f47906782c76 ("virt: sevguest: Add TSM_REPORTS support for SNP_GET_EXT_REPORT")
 * Without it:  lengths of the host read memory behind the table, or a table that is not there.
 *
 * The table (GHCB specification 56421, 4.1.8.1): entries of a GUID, an offset and a length, the
 * last one zero; then the certificates.
 */
#include "kselftest_harness.h"
#include "item.h"
#include "../lib/module.h"

#define ITEM			"coco_certs"
#define EXT_GUEST_REQUEST	0x80000012	/* GHCB specification, 4.1 */
#define IN_RAX			3		/* the table's address, for a rule that writes */
#define ENTRY_SIZE		24
#define ENTRY_OFFSET		16		/* of the first entry: offset and length */
#define ENTRIES			8
#define TABLE_MAX		16384		/* what the driver has room for */

#define NEED_SNP() do { \
	NEED_REPORTS(); \
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP); \
	NEED_MACHINE(); \
} while (0)

FIXTURE(certs) {
	uint8_t inblob[INBLOB_SIZE];
	struct blob report, table;
	int64_t breaches;
};

FIXTURE_SETUP(certs)
{
	item_ask(ITEM, self->inblob, 7);
	self->breaches = machine_breaches();
}

FIXTURE_TEARDOWN(certs)
{
	machine_rule_del(0);
	item_remove(ITEM);
	EXPECT_EQ(self->breaches, machine_breaches());
}

/* The next table: its words from at on are that one */
static int64_t host_writes(uint64_t at, uint64_t len, uint64_t word)
{
	struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_WRITE, .count = 1, .code = EXT_GUEST_REQUEST,
		.reply = { IN_RAX, at, len, 0, word },
	};

	return machine_rule_add(&rule);
}

static int next_report(FIXTURE_DATA(certs) *self)
{
	int error;

	self->inblob[0]++;
	error = item_write(ITEM, "inblob", self->inblob, INBLOB_SIZE);
	return error ? error : item_read(ITEM, "outblob", &self->report);
}

TEST_F(certs, host_without_certificates_gives_an_empty_auxblob)
{
	NEED_SNP();
	ASSERT_LT(0, host_writes(0, ENTRIES * ENTRY_SIZE, 0));
	ASSERT_EQ(0, item_read(ITEM, "outblob", &self->report));
	EXPECT_TRUE(report_echoes(&self->report, self->inblob));
	EXPECT_EQ(0, item_read(ITEM, "auxblob", &self->table));
	EXPECT_EQ(0, self->table.len);
}

/* Those of the last report are no part of this one */
TEST_F(certs, host_that_stops_giving_certificates_gives_an_empty_auxblob)
{
	NEED_SNP();
	ASSERT_EQ(0, item_read(ITEM, "auxblob", &self->table));
	ASSERT_LT(0, self->table.len);
	ASSERT_LT(0, host_writes(0, ENTRIES * ENTRY_SIZE, 0));
	ASSERT_EQ(0, next_report(self));
	EXPECT_TRUE(report_echoes(&self->report, self->inblob));
	EXPECT_EQ(0, item_read(ITEM, "auxblob", &self->table));
	EXPECT_EQ(0, self->table.len);
}

/* ---- a table that lies ---- */

FIXTURE(lie) {
	FIXTURE_DATA(certs) certs;
};

FIXTURE_VARIANT(lie) {
	uint32_t offset, length;
	ssize_t told;		/* bytes of the auxblob; -1: as many as there is room for, or less */
};

FIXTURE_VARIANT_ADD(lie, one_byte_more) { TABLE_MAX, 1, TABLE_MAX };
FIXTURE_VARIANT_ADD(lie, far_offset) { 0xfffff000, 16, TABLE_MAX };
FIXTURE_VARIANT_ADD(lie, long_certificate) { 4096, 0xffff0000, TABLE_MAX };
FIXTURE_VARIANT_ADD(lie, all_of_the_room) { 0, TABLE_MAX, TABLE_MAX };
FIXTURE_VARIANT_ADD(lie, wraps_around) { 0xffffffff, 2, -1 };
FIXTURE_VARIANT_ADD(lie, no_size) { 0, 0, -1 };

FIXTURE_SETUP(lie)
{
	item_remove(ITEM);
	item_make(ITEM);
	item_write(ITEM, "inblob", self->certs.inblob, INBLOB_SIZE);
}

FIXTURE_TEARDOWN(lie)
{
	machine_rule_del(0);
	item_remove(ITEM);
}

TEST_F(lie, table_that_lies_is_cut_to_the_room_for_it)
{
	uint64_t entry = (uint64_t)variant->length << 32 | variant->offset;
	struct blob *table = &self->certs.table;

	NEED_SNP();
	ASSERT_LT(0, host_writes(ENTRY_OFFSET, sizeof(entry), entry));
	ASSERT_EQ(0, next_report(&self->certs));
	EXPECT_TRUE(report_echoes(&self->certs.report, self->certs.inblob));
	ASSERT_EQ(0, item_read(ITEM, "auxblob", table));
	EXPECT_LE(variant->told, table->len);
	EXPECT_GE(variant->told >= 0 ? variant->told : TABLE_MAX, table->len);
	ASSERT_LE(ENTRY_OFFSET + (ssize_t)sizeof(entry), table->len);
	EXPECT_EQ(0, memcmp(table->data + ENTRY_OFFSET, &entry, sizeof(entry)));
}

/* ---- no report ---- */

/* The next key speaks for the next VMPL and lesser ones: the firmware refuses (MSG_REPORT_REQ, VMPL) */
TEST_F(certs, level_that_the_key_does_not_speak_for_gives_no_report)
{
	int next = technology_vmpl() + 1;
	char parameter[32];

	NEED_SNP();
	snprintf(parameter, sizeof(parameter), "vmpck_id=%d", next);
	if (module_remove("sev_guest"))
		SKIP(return, "the driver cannot be unloaded");
	EXPECT_EQ(0, item_remove(ITEM));
	ASSERT_EQ(0, module_probe("sev-guest", parameter));
	ASSERT_EQ(0, item_make_plain(ITEM));
	EXPECT_EQ(EINVAL, next_report(self));
	EXPECT_EQ(0, self->report.len);
	EXPECT_EQ(0, item_level(ITEM, next));
	EXPECT_EQ(0, next_report(self));
	EXPECT_TRUE(report_echoes(&self->report, self->inblob));
	EXPECT_EQ(0, item_remove(ITEM));
	EXPECT_EQ(0, module_remove("sev_guest"));
	EXPECT_EQ(0, module_probe("sev-guest", ""));
}

/* As by the ioctl: the host hears of nothing any more */
TEST_F(certs, key_that_was_given_up_makes_no_report)
{
	struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .count = 1, .code = EXT_GUEST_REQUEST,
		.reply_mask = 3, .reply = { 0, (uint64_t)0xffffffff << 32 },
	};
	int64_t before;

	NEED_SNP();
	ASSERT_LT(0, machine_rule_add(&rule));
	EXPECT_EQ(EIO, item_read(ITEM, "outblob", &self->report));
	EXPECT_EQ(0, self->report.len);
	before = reports_asked_for();
	EXPECT_EQ(ENOTTY, item_read(ITEM, "outblob", &self->report));
	EXPECT_EQ(ENOTTY, next_report(self));
	EXPECT_EQ(0, self->report.len);
	EXPECT_EQ(before, reports_asked_for());
}

TEST_HARNESS_MAIN
