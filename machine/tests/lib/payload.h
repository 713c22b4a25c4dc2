/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The payload library: a few pages of code that turn a flat binary into a
 * guest with its own page tables, exception handlers and KTAP lines.
 *
 *	virtual addresses	what they map
 *	0 .. 4 GiB		themselves; RAM private, from 3 GiB on shared (devices)
 *	ARENA			512 pages of RAM in 4K pages, for tests to convert and break
 *	WINDOW			512 4K slots to map anything, in any way
 *	WINDOW_2M		the same with 2M pages
 *
 * Everything is mapped writable, executable and for user mode too.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include "../../types.h"
#include "../../include/coco_abi.h"

#define ARENA		0x2000000ull
#define ARENA_PAGES	512
#define ARENA_2M	0x2200000ull		/* 2M of RAM in one large page */
#define WINDOW		0x100000000ull
#define WINDOW_2M	0x140000000ull

/* Vectors */
enum { DB = 1, NMI = 2, UD = 6, DF = 8, GP = 13, PF = 14, VE = 20, VC = 29 };

/* Instructions that the assembler may not know */
#define PVALIDATE	".byte 0xf2, 0x0f, 0x01, 0xff"
#define RMPADJUST	".byte 0xf3, 0x0f, 0x01, 0xfe"
#define TDCALL		".byte 0x66, 0x0f, 0x01, 0xcc"

/* ---- main: a test's own part ---- */
void payload(void);
extern enum coco_personality personality;
extern int cbit;
extern u64 cmask;
extern u64 boot_params;
/* Value of "name=" in the run file; the checks of a case that ends the run */
void read_run_file(void);
bool parameter(const char *name, char *value, size_t size);
bool case_is(const char *name);

static inline bool is_sev(void) { return personality == COCO_SEV; }
static inline bool is_es(void) { return personality == COCO_SEV_ES || personality == COCO_SEV_SNP; }
static inline bool is_snp(void) { return personality == COCO_SEV_SNP; }
static inline bool is_tdx(void) { return personality == COCO_TDX; }
static inline bool is_amd_cc(void) { return is_sev() || is_es(); }

/* ---- string.c ---- */
void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strncmp(const char *a, const char *b, size_t n);

/* ---- crypt.c: before BearSSL is called ---- */
void crypt_init(void);
void *memmove(void *dst, const void *src, size_t n);

/* ---- ktap.c: one line a check ---- */
void check(const char *claim, bool holds);
void check_eq(const char *claim, u64 got, u64 want);
/* Bytes for the host to judge: lines "# hex <name> <digits>" (verify.py) */
void dump(const char *name, const void *data, size_t len);
void note(const char *text, u64 value);
void finish(void) __noreturn;			/* plan, then end the run */

/* ---- call.c: machine calls ---- */
s64 machine_call(u32 nr, u64 a, u64 b, u64 c);
static inline u64 count(enum coco_event_kind kind, u64 code)
{
	return machine_call(COCO_CALL_COUNT, kind, code, 0);
}

/* COCO_PAGE_* flags, or -EINVAL */
static inline s64 page_state(u64 gpa)
{
	return machine_call(COCO_CALL_PAGE_STATE, gpa, 0, 0);
}

static inline void expect_breach(enum coco_breach what, u64 n)
{
	machine_call(COCO_CALL_EXPECT_BREACH, what, n, 0);
}

/* All breaches since the last expectation came, and no other */
bool breached(enum coco_breach what);
/* The newest event; false if there was none since `since` */
u64 event_next(void);
bool last_event(u64 since, struct coco_event *event);

/* ---- trap.c: exceptions and interrupts ---- */
struct frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

struct trap {
	bool hit;
	u8 vector;
	u64 error, rip, cr2;
	u64 count;
};

extern struct trap trap;			/* the last one */
extern u64 trap_resume;
extern bool (*trap_hook[256])(struct frame *frame);	/* true: handled, go back */

/* Run instructions; an exception in them lands in `trap` and goes on behind them */
#define TRY(insns, ...) do {								\
	trap = (struct trap){ 0 };							\
	asm volatile("movq $99f, trap_resume\n\t" insns "\n99:\n\tmovq $0, trap_resume"	\
		     __VA_ARGS__);							\
} while (0)

void trap_init_ap(void);

/* Call fn in user mode, on a stack of its own; back by its return */
void run_user(void (*fn)(void));

/* ---- paging.c ---- */
void paging_init(void);
enum { PRIVATE_PAGE, SHARED_PAGE, NO_PAGE, READONLY_PAGE };	/* read-only: private */
void map_arena(u32 page, int how);		/* ARENA + page * 4096, at its own address */
u8 *map_window(u32 slot, u64 gpa, int how);
u8 *map_window_2m(u32 slot, u64 gpa, int how);
u64 root_table(void);
void forget_c_bit(void);			/* in the entry that points to WINDOW's table */

static inline u8 *arena(u32 page) { return (u8 *)(ARENA + page * PAGE_SIZE); }
static inline u64 private_bit(void) { return is_amd_cc() ? cmask : 0; }
static inline u64 shared_bit(void) { return is_tdx() ? cmask : 0; }

/* ---- ghcb.c: SEV-ES and SEV-SNP ---- */
#define GHCB_MSR	0xc0010130
#define MSR_SEV_STATUS	0xc0010131
#define GHCB_PAGE	0			/* of the arena, on the boot CPU */
#define GHCB_BUFFER	0x800			/* shared buffer: offset and size */
#define GHCB_BUFFER_LEN	0x7f0

