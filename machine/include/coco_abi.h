/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine call: how tests talk to the software machine.
 *
 * A machine call is the plain VMMCALL instruction with a magic number in RAX.
 * The machine handles it before anything else: it raises neither #VC nor #VE,
 * touches no GHCB, and works at CPL 0 and 3, in any context, NMI included.
 *
 *	RAX  COCO_CALL(nr)			out: result, or -errno
 *	RDI, RSI, RDX, R10  arguments		preserved
 *
 * All other registers and the flags are preserved.  Addresses are virtual ones
 * of the caller; a page that the caller's tables do not map gives -EFAULT
 * (touch user memory before the call).
 *
 * Never make a machine call before the probe below has found the signature:
 * on real hardware VMMCALL with these registers would reach a real hypervisor.
 *
 * This header is shared by the machine, by kernel modules and by user space,
 * so it uses only types that all three have.
 */
#ifndef COCO_ABI_H
#define COCO_ABI_H

#ifdef __KERNEL__
#include <linux/types.h>
typedef u64 coco_u64;
typedef u32 coco_u32;
typedef u16 coco_u16;
typedef u8 coco_u8;
#else
#include <stdint.h>
typedef uint64_t coco_u64;
typedef uint32_t coco_u32;
typedef uint16_t coco_u16;
typedef uint8_t coco_u8;
#endif

/* ---- probe: a CPUID leaf in the hypervisor range, beside KVM's at 0x40000000 ---- */
#define COCO_CPUID_BASE		0x40000100u	/* EAX: highest leaf, EBX/ECX/EDX: signature */
#define COCO_CPUID_INFO		0x40000101u	/* EAX: ABI version, EBX: personality, ECX: 0, EDX: C-bit/shared bit position */
#define COCO_SIGNATURE_EBX	0x6f636f43u	/* "Coco" */
#define COCO_SIGNATURE_ECX	0x6863614du	/* "Mach" */
#define COCO_SIGNATURE_EDX	0x00656e69u	/* "ine\0" */
#define COCO_ABI_VERSION	1

enum coco_personality {
	COCO_NONE,
	COCO_SEV,
	COCO_SEV_ES,
	COCO_SEV_SNP,
	COCO_TDX,
};

#define COCO_MAGIC		0xc0c0ca1100000000ull
#define COCO_CALL(nr)		(COCO_MAGIC | (nr))

enum coco_call_nr {
	COCO_CALL_VERSION	= 0,	/* () -> COCO_ABI_VERSION */

	/* the host side: the result stream and the run's parameters */
	COCO_CALL_PUT		= 1,	/* (channel, address, length) -> length; see COCO_CHAN_* */
	COCO_CALL_GET		= 2,	/* (address, size, offset) -> bytes copied of the run file (fw_cfg opt/coco/run) */
	COCO_CALL_SNAPSHOT	= 3,	/* () -> 0 here, 1 when this is a restored snapshot; -ENOTSUP if none was asked for */
	COCO_CALL_EXIT		= 4,	/* (code) never returns: the run ends, "m|end exit code=N" */

	COCO_CALL_KERNEL	= 5,	/* (address, size, offset) -> bytes copied of the kernel that was booted */
	COCO_CALL_INITRAMFS	= 6,	/* ... and of its initramfs; -ENOENT: there is none */

	/* what the machine saw */
	COCO_CALL_COUNT		= 16,	/* (enum coco_event_kind, code or COCO_ANY) -> events so far */
	COCO_CALL_EVENT_NEXT	= 17,	/* () -> sequence number that the next event will get */
	COCO_CALL_EVENT		= 18,	/* (sequence, struct coco_event *) -> 0; -ENOENT: not yet, -ESTALE: overwritten */
	COCO_CALL_BREACHES	= 19,	/* () -> breaches so far that no test expected */

