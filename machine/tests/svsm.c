// SPDX-License-Identifier: GPL-2.0
/*
 * A guest at VMPL 2, and the SVSM above it.
 * Secure VM Service Module (58019): discovery, calling convention, core and attestation protocol
 * GHCB specification (56421): 2.3.1 (run VMPL), SNP Run VMPL
 * APM vol. 3 (24594): PVALIDATE, RMPADJUST, and who may execute them
 */
#include <bearssl/bearssl_hash.h>

#include "lib/payload.h"

#define VMPL			2
#define VMSA_VMPL		0x0ca
#define VMPCK_SIZE		32
#define RUN_VMPL_REQUEST	0x016ull
#define RUN_VMPL_RESPONSE	0x017ull
#define FEATURES_REQUEST	0x080
#define FEATURE_VMPLS		BIT_ULL(5)
#define NAE_RUN_VMPL		0x80000018
#define MALFORMED		2
#define FAIL_PERMISSION		2
#define READ_WRITE		0x300ull

#define CREATE_VCPU		2ull
#define DELETE_VCPU		3ull
#define DEPOSIT_MEM		4ull
#define QUERY_PROTOCOL		6ull
#define CONFIGURE_VTOM		7ull
#define ATTEST_SERVICES		(1ull << 32)
#define ATTEST_SINGLE_SERVICE	(1ull << 32 | 1)
#define VTPM_QUERY		(2ull << 32)

#define UNSUPPORTED_PROTOCOL	0x80000001
#define UNSUPPORTED_CALL	0x80000002
#define INVALID_ADDRESS		0x80000003
#define INVALID_PARAMETER	0x80000005
#define INVALID_REQUEST		0x80000006
#define FAIL_INUSE		0x80001003
#define FAIL_SIZEMISMATCH	0x80001006
#define UNCHANGED		0x80001010

#define ENTRY_2M		1ull
#define ENTRY_VALIDATE		4ull
#define ENTRY_IGNORE_CF		8ull

#define REPORT_SIZE		0x4a0
#define REPORT_VMPL		0x30
#define REPORT_DATA		0x50
#define MANIFEST_SIZE		24

/* Pages of the arena */
enum { AREA = 40, AP_AREA, REPORT, REPORT_2, MANIFEST, NONCE, PAGES, CERTIFICATES = 64 };

struct pvalidate_list {
	u16 count, next;
	u32 reserved;
	u64 entry[8];
};

struct location {
	u64 gpa;
	u32 size, reserved;
};

struct attest_request {
	struct location report, nonce, manifest, certificates;
};

static u8 *secrets;
static struct pvalidate_list *list;
static struct svsm_call last;

static u64 at(u32 page)
{
	return (u64)arena(page);
}

static u64 call(u64 rax, u64 rcx, u64 rdx, u64 r8)
{
	last = (struct svsm_call){ rax, rcx, rdx, r8, 0 };
	return svsm_call(&last);
}

static u64 own_page(void)
{
	return *(u64 *)(secrets + SECRETS_SVSM);
}

static u32 zeros(const u8 *p, u32 len)
{
	u32 n = 0;

	while (len--)
		n += !*p++;
	return n;
}

static void discovery(void)
{
	const u8 *keys = secrets + SECRETS_VMPCK;

	check_eq("secrets_page_has_the_vmpl", secrets[SECRETS_VMPL], VMPL);
	check("secrets_page_has_the_svsm_s_size", *(u64 *)(secrets + SECRETS_SVSM + 8));
	check_eq("secrets_page_has_the_highest_version", *(u32 *)(secrets + SECRETS_SVSM_VERSION), 1);
	check_eq("keys_of_higher_vmpls_are_gone", zeros(keys, VMPL * VMPCK_SIZE), VMPL * VMPCK_SIZE);
	check_eq("own_and_lower_keys_are_there", zeros(keys + VMPL * VMPCK_SIZE, VMPCK_SIZE), 0);
	check("multiple_vmpls_are_offered", ghcb_msr(FEATURES_REQUEST) >> 12 & FEATURE_VMPLS);
	TRY("rdmsr", : : "c"(0xc001f000) : "rax", "rdx", "memory");
	check("svsm_s_msr_is_none_of_the_processor_s", trap.hit);
}

