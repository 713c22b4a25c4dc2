// SPDX-License-Identifier: GPL-2.0
/* Tests that end in every way there is; what the harness has to say of each: test_harness.py. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"

TEST(passes)
{
	EXPECT_EQ(1, 1);
	EXPECT_STREQ("a", "a");
	ASSERT_TRUE(true);
}

TEST(fails_and_goes_on)
{
	unsigned int got = 11;

	EXPECT_EQ(10u, got);
	EXPECT_STREQ("a", "b") {
		TH_LOG("on failure only");
	}
	EXPECT_TRUE(true) {
		TH_LOG("never");
	}
	TH_LOG("still here\nand in two lines");
}

TEST(ends_at_an_assertion)
{
	ASSERT_LT(2, -1);
	TH_LOG("never");
}

TEST(skips)
{
	SKIP(return, "no %s here", "device");
}

TEST(skips_after_a_failure)
{
	EXPECT_NE(0, 0);
	SKIP(return, "too late");
}

TEST(is_killed)
{
	raise(SIGUSR1);
}

TEST(leaves)
{
	exit(0);
}

TEST(leaves_a_child)
{
	pid_t child = fork();

	if (!child)
		pause();
	TH_LOG("child: %d", child);
}

TEST_SIGNAL(is_killed_as_it_should, SIGUSR1)
{
	raise(SIGUSR1);
}

TEST_SIGNAL(is_killed_otherwise, SIGUSR1)
{
	raise(SIGUSR2);
}

TEST_SIGNAL(survives, SIGUSR1)
{
}

/* ---- fixtures ---- */
FIXTURE(made) {
	int value;
};

FIXTURE_VARIANT(made) {
	int value;
};

FIXTURE_VARIANT_ADD(made, one) { .value = 1 };
FIXTURE_VARIANT_ADD(made, two) { .value = 2 };

FIXTURE_SETUP(made)
{
	EXPECT_EQ(0, self->value);
	self->value = variant->value;
}

FIXTURE_TEARDOWN(made)
{
	TH_LOG("torn down");
}

TEST_F(made, has_its_variant)
{
	ASSERT_EQ(1, self->value);
	EXPECT_EQ(1, variant->value);
}

FIXTURE(unmade) {
	int value;
};

FIXTURE_SETUP(unmade)
{
	ASSERT_EQ(1, self->value);
}

FIXTURE_TEARDOWN(unmade)
{
	TH_LOG("never");
}

TEST_F(unmade, does_not_begin)
{
	TH_LOG("never");
}

FIXTURE(slow) {
};

FIXTURE_SETUP(slow)
{
}

FIXTURE_TEARDOWN(slow)
{
}

TEST_F_TIMEOUT(slow, sleeps, 1)
{
	pause();
}

/* ---- what the harness is asked to do after a death ---- */
static void tell(void)
{
	puts("# told of a death");
}

static void __constructor ask_to_be_told(void)
{
	coco_after_death = tell;
}

TEST_HARNESS_MAIN
