/* SPDX-License-Identifier: GPL-2.0 */
/* The port I/O cases of vc_user.c: IN and OUT of all sizes, permitted and not. */
#ifndef VC_PORT_IO_H
#define VC_PORT_IO_H

/* Nothing answers at the free port of a PC; CMOS memory keeps what is written to it */
#define FREE_PORT	0xe0
#define CMOS_BYTE	0x7f

#define GARBAGE		0xa5c3b9d7e1f20486ull
#define LOW_BITS(n)	((n) == 4 ? 0xffffffffull : (1ull << 8 * (n)) - 1)

FIXTURE(vc_in) {
	struct window w;
};

FIXTURE(vc_out) {
	struct window w;
};

FIXTURE_VARIANT(vc_in) {
	unsigned int size;
};

FIXTURE_VARIANT(vc_out) {
	unsigned int size;
};

FIXTURE_VARIANT_ADD(vc_in, byte) { 1 };
FIXTURE_VARIANT_ADD(vc_in, word) { 2 };
FIXTURE_VARIANT_ADD(vc_in, dword) { 4 };
FIXTURE_VARIANT_ADD(vc_out, byte) { 1 };
FIXTURE_VARIANT_ADD(vc_out, word) { 2 };
FIXTURE_VARIANT_ADD(vc_out, dword) { 4 };

FIXTURE_SETUP(vc_in)
{
	ASSERT_EQ(0, pin_to_cpu0());
}

FIXTURE_SETUP(vc_out)
{
	ASSERT_EQ(0, pin_to_cpu0());
}

FIXTURE_TEARDOWN(vc_in)
{
	machine_rule_del(0);
}

FIXTURE_TEARDOWN(vc_out)
{
	machine_rule_del(0);
}

static void expect_one_ioio(struct __test_metadata *_metadata, const struct window *w, uint64_t info1)
{
	const struct coco_event *vc, *ghcb;

	EXPECT_EXITS(w, 1, 1);
	vc = window_exception(w, 0);
	ghcb = window_call(w, 0);
	if (!vc || !ghcb)
		return;
	EXPECT_EQ(EXIT_IOIO, vc->code);
	EXPECT_EQ(EXIT_IOIO, ghcb->code);
	EXPECT_EQ(info1, ghcb->info1);
	EXPECT_EQ(0, ghcb->info2);
	if (!(info1 & IOIO_IN))
		EXPECT_EQ(COCO_GHCB_RAX, ghcb->mask & COCO_GHCB_RAX);
}

TEST_F(vc_in, in_of_a_permitted_port_costs_one_exit)
{
	NEED_VC();
	NEED_PORTS(FREE_PORT, variant->size);
	window_open(&self->w);
	io_in(FREE_PORT, variant->size, GARBAGE);
	window_close(&self->w);
	expect_one_ioio(_metadata, &self->w,
			IOIO_PORT(FREE_PORT) | IOIO_SIZE(variant->size) | IOIO_A64 | IOIO_IN);
}

TEST_F(vc_out, out_to_a_permitted_port_costs_one_exit)
{
	NEED_VC();
	NEED_PORTS(FREE_PORT, variant->size);
	window_open(&self->w);
	io_out(FREE_PORT, variant->size, GARBAGE);
	window_close(&self->w);
	expect_one_ioio(_metadata, &self->w,
			IOIO_PORT(FREE_PORT) | IOIO_SIZE(variant->size) | IOIO_A64);
}

/* The host puts more into RAX than the operand has bits */
TEST_F(vc_in, in_gives_the_hosts_answer)
{
	static const uint64_t reply[6] = { 0, 0, 0x1122334455667788 };
	uint64_t due = reply[2] & LOW_BITS(variant->size), rax;

	NEED_VC();
	NEED_MACHINE();
	NEED_PORTS(FREE_PORT, variant->size);
	ASSERT_LT(0, answer(EXIT_IOIO, 7, reply));
	rax = io_in(FREE_PORT, variant->size, GARBAGE);
	EXPECT_EQ(due, rax & LOW_BITS(variant->size));
}

/* AL and AX are parts of RAX; a write to EAX clears the upper half (APM vol. 1, 3.1.2) */
TEST_F(vc_in, in_leaves_the_rest_of_rax_alone)
{
	uint64_t due = variant->size == 4 ? 0 : GARBAGE & ~LOW_BITS(variant->size), rax;

	NEED_VC();
	NEED_PORTS(FREE_PORT, variant->size);
	rax = io_in(FREE_PORT, variant->size, GARBAGE);
	EXPECT_EQ(due, rax & ~LOW_BITS(variant->size));
}

FIXTURE(vc_port) {
	struct window w;
};

FIXTURE_SETUP(vc_port)
{
	ASSERT_EQ(0, pin_to_cpu0());
}

FIXTURE_TEARDOWN(vc_port)
{
	machine_rule_del(0);
}

TEST_F(vc_port, out_reaches_the_device)
{
	static const uint8_t patterns[] = { 0x5a, 0xa5 };
	uint8_t before;
	size_t i;

	NEED_VC();
	NEED_PORTS(CMOS_INDEX, 2);
	before = cmos_read(CMOS_BYTE);
	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		cmos_select(CMOS_BYTE);
		io_out(CMOS_DATA, 1, (GARBAGE & ~0xffull) | patterns[i]);
		EXPECT_EQ(patterns[i], cmos_read(CMOS_BYTE));
	}
	cmos_write(CMOS_BYTE, before);
}