static void instructions(void)
{
	u64 va = at(PAGES);

	expect_breach(COCO_BREACH_ORDER, 1);
	TRY(PVALIDATE, : : "a"(va), "c"(0), "d"(0) : "memory");
	check("pvalidate_raises_gp", trap.hit && trap.vector == GP);
	check("pvalidate_is_a_breach", breached(COCO_BREACH_ORDER));
	check("and_does_nothing", page_state(va) & COCO_PAGE_VALIDATED);
	check_eq("rmpadjust_for_its_own_vmpl_is_refused", rmpadjust(va, false, VMPL | READ_WRITE),
		 FAIL_PERMISSION);
	check_eq("rmpadjust_for_a_higher_vmpl_is_refused", rmpadjust(va, false, 1 | READ_WRITE),
		 FAIL_PERMISSION);
	check_eq("rmpadjust_for_a_lower_vmpl_succeeds", rmpadjust(va, false, (VMPL + 1) | READ_WRITE),
		 0);
	check_eq("rmpadjust_makes_no_vmsa", rmpadjust(va, false, (VMPL + 1) | BIT_ULL(16)),
		 FAIL_PERMISSION);
	check("page_is_no_vmsa", !(page_state(va) & COCO_PAGE_VMSA));
}

static void convention(void)
{
	struct svsm_call none = { .rax = QUERY_PROTOCOL, .rcx = 1 };
	struct coco_event e;
	u64 since;

	wrmsr(GHCB_MSR, RUN_VMPL_REQUEST);
	svsm_issue(&none);
	check("without_a_pending_call_nothing_is_done", none.rax == QUERY_PROTOCOL && none.rcx == 1);
	check_eq("host_answers_all_the_same", rdmsr(GHCB_MSR), RUN_VMPL_RESPONSE);
	since = event_next();
	check_eq("call_succeeds", call(QUERY_PROTOCOL, 1, 2, 3), 0);
	check_eq("call_is_no_longer_pending", *svsm_area, 0);
	check_eq("registers_that_it_does_not_use_are_kept", last.rdx << 32 | last.r8, 2ull << 32 | 3);
	last_event(since, &e);
	check_eq("call_is_an_event", e.kind, COCO_EV_SVSM);
	check_eq("event_has_the_call", e.code, QUERY_PROTOCOL);
	check("event_has_the_registers", e.info1 == 1 && e.info2 == 2);
	expect_breach(COCO_BREACH_RESERVED, 2);
	check_eq("another_vmpl_is_not_run", ghcb_msr(RUN_VMPL_REQUEST | 1ull << 32),
		 1ull << 32 | RUN_VMPL_RESPONSE);
	ghcb_clear();
	check_eq("nor_by_the_page", ghcb_exit(NAE_RUN_VMPL, 3, 0), MALFORMED);
	check("vmpl_that_has_nothing_is_a_breach_each_time", breached(COCO_BREACH_RESERVED));
	expect_breach(COCO_BREACH_RESERVED, 1);
	ghcb_msr(RUN_VMPL_REQUEST | BIT_ULL(16));
	check("reserved_bits_of_the_request_are_a_breach", breached(COCO_BREACH_RESERVED));
	ghcb_clear();
	check_eq("page_runs_the_svsm", ghcb_exit(NAE_RUN_VMPL, 0, 0), 0);
	check_eq("unknown_protocol_is_told", call(VTPM_QUERY, 0, 0, 0), UNSUPPORTED_PROTOCOL);
	check_eq("unknown_call_is_told", call(99, 0, 0, 0), UNSUPPORTED_CALL);
	check_eq("memory_is_not_wanted", call(DEPOSIT_MEM, 0, 0, 0), UNSUPPORTED_CALL);
}

static u64 query(u64 protocol, u64 version)
{
	call(QUERY_PROTOCOL, protocol << 32 | version, 0, 0);
	return last.rcx;
}

static void protocols(void)
{
	check_eq("core_protocol_is_there", query(0, 1), 1ull << 32 | 1);
	check_eq("attestation_protocol_is_there", query(1, 1), 1ull << 32 | 1);
	check_eq("version_to_come_is_not", query(0, 2), 0);
	check_eq("vtpm_is_not", query(2, 1), 0);
	check_eq("vtom_can_be_asked_for", call(CONFIGURE_VTOM, 1, 0, 0), 0);
	check_eq("vtom_is_not_there", last.rcx, 0);
	check_eq("vtom_cannot_be_set", call(CONFIGURE_VTOM, 1 << 30, 0, 0), INVALID_REQUEST);
}