enum ghcb_field {
	F_CPL = 0xc8,
	F_XSS = 0x140,
	F_DR7 = 0x160,
	F_RAX = 0x1f8,
	F_RCX = 0x308,
	F_RDX = 0x310,
	F_RBX = 0x318,
	F_RSI = 0x330,
	F_RDI = 0x338,
	F_R8 = 0x340,
	F_EXITCODE = 0x390,
	F_EXITINFO1 = 0x398,
	F_EXITINFO2 = 0x3a0,
	F_SCRATCH = 0x3a8,
	F_XCR0 = 0x3e8,
};

extern u8 *ghcb;				/* the shared page */
extern u64 ghcb_gpa;
void ghcb_init(void);				/* negotiate, make shared, register */
void ghcb_clear(void);
void ghcb_put(enum ghcb_field field, u64 value);
u64 ghcb_get(enum ghcb_field field);
bool ghcb_valid(enum ghcb_field field);
/* Exit with what was put; the low 32 bits of SW_EXITINFO1 */
u32 ghcb_exit(u64 code, u64 info1, u64 info2);
u64 ghcb_msr(u64 request);			/* MSR protocol; leaves the response in the MSR */
static inline void vmgexit(void) { asm volatile("rep; vmmcall" : : "a"(0) : "memory"); }

/* EAX, and CF in *carry; PVALIDATE and RMPADJUST (APM vol. 3).  Under an SVSM: va is the GPA */
u32 pvalidate(u64 va, bool size_2m, bool validate, bool *carry);
u32 rmpadjust(u64 va, bool size_2m, u64 attributes);
void make_shared(u32 arena_page);		/* SNP: rescind, convert, map; SEV, SEV-ES: map */
void make_private(u32 arena_page);

/* ---- snp.c: the secrets page, and the SVSM if there is one ---- */
#define SECRETS_VMPCK		0x020
#define SECRETS_SVSM		0x140		/* base, size */
#define SECRETS_CALLING_AREA	0x150
#define SECRETS_SVSM_VERSION	0x158
#define SECRETS_VMPL		0x15c
#define SECRETS_TSC_FACTOR	0x160
u8 *secrets_page(void);				/* NULL: there is none */

#define SVSM_REMAP_CA		0ull		/* core protocol */
#define SVSM_PVALIDATE		1ull
struct svsm_call {
	u64 rax, rcx, rdx, r8, r9;
};

extern u8 *svsm_area;				/* the calling area; NULL: there is no SVSM */
extern u8 own_vmpl;				/* 0 without */
bool svsm_init(void);				/* from now on pvalidate() asks it */
void svsm_issue(struct svsm_call *call);	/* VMGEXIT with these registers */
u64 svsm_call(struct svsm_call *call);		/* by the MSR protocol; RAX */
u32 svsm_pvalidate(u64 gpa, bool size_2m, bool validate, bool *carry);

/* ---- tdx.c ---- */
struct tdregs {
	u64 rax, rcx, rdx, rbx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

void tdcall(struct tdregs *r);
/* R11 = leaf, R12.. = arguments, RCX: the mask of R10-R15; returns R10 */
u64 tdvmcall(u64 leaf, u64 r12, u64 r13, u64 r14, u64 r15, struct tdregs *out);
/* Reads and so clears the #VE information */
u64 veinfo_get(struct tdregs *r);
u64 page_accept(u64 gpa, u32 level);
u64 map_gpa(u64 gpa, u64 size);

/* ---- io.c: ports, in whatever way this personality has ---- */
void port_out(u16 port, u32 size, u32 value);	/* SEV-ES, SEV-SNP: after ghcb_init() */
u32 port_in(u16 port, u32 size);

/* ---- ap.c: the second vCPU, once; SEV-ES, SEV-SNP: after ghcb_init() ---- */
void ap_start(void (*fn)(void));
/* SEV-SNP: what it starts from, and the steps of its start, to be got wrong on purpose */
extern u8 vmsa[PAGE_SIZE];
#define VMSA_SEV_FEATURES	0x3b0
#define VMPL1_VMSA		(1ull | BIT_ULL(16))	/* RMPADJUST: VMPL 1, it is a VMSA */
void ap_prepare(void (*fn)(void));
void vmsa_fill(void);
enum { AP_CREATE = 1, AP_DESTROY = 2 };
u32 ap_creation(u32 apic_id, u32 request, u64 gpa, u64 features);	/* low half of SW_EXITINFO1 */
u32 vmsa_create(u64 gpa, u64 features);		/* for the second vCPU */
u32 vmsa_destroy(u64 gpa, u64 features);	/* the same */
void ap_sipi(void);				/* not by TDX: INIT, SIPI */

/* ---- the processor ---- */
static inline u64 read_cr2(void) { u64 v; asm volatile("mov %%cr2, %0" : "=r"(v)); return v; }
static inline u64 read_cr3(void) { u64 v; asm volatile("mov %%cr3, %0" : "=r"(v)); return v; }
static inline u64 read_cr0(void) { u64 v; asm volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline u64 read_cr4(void) { u64 v; asm volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr3(u64 v) { asm volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void invlpg(const void *p) { asm volatile("invlpg (%0)" : : "r"(p) : "memory"); }
static inline u64 read_flags(void) { u64 v; asm volatile("pushfq; popq %0" : "=r"(v)); return v; }
static inline void barrier(void) { asm volatile("" : : : "memory"); }

static inline void cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	asm volatile("cpuid"
		     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
		     : "a"(leaf), "c"(subleaf));
}

#endif /* PAYLOAD_H */