	/* scripting the host (see struct coco_rule) */
	COCO_CALL_RULE_ADD	= 32,	/* (const struct coco_rule *) -> id > 0; -ENOSPC, -EINVAL */
	COCO_CALL_RULE_HITS	= 33,	/* (id) -> times applied */
	COCO_CALL_RULE_DEL	= 34,	/* (id or 0 for all) -> times applied; no error if none */
	COCO_CALL_INJECT	= 35,	/* (const struct coco_inject *) -> 0; -EINVAL: this host cannot, -ENOSPC */
	COCO_CALL_EXPECT	= 36,	/* (enum coco_end, value, mask): this end of the run is a pass of the running
					 * case; several may be given; (0): forget them all */
	COCO_CALL_EXPECT_BREACH	= 37,	/* (enum coco_breach, count): so many to come are no failure
					 * -> how many of the last expectation never came */
	COCO_CALL_WARP		= 38,	/* (nanoseconds) guest time jumps forward: TSC and kvmclock alike */

	/* memory as the host sees it */
	COCO_CALL_TRANSLATE	= 48,	/* (virtual address) -> GPA of its page, without C-bit/shared bit,
					 * | COCO_GPA_PRIVATE; -EFAULT */
	COCO_CALL_PAGE_STATE	= 49,	/* (gpa) -> COCO_PAGE_* flags; -EINVAL: not RAM */
	COCO_CALL_PAGE_SET	= 50,	/* (gpa, COCO_PAGE_* flags) behind the guest's back -> 0 */
	COCO_CALL_HOST_READ	= 51,	/* (gpa, address, length <= 4096): the bytes that a host or a device would read */
	COCO_CALL_HOST_WRITE	= 52,	/* (gpa, address, length <= 4096): the same, writing; -EPERM where the technology stops it */
	COCO_CALL_WATCH		= 53,	/* (virtual address, length, 0: no more): from now on each event that changes
					 * the state of a page of this range has COCO_WATCH* in its mask; whole
					 * pages, one behind the other in the GPA space too -> 0; -EINVAL, -EFAULT */
	COCO_CALL_PAGE_FIND	= 54,	/* (gpa, mask, flags) -> from there on the first page of RAM whose state
					 * has just these flags of the mask; -ENOENT: none */
	COCO_CALL_PAGE_USED	= 55,	/* (gpa) -> 1: the guest has read or written it since its state was set; 0;
					 * -EINVAL: not RAM */
};

#define COCO_ANY		(~0ull)
#define COCO_GPA_PRIVATE	1ull		/* in the low bits of COCO_CALL_TRANSLATE's result */

/* COCO_CALL_PUT: every line reaches the host's stream file as "<channel>|<line>" */
#define COCO_CHAN_KLOG		'k'	/* the guest kernel's log */
#define COCO_CHAN_TEST		't'	/* KTAP lines of user-space tests */
#define COCO_CHAN_INIT		'i'	/* init: ready, begin SUITE, end SUITE rc=N, done */
/* 'm' is the machine's own and refused (-EPERM) to guests */

/* COCO_CALL_PAGE_STATE, COCO_CALL_PAGE_SET */
#define COCO_PAGE_PRIVATE	1u	/* RMP assigned / TDX private / SEV: present in the private view */
#define COCO_PAGE_VALIDATED	2u	/* RMP validated / TDX accepted */
#define COCO_PAGE_2M		4u	/* RMP or SEPT entry covers 2M */
#define COCO_PAGE_BLOCKED	8u	/* present in no view at all: a host that took the page away */
#define COCO_PAGE_VMSA		16u	/* RMP: a VMSA, by RMPADJUST; not for COCO_CALL_PAGE_SET */
#define COCO_PAGE_VMPL0		32u	/* RMP: of the SVSM alone; not for COCO_CALL_PAGE_SET */
#define COCO_PAGE_IN_USE	64u	/* RMP: the VMSA of a vCPU in guest mode; not for COCO_CALL_PAGE_SET */