static void calling_area(void)
{
	u8 *before = svsm_area;

	check_eq("area_that_is_not_aligned_is_refused", call(SVSM_REMAP_CA, at(AREA) + 4, 0, 0),
		 INVALID_PARAMETER);
	check_eq("area_in_no_ram_is_refused", call(SVSM_REMAP_CA, 0xfee00000, 0, 0), INVALID_ADDRESS);
	check_eq("area_of_the_svsm_s_own_is_refused", call(SVSM_REMAP_CA, own_page(), 0, 0),
		 INVALID_ADDRESS);
	memset(arena(AREA), 0xff, PAGE_SIZE);
	check_eq("area_can_be_moved", call(SVSM_REMAP_CA, at(AREA), 0, 0), 0);
	check_eq("call_was_over_in_the_old_one", *before, 0);
	check_eq("new_one_has_nothing_pending", zeros(arena(AREA), 8), 8);
	check("what_is_behind_its_header_stays", arena(AREA)[8] == 0xff);
	check_eq("old_one_is_no_longer_looked_at", call(QUERY_PROTOCOL, 1, 0, 0), QUERY_PROTOCOL);
	svsm_area = arena(AREA);
	check_eq("new_one_is", call(QUERY_PROTOCOL, 1, 0, 0), 0);
	list = (void *)(svsm_area + 8);
}

static u64 validate(u16 count, u16 next)
{
	list->count = count;
	list->next = next;
	list->reserved = 0;
	return call(SVSM_PVALIDATE, (u64)list, 0, 0);
}

static void validation(void)
{
	u64 page = at(PAGES), pvalidates = count(COCO_EV_PVALIDATE, page);

	list->entry[0] = page;
	list->entry[1] = page + PAGE_SIZE;
	check_eq("pages_are_rescinded", validate(2, 0), 0);
	check_eq("list_is_done", list->next, 2);
	check("both_are_no_longer_validated",
	      page_state(page) == COCO_PAGE_PRIVATE && page_state(page + PAGE_SIZE) == COCO_PAGE_PRIVATE);
	check_eq("pvalidate_is_an_event_too", count(COCO_EV_PVALIDATE, page) - pvalidates, 1);
	list->entry[0] = page | ENTRY_VALIDATE;
	list->entry[1] = (page + PAGE_SIZE) | ENTRY_VALIDATE;
	check_eq("list_goes_on_where_it_stopped", validate(2, 1), 0);
	check("entries_before_are_left_alone", page_state(page) == COCO_PAGE_PRIVATE &&
					       page_state(page + PAGE_SIZE) & COCO_PAGE_VALIDATED);
	check_eq("no_change_is_told", validate(2, 0), UNCHANGED);
	check_eq("list_stops_there", list->next, 1);
	list->entry[1] |= ENTRY_IGNORE_CF;
	check_eq("unless_it_does_not_matter", validate(2, 1), 0);
	list->entry[0] = ARENA_2M + PAGE_SIZE;
	validate(1, 0);
	list->entry[0] |= ENTRY_VALIDATE;
	validate(1, 0);
	list->entry[0] = ARENA_2M | ENTRY_2M;
	check_eq("2m_of_4k_entries_is_a_size_mismatch", validate(1, 0), FAIL_SIZEMISMATCH);
	expect_breach(COCO_BREACH_RESERVED, 1);
	list->entry[0] = page | ENTRY_VALIDATE | ENTRY_IGNORE_CF | BIT_ULL(8);
	check_eq("reserved_bits_are_overlooked", validate(1, 0), 0);
	check("reserved_bits_are_a_breach", breached(COCO_BREACH_RESERVED));
}