static void in_byte(void)
{
	io_in(FREE_PORT, 1, 0);
}

static void out_byte(void)
{
	io_out(FREE_PORT, 1, 0);
}

static void in_dword(void)
{
	io_in(FREE_PORT, 4, 0);
}

static void expect_refused(struct __test_metadata *_metadata, struct window *w, void (*access)(void))
{
	struct fault fault;

	window_open(w);
	fault = fault_of(access);
	window_close(w);
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_GP, fault.trapno);
	EXPECT_EXITS(w, 0, 0);
}

TEST_F(vc_port, in_of_a_port_not_permitted_is_refused_without_exit)
{
	NEED_VC();
	expect_refused(_metadata, &self->w, in_byte);
}

TEST_F(vc_port, out_to_a_port_not_permitted_is_refused_without_exit)
{
	NEED_VC();
	expect_refused(_metadata, &self->w, out_byte);
}

TEST_F(vc_port, access_beyond_the_permitted_ports_is_refused_without_exit)
{
	NEED_VC();
	NEED_PORTS(FREE_PORT, 3);
	expect_refused(_metadata, &self->w, in_dword);
}

TEST_F(vc_port, permission_taken_back_is_refused_without_exit)
{
	NEED_VC();
	NEED_PORTS(FREE_PORT, 1);
	in_byte();
	ASSERT_EQ(0, ioperm(FREE_PORT, 1, 0));
	expect_refused(_metadata, &self->w, in_byte);
}

#define TRAP_VC		29

extern const char vc_injected_in[];

/* One copy only: of its address */
static __insn void injected_in(void)
{
	asm volatile(".globl vc_injected_in\nvc_injected_in:\n\tinb %%dx, %%al"
		     : : "d"(FREE_PORT) : "rax");
}

/*
 * The processor looks at the permission before it raises #VC, the host that injects it
 * (APM vol. 2, 15.20) does not, nor does an instruction that another thread has changed
 * since: the handler has to look itself.
 */
TEST_F(vc_port, injected_exit_at_a_port_not_permitted_is_refused)
{
	const struct coco_inject inject = {
		.type = COCO_INJECT_VC, .error_code = EXIT_IOIO, .rip = (uintptr_t)vc_injected_in,
	};
	struct fault fault;
	int64_t injected;

	NEED_VC();
	NEED_MACHINE();
	injected = machine_count(COCO_EV_INJECT, TRAP_VC);
	ASSERT_EQ(0, machine_inject(&inject));
	window_open(&self->w);
	fault = fault_of(injected_in);
	window_close(&self->w);
	EXPECT_EQ(injected + 1, machine_count(COCO_EV_INJECT, TRAP_VC));
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_GP, fault.trapno);
	EXPECT_EQ((uintptr_t)vc_injected_in, fault.rip);
	EXPECT_EQ(0, window_calls(&self->w));
}

/* iopl(2): "level 3 ... access to all ports", whether ioperm() was ever called or not */
TEST_F(vc_port, iopl_3_permits_the_port)
{
	struct fault fault;

	NEED_VC();
	if (iopl(3))
		SKIP(return, "iopl: %s", strerror(errno));
	window_open(&self->w);
	fault = fault_of(in_byte);
	window_close(&self->w);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EXITS(&self->w, 1, 1);
}

/*
 * What the host may ask for beside a value: GHCB specification, 4.1.  Not with
 * CPUID: an SEV-SNP guest that depends on that answer ends itself.
 */
static const struct exception_case {
	uint64_t event;
	int signal;
	unsigned int trapno;
} exception_cases[] = {
	{ EVENT_EXCEPTION(TRAP_GP) | EVENT_ERROR_CODE, SIGSEGV, TRAP_GP },
	{ EVENT_EXCEPTION(TRAP_UD), SIGILL, TRAP_UD },
};

static struct fault fault_of_answer(struct window *w, uint64_t event)
{
	const uint64_t reply[6] = { RESULT_EXCEPTION, event, 0 };
	struct fault fault = { .signal = -1 };

	window_open(w);
	if (answer(EXIT_IOIO, 7, reply) > 0)
		fault = fault_of(in_byte);
	window_close(w);
	return fault;
}

TEST_F(vc_port, exception_asked_for_by_the_host_is_raised)
{
	size_t i;

	NEED_VC();
	NEED_MACHINE();
	NEED_PORTS(FREE_PORT, 1);
	for (i = 0; i < ARRAY_SIZE(exception_cases); i++) {
		struct fault fault = fault_of_answer(&self->w, exception_cases[i].event);

		EXPECT_EQ(exception_cases[i].signal, fault.signal);
		EXPECT_EQ(exception_cases[i].trapno, fault.trapno);
	}
}

/* The host may ask for #GP and #UD alone; else the program gets the blame, not the kernel */
TEST_F(vc_port, other_exceptions_asked_for_by_the_host_are_sigbus)
{
	unsigned int vector;

	NEED_VC();
	NEED_MACHINE();
	NEED_PORTS(FREE_PORT, 1);
	for (vector = 0; vector < 32; vector++) {
		if (vector == TRAP_GP || vector == TRAP_UD)
			continue;
		EXPECT_EQ(SIGBUS, fault_of_answer(&self->w, EVENT_EXCEPTION(vector)).signal) {
			TH_LOG("vector %u", vector);
		}
		/* On the way out of the handler, and not some time after the next try */
		EXPECT_EXITS(&self->w, 1, 1);
	}
}

#endif /* VC_PORT_IO_H */