/* ---- events ---- */
enum coco_event_kind {
	COCO_EV_VC	= 1,	/* #VC raised; code: SVM exit code, info1/2: EXITINFO1/2 */
	COCO_EV_VE	= 2,	/* #VE raised; code: VMX exit reason, info1: qualification, info2: GPA */
	COCO_EV_GHCB	= 3,	/* VMGEXIT, GHCB page; code: SW_EXITCODE, info1/2: SW_EXITINFO1/2, mask: COCO_GHCB_* valid */
	COCO_EV_MSRPROTO = 4,	/* VMGEXIT, GHCB MSR protocol; code: request (low 12 bits), info1: whole MSR, ret: response */
	COCO_EV_TDVMCALL = 5,	/* code: R11 (GHCI leaf), info1/2: R12/R13, mask: RCX, ret: R10 */
	COCO_EV_TDCALL	= 6,	/* code: leaf, info1/2: RCX/RDX, ret: RAX */
	COCO_EV_PVALIDATE = 7,	/* code: GPA, info1: RCX page size | RDX validate << 8, ret: EAX | CF << 32 */
	COCO_EV_PSC	= 8,	/* one page state change entry; code: GPA, info1: op | 2M << 8, ret: error */
	COCO_EV_INJECT	= 9,	/* a scripted injection happened; code: vector, info1: error or exit code */
	COCO_EV_BREACH	= 10,	/* code: enum coco_breach, info1/2: detail */
	COCO_EV_NPF	= 11,	/* access in the wrong state; code: GPA, info1: error code, info2: page flags */
	COCO_EV_SVSM	= 12,	/* call to the SVSM; code: RAX (protocol << 32 | call), info1/2: RCX/RDX, ret: RAX */
	COCO_EV_KINDS
};

struct coco_event {
	coco_u64 seq;
	coco_u16 kind;
	coco_u8 cpu;
	coco_u8 cpl;
	coco_u32 flags;		/* COCO_EVF_* */
	coco_u64 code;
	coco_u64 info1;
	coco_u64 info2;
	coco_u64 mask;
	coco_u64 rip;
	coco_u64 ret;
};

#define COCO_EVF_SCRIPTED	1u	/* a rule answered, not the model */
#define COCO_EVF_DIRTY		2u	/* TDVMCALL: R15 holds more than the bytes of an MMIO write */

/* How a watched page was mapped when its state was changed (coco_event.mask of PVALIDATE, PSC, TDCALL 6) */
#define COCO_WATCHED		1u
#define COCO_WATCH_MAPPED	2u
#define COCO_WATCH_PRIVATE	4u

/* GHCB save-area fields, compact form of the valid bitmap (coco_event.mask) */
#define COCO_GHCB_CPL		(1u << 0)
#define COCO_GHCB_DR7		(1u << 1)
#define COCO_GHCB_RAX		(1u << 2)
#define COCO_GHCB_RCX		(1u << 3)
#define COCO_GHCB_RDX		(1u << 4)
#define COCO_GHCB_RBX		(1u << 5)
#define COCO_GHCB_RSI		(1u << 6)
#define COCO_GHCB_EXITCODE	(1u << 7)
#define COCO_GHCB_EXITINFO1	(1u << 8)
#define COCO_GHCB_EXITINFO2	(1u << 9)
#define COCO_GHCB_SCRATCH	(1u << 10)
#define COCO_GHCB_XCR0		(1u << 11)
#define COCO_GHCB_XSS		(1u << 12)
#define COCO_GHCB_R8_R15	(1u << 13)	/* any of R8..R15 */
#define COCO_GHCB_OTHER		(1u << 14)	/* any other word */

/* ---- rules: a script for the host ---- */
enum coco_action {
	COCO_REPLY	= 1,	/* GHCB: reply[0..5] = SW_EXITINFO1, SW_EXITINFO2, RAX, RBX, RCX, RDX
				 * MSRPROTO: reply[0] = whole MSR
				 * TDVMCALL: reply[0..5] = R10, R11, R12, R13, R14, R15
				 * TDCALL: reply[0..5] = RAX, RCX, RDX, R8, R9, R10
				 * PVALIDATE: reply[0] = EAX | CF << 32
				 * PSC: reply[0] = error
				 * SVSM: reply[0..4] = RAX, RCX, RDX, R8, R9
				 * only the words in reply_mask; the model does not act */
	COCO_PATCH	= 2,	/* the model acts, then the words in reply_mask are replaced */
	COCO_CODE	= 3,	/* VC, VE: deliver reply[0] as exit code / reason instead */
	COCO_SILENT	= 4,	/* GHCB: return without touching the GHCB at all */
	COCO_WRITE	= 5,	/* GHCB, TDVMCALL: the model acts, then the host changes shared memory of the
				 * guest's: the reply[2] bytes (1 to 8, or words of 8 up to a page) at
				 * reply[1] behind the address in info1 (reply[0] = 1), info2 (2) or, GHCB
				 * only, RAX (3) become old & reply[3] ^ reply[4]; reply_mask is 0 */
};