static void bad_lists(void)
{
	list->entry[0] = at(PAGES) | 2 | ENTRY_VALIDATE;
	check_eq("size_that_is_none_is_refused", validate(1, 0), INVALID_PARAMETER);
	list->entry[0] = (ARENA_2M + PAGE_SIZE) | ENTRY_2M;
	check_eq("2m_that_is_not_aligned_is_refused", validate(1, 0), INVALID_PARAMETER);
	list->entry[0] = own_page();
	check_eq("svsm_s_own_page_is_refused", validate(1, 0), INVALID_ADDRESS);
	check("svsm_s_own_page_is_left_alone", page_state(own_page()) & COCO_PAGE_VALIDATED);
	list->entry[0] = 0xfee00000;
	check_eq("page_of_no_ram_is_refused", validate(1, 0), INVALID_ADDRESS);
	check_eq("empty_list_is_refused", validate(0, 0), INVALID_PARAMETER);
	check_eq("list_that_is_done_is_refused", validate(1, 1), INVALID_PARAMETER);
	check_eq("list_beyond_its_page_is_refused", validate(511, 0), INVALID_PARAMETER);
	check_eq("list_of_the_svsm_s_own_is_refused", call(SVSM_PVALIDATE, own_page(), 0, 0),
		 INVALID_ADDRESS);
	check_eq("list_that_is_not_aligned_is_refused", call(SVSM_PVALIDATE, (u64)list + 1, 0, 0),
		 INVALID_PARAMETER);
}

static void rules(void)
{
	struct coco_rule rule = { .kind = COCO_EV_SVSM,
				  .action = COCO_REPLY,
				  .code = QUERY_PROTOCOL,
				  .count = 1,
				  .reply_mask = 0x1f,
				  .reply = { 11, 12, 13, 14, 15 } };

	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	call(QUERY_PROTOCOL, 1, 0, 0);
	check("rule_answers_in_all_registers", last.rax == 11 && last.rcx == 12 && last.rdx == 13 &&
					       last.r8 == 14 && last.r9 == 15);
	check_eq("rule_is_used_up", call(QUERY_PROTOCOL, 1, 0, 0), 0);
}

/* ---- attestation ---- */

static struct attest_request *fill_attest(void)
{
	struct attest_request *request = (void *)(svsm_area + 8);
	u32 i;

	*request = (struct attest_request) {
		.report = { at(REPORT), PAGE_SIZE, 0 },
		.nonce = { at(NONCE) + 8, 64, 0 },
		.manifest = { at(MANIFEST), PAGE_SIZE, 0 },
		.certificates = { at(CERTIFICATES), 8 * PAGE_SIZE, 0 },
	};
	for (i = 0; i < 64; i++)
		arena(NONCE)[8 + i] = i;
	return request;
}

static bool is_digest_of(const u8 *data, const void *nonce, u32 nonce_size, const void *manifest)
{
	br_sha512_context sha;
	u8 digest[64];

	br_sha512_init(&sha);
	br_sha512_update(&sha, nonce, nonce_size);
	br_sha512_update(&sha, manifest, MANIFEST_SIZE);
	br_sha512_out(&sha, digest);
	return !memcmp(data, digest, sizeof(digest));
}

static u64 attest(void)
{
	return call(ATTEST_SERVICES, (u64)svsm_area + 8, -1ull, -1ull);
}

static void attestation(void)
{
	static const u8 guid[4] = { 0xbb, 0x9e, 0x84, 0x63 };
	struct attest_request *request = fill_attest();
	u64 certificates;

	memset(arena(REPORT), 0, PAGE_SIZE);
	check_eq("services_attest", attest(), 0);
	check_eq("report_has_its_size", last.r8, REPORT_SIZE);
	check_eq("manifest_has_its_size", last.rcx, MANIFEST_SIZE);
	check_eq("report_is_of_vmpl_0", *(u32 *)(arena(REPORT) + REPORT_VMPL), 0);
	check("manifest_is_one_of_services", !memcmp(arena(MANIFEST), guid, sizeof(guid)));
	check_eq("it_lists_none", *(u64 *)(arena(MANIFEST) + 16), MANIFEST_SIZE);
	check("report_data_is_the_digest_of_nonce_and_manifest",
	      is_digest_of(arena(REPORT) + REPORT_DATA, arena(NONCE) + 8, 64, arena(MANIFEST)));
	dump("report", arena(REPORT), REPORT_SIZE);
	certificates = last.rdx;
	check("certificates_come_along", certificates && zeros(arena(CERTIFICATES), 24) < 24);
	request->report.size = 1;
	request->certificates.size = 1;
	check_eq("buffers_too_small_are_told", attest(), INVALID_PARAMETER);
	check("with_the_sizes_that_it_takes", last.r8 == REPORT_SIZE && last.rcx == MANIFEST_SIZE &&
					      last.rdx == certificates);
	request = fill_attest();
	request->certificates = (struct location){ 0 };
	check_eq("certificates_may_be_left_out", attest(), 0);
	check_eq("and_are", last.rdx, 0);
	request = fill_attest();
	request->report.gpa += 8;
	check_eq("buffer_that_is_not_aligned_is_refused", attest(), INVALID_PARAMETER);
	request = fill_attest();
	request->report.gpa = own_page();
	check_eq("buffer_of_the_svsm_s_own_is_refused", attest(), INVALID_PARAMETER);
	request = fill_attest();
	request->nonce.reserved = 1;
	expect_breach(COCO_BREACH_RESERVED, 1);
	attest();
	check("reserved_fields_are_a_breach", breached(COCO_BREACH_RESERVED));
	check_eq("no_service_attests_alone",
		 call(ATTEST_SINGLE_SERVICE, (u64)svsm_area + 8, 0, 0), INVALID_PARAMETER);
}

