// SPDX-License-Identifier: GPL-2.0
/*
 * The keys of a guest: which one the driver takes, when it must not, and how a key ends.
 *
 * Path:        sev_guest_probe(), parameter vmpck_id: one of four VMPCKs and the number of
 *              messages under it, both in the secrets page, which outlives the driver
 * Upstream:    fce96cf04430 ("virt: Add SEV-SNP guest driver")
 *              47894e0fa6a5 ("virt/sev-guest: Prevent IV reuse in the SNP guest driver")
 * Without it:  a driver that is loaded again takes up a key that was given up, or counts its
 *              messages from the beginning: one IV for two messages.
 *
 * A test leaves the driver with VMPCK0 to the next one, or has a guest of its own.
 */
#include "device.h"
#include "../lib/module.h"

/* The driver anew, with that key; 0 or the error.  SKIPs are the caller's. */
static int take_key(FIXTURE_DATA(guest) *self, int key)
{
	char parameters[32];
	int error;

	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	error = module_remove("sev_guest");
	if (error && error != -ENOENT)
		return -error;
	snprintf(parameters, sizeof(parameters), "vmpck_id=%d", key);
	error = module_probe("sev-guest", parameters);
	if (error)
		return -error;
	self->fd = open(DEVICE, O_RDWR);
	return self->fd < 0 ? errno : 0;
}

/* The guest's own */
static int take_own_key(FIXTURE_DATA(guest) *self)
{
	return take_key(self, technology_vmpl());
}

/* The keys from the guest's own on are to be had, and the driver can be loaded anew */
#define NEED_KEYS() do { \
	if (self->fd < 0)	/* the test before this one failed half-way */ \
		take_own_key(self); \
	NEED_DEVICE(); \
	if (access("/sys/module/sev_guest/initstate", F_OK)) \
		SKIP(return, "the driver is no module that could be loaded anew"); \
} while (0)

/* Four reports: of which VMPLs the firmware makes one; a bit each */
static unsigned int vmpls(FIXTURE_DATA(guest) *self)
{
	unsigned int made = 0;
	uint32_t vmpl;

	for (vmpl = 0; vmpl <= 3; vmpl++) {
		self->request.vmpl = vmpl;
		if (get_report(self))
			return ~0u;
		made |= (!self->reply.status && self->reply.report.vmpl == vmpl) << vmpl;
	}
	return made;
}

/* The firmware takes the key for the sender: itself and lesser ones (MSG_REPORT_REQ, VMPL) */
TEST_F(guest, key_speaks_for_its_vmpl_and_lesser_ones)
{
	unsigned int key, own = technology_vmpl();

	NEED_KEYS();
	EXPECT_EQ(0xfu & -(1u << own), vmpls(self));
	for (key = own + 1; key < 3; key++) {
		ASSERT_EQ(0, take_key(self, key));
		EXPECT_EQ(0xfu & -(1u << key), vmpls(self));
	}
	ASSERT_EQ(0, take_own_key(self));
	EXPECT_EQ(0xfu & -(1u << own), vmpls(self));
}

TEST_F(guest, key_that_there_is_not_is_refused)
{
	static const int keys[] = { 4, 5, 0x7fffffff };
	int64_t before = requests();
	size_t i;

	NEED_KEYS();
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		EXPECT_EQ(ENODEV, take_key(self, keys[i]));
	EXPECT_EQ(before, requests());
	ASSERT_EQ(0, take_own_key(self));
	EXPECT_EQ(0, get_report(self));
	EXPECT_EQ(0, self->reply.status);
}

/* The firmware's counter goes on where the driver's predecessor left it */
TEST_F(guest, driver_loaded_again_goes_on_counting)
{
	int i;

	NEED_KEYS();
	for (i = 0; i < 3; i++) {
		self->request.user_data[0] = i;
		ASSERT_EQ(0, get_report(self));
		EXPECT_EQ(0, self->reply.status);
		ASSERT_EQ(0, take_own_key(self));
	}
}

/* The driver's end of a key is in the secrets page: for every driver to come, not for other keys */
TEST_F(guest, key_that_was_given_up_stays_so)
{
	unsigned int next = technology_vmpl() + 1;

	NEED_KEYS();
	NEED_MACHINE();
	ASSERT_LT(0, host_answers(GUEST_REQUEST, 1, STATUS_INVALID_PARAM));
	ASSERT_EQ(EIO, get_report(self));
	ASSERT_EQ(ENOTTY, get_report(self));
	EXPECT_EQ(ENODEV, take_own_key(self));
	ASSERT_EQ(0, take_key(self, next));
	self->request.vmpl = next;
	EXPECT_EQ(0, get_report(self));
	EXPECT_EQ(0, self->reply.status);
	EXPECT_EQ(next, self->reply.report.vmpl);
	EXPECT_EQ(ENODEV, take_own_key(self));
}

/* VMPCK3 of the machine is two messages short of its last number */
TEST_F(guest, last_sequence_number_is_not_passed)
{
	int64_t before;
	int i;

	NEED_KEYS();
	NEED_MACHINE();
	ASSERT_EQ(0, take_key(self, 3));
	self->request.vmpl = 3;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, get_report(self));
		EXPECT_EQ(0, self->reply.status);
	}
	before = requests();
	for (i = 0; i < 3; i++) {
		self->request.user_data[0] = i;
		EXPECT_EQ(EIO, get_report(self));
		EXPECT_EQ(EIO, get_key(self));
		EXPECT_EQ(EIO, get_ext_report(self, self->certs, TABLE_PAGES * PAGE));
	}
	EXPECT_EQ(before, requests());
	EXPECT_TRUE(all_zero(&self->raw, sizeof(self->raw)));
	/* not by forgetting the number either */
	ASSERT_EQ(0, take_key(self, 3));
	EXPECT_EQ(EIO, get_report(self));
	EXPECT_EQ(before, requests());
	ASSERT_EQ(0, take_own_key(self));
	EXPECT_EQ(0, get_report(self));
}

TEST_HARNESS_MAIN