struct coco_rule {
	coco_u16 kind;		/* enum coco_event_kind; VC, VE, GHCB, MSRPROTO, TDVMCALL, TDCALL, PVALIDATE, PSC, SVSM */
	coco_u16 action;	/* enum coco_action */
	coco_u32 skip;		/* let that many matches pass first */
	coco_u32 count;		/* then apply so often; 0: until deleted */
	coco_u32 reply_mask;	/* bit i: reply[i] counts */
	coco_u64 code;		/* matches this code, or COCO_ANY */
	coco_u64 info1;		/* (event's info1 & info1_mask) == info1 */
	coco_u64 info1_mask;
	coco_u64 reply[6];
};

/* ---- injections ---- */
enum coco_inject_type {
	COCO_INJECT_INTR	= 1,	/* external interrupt, vector; obeys IF and what the technology lets a host do */
	COCO_INJECT_NMI		= 2,	/* held while NMIs are blocked (SEV-ES: until NMI complete; TDX: until VEINFO.GET) */
	COCO_INJECT_VC		= 3,	/* #VC with error_code as exit code, on the next instruction at rip or at once */
	COCO_INJECT_VE		= 4,	/* synthetic: no real TDX module does it */
	COCO_INJECT_EXCEPTION	= 5,	/* any other exception, as a hypervisor's EVENTINJ may */
};

struct coco_inject {
	coco_u32 type;
	coco_u32 vector;
	coco_u64 error_code;
	coco_u64 rip;		/* 0: as soon as the guest runs again */
	coco_u32 cpu;
	coco_u32 flags;		/* none so far: 0 */
	coco_u64 delay;		/* exits to wait first */
};

/* ---- how a run can end; "m|end <word> ..." on the stream ---- */
enum coco_end {
	COCO_END_EXIT		= 1,	/* exit: the guest asked (COCO_CALL_EXIT) */
	COCO_END_POWEROFF	= 2,	/* poweroff: through ACPI */
	COCO_END_RESET		= 3,	/* reset: keyboard controller, port 0xcf9 */
	COCO_END_TERMINATE	= 4,	/* terminate: GHCB MSR 0x100; value: reason | set << 8 */
	COCO_END_FATAL		= 5,	/* fatal: TDG.VP.VMCALL<ReportFatalError>; value: R12 */
	COCO_END_SHUTDOWN	= 6,	/* shutdown: triple fault */
	COCO_END_UNMODELLED	= 7,	/* unmodelled: the machine does not know this */
	COCO_END_INTERNAL	= 8,	/* internal: a bug of the machine */
	COCO_END_HALT		= 9,	/* halt: the last vCPU waits for nothing that could come (option halt_ends) */
};

/* ---- what the machine holds against a guest ---- */
enum coco_breach {
	COCO_BREACH_FIELD	= 1,	/* a required GHCB field is not valid */
	COCO_BREACH_RESERVED	= 2,	/* reserved bits or inputs are not zero */
	COCO_BREACH_SCRATCH	= 3,	/* scratch area outside the shared buffer or page */
	COCO_BREACH_VERSION	= 4,	/* protocol version not negotiated, or call of another version */
	COCO_BREACH_GHCB_PRIVATE = 5,	/* the GHCB is not a shared, registered page */
	COCO_BREACH_REGMASK	= 6,	/* TDVMCALL exposes or lacks registers that the leaf defines */
	COCO_BREACH_PAGE	= 7,	/* access to, or page state change of, a page in the wrong state */
	COCO_BREACH_SECRET	= 8,	/* bytes marked secret became readable by the host */
	COCO_BREACH_ORDER	= 9,	/* a call out of the order that the specification demands */
	COCO_BREACH_IV		= 10,	/* one key and IV for two messages */
	COCO_BREACH_KINDS
};

/* ---- the VMPCKs of the secrets page (SEV-SNP): the same in every run, no two alike, none zero ---- */
#define COCO_VMPCK_BYTE(key, i)	((coco_u8)(((key) + 1) << 5 | (i)))

#endif /* COCO_ABI_H */