/* ---- the second vCPU ---- */

static volatile u64 ap_result, ap_runs;

static void ap(void)
{
	struct svsm_call c = { .rax = QUERY_PROTOCOL, .rcx = 1 };

	*arena(AP_AREA) = 1;
	wrmsr(GHCB_MSR, RUN_VMPL_REQUEST);
	svsm_issue(&c);
	ap_result = c.rcx;
	ap_runs = 1;
}

static void second_vcpu(void)
{
	u64 page = (u64)vmsa, area = at(AP_AREA);
	u32 i;

	ap_prepare(ap);
	vmsa_fill();
	check_eq("vmsa_that_is_not_aligned_is_refused", call(CREATE_VCPU, page + 8, area, 1),
		 INVALID_ADDRESS);
	check_eq("vmsa_may_not_be_the_calling_area", call(CREATE_VCPU, page, page, 1),
		 INVALID_ADDRESS);
	check_eq("area_of_the_svsm_s_own_is_refused_there", call(CREATE_VCPU, page, own_page(), 1),
		 INVALID_ADDRESS);
	check_eq("vmsa_of_another_vmpl_is_refused", call(CREATE_VCPU, page, area, 1),
		 INVALID_PARAMETER);
	vmsa[VMSA_VMPL] = VMPL;
	check_eq("vcpu_that_is_not_there_is_refused", call(CREATE_VCPU, page, area, 7),
		 INVALID_PARAMETER);
	check_eq("page_that_is_no_vmsa_cannot_be_deleted", call(DELETE_VCPU, page, 0, 0),
		 INVALID_PARAMETER);
	check_eq("vcpu_is_created", call(CREATE_VCPU, page, area, 1), 0);
	check("its_page_is_a_vmsa", page_state(page) & COCO_PAGE_VMSA);
	check_eq("vmsa_is_created_once", call(CREATE_VCPU, page, area, 1), INVALID_ADDRESS);
	list->entry[0] = page;
	check_eq("vmsa_is_not_rescinded", validate(1, 0), INVALID_ADDRESS);
	check_eq("host_runs_it", vmsa_create(page, rdmsr(MSR_SEV_STATUS) >> 2), 0);
	for (i = 0; i < 1000000000u && !ap_runs; i++)
		;
	check_eq("it_has_a_calling_area_of_its_own", ap_result, 1ull << 32 | 1);
	check_eq("vmsa_that_runs_is_not_deleted", call(DELETE_VCPU, page, 0, 0), FAIL_INUSE);
}

void payload(void)
{
	if (!svsm_init()) {
		check("there_is_an_svsm", false);
		return;
	}
	secrets = secrets_page();
	if (case_is("own_page"))
		*(volatile u8 *)own_page();
	crypt_init();
	list = (void *)(svsm_area + 8);
	ghcb_init();
	discovery();
	instructions();
	convention();
	protocols();
	calling_area();
	validation();
	bad_lists();
	rules();
	attestation();
	second_vcpu();
	check_eq("nothing_here_is_an_unexpected_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0),
		 0);
}
