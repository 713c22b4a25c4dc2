// SPDX-License-Identifier: GPL-2.0
/*
 * Pages in the wrong state, and the linear address that a #VE tells.
 * TDX module base specification (348549): #VE injection on EPT violations
 * SDM vol. 3 (325384): 26.5.7 and table 28-7
 *
 * Run with tdx=sept-ve: a page that was not accepted raises #VE.
 */
#include "lib/payload.h"

#define REASON_EPT	48
#define PENDING		20		/* pages of the arena */
#define ALIASED		21
#define EPT_READ	1
#define EPT_WRITE	2
#define EPT_FETCH	4
#define GLA_VALID	(BIT(7) | BIT(8))

static struct tdregs info;

static void expect(const char *claim, u64 gla, u64 gpa, u32 access)
{
	bool raised = trap.hit && trap.vector == VE && !veinfo_get(&info);

	if (!raised || info.rcx != REASON_EPT || info.r8 != gla || info.r9 != gpa ||
	    info.rdx != (access | GLA_VALID)) {
		note("trap", trap.hit ? trap.vector : ~0ull);
		note("reason", info.rcx);
		note("qualification", info.rdx);
		note("linear", info.r8);
		note("physical", info.r9);
	}
	check(claim, raised && info.rcx == REASON_EPT && info.r8 == gla && info.r9 == gpa &&
	      info.rdx == (access | GLA_VALID));
}

static void pending(void)
{
	u64 gpa = ARENA + PENDING * PAGE_SIZE, va = gpa;
	struct coco_event e;
	u64 since;

	map_gpa(gpa | cmask, PAGE_SIZE);
	map_gpa(gpa, PAGE_SIZE);
	since = event_next();
	TRY("mov (%0), %%rax", : : "r"(va + 0x120) : "rax", "memory");
	machine_call(COCO_CALL_EVENT, since, (u64)&e, 0);
	check("access_to_a_pending_page_is_an_event", e.kind == COCO_EV_NPF && e.code == gpa && e.info2 == COCO_PAGE_PRIVATE);
	expect("pending_page_raises_ve", va + 0x120, gpa + 0x120, EPT_READ);
	TRY("movb $1, (%0)", : : "r"(va) : "memory");
	expect("write_to_a_pending_page_raises_ve", va, gpa, EPT_WRITE);
	check_eq("pending_page_can_be_accepted", page_accept(gpa, 0), 0);
	TRY("mov (%0), %%rax", : : "r"(va) : "rax", "memory");
	check("accepted_page_raises_nothing", !trap.hit);
}

/* The shared alias of a private page: every form of operand tells its linear address */
static void operands(void)
{
	u64 gpa = (ARENA + ALIASED * PAGE_SIZE), shared = gpa | cmask;
	u8 *p = map_window(3, gpa, SHARED_PAGE);
	u64 va = (u64)p;

	TRY("movzbl 0x10(%0), %%eax", : : "r"(va) : "rax", "memory");
	expect("displacement", va + 0x10, shared + 0x10, EPT_READ);
	TRY("mov (%0,%1,8), %%rax", : : "r"(va), "r"(3ull) : "rax", "memory");
	expect("scaled_index", va + 24, shared + 24, EPT_READ);
	TRY("mov 0x100(,%0,2), %%rax", : : "r"(va / 2) : "rax", "memory");
	expect("index_without_base", va + 0x100, shared + 0x100, EPT_READ);
	TRY("mov %0, %%r13; mov (%%r13), %%rax", : : "r"(va) : "rax", "r13", "memory");
	expect("extended_base", va, shared, EPT_READ);
	TRY("mov %0, %%r12; movw $0x1234, 6(%%r12)", : : "r"(va) : "r12", "memory");
	expect("immediate_store", va + 6, shared + 6, EPT_WRITE);
	TRY("movabs 0x100003018, %%al", : : : "rax", "memory");
	expect("absolute_address", va + 0x18, shared + 0x18, EPT_READ);
	TRY("rep movsb", : : "S"(va + 0x20), "D"(arena(40)), "c"(8ull) : "memory");
	expect("string_source", va + 0x20, shared + 0x20, EPT_READ);
	TRY("rep stosq", : : "a"(0), "D"(va + 0x28), "c"(8ull) : "memory");
	expect("string_destination", va + 0x28, shared + 0x28, EPT_WRITE);
	TRY("mov (%0), %%rax", : : "r"(va - 3) : "rax", "memory");
	expect("access_across_the_page_boundary", va, shared, EPT_READ);
}

void payload(void)
{
	pending();
	map_window(2, ARENA + 41 * PAGE_SIZE, PRIVATE_PAGE);
	operands();
	check_eq("nothing_here_is_a_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
}
