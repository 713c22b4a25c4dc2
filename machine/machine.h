/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The software machine: what its parts know of each other.
 *
 * The machine runs on QEMU's emulated CPU in 64-bit mode, one physical CPU a
 * vCPU, and runs the kernel under test as an SVM guest with nested paging.  It
 * plays the confidential processor, its firmware and the hypervisor.
 *
 *	physical memory		what lies there
 *	0 .. ram		guest RAM as the *shared* view, GPA = address: QEMU's
 *				devices read and write here, and nowhere else
 *	MACHINE_BASE		the machine, then the multiboot modules
 *	PRIVATE_BASE + gpa	guest RAM as the *private* view
 *	HIGH_BASE .. + high	guest RAM above 4 GiB, the shared view
 *	HIGH_BASE + high ..	... the private view, then what the machine keeps of each page
 *
 * One lock: everything between an exit and the next VMRUN runs under it,
 * except waiting (HLT, parked APs).
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "types.h"
#include "vmcb.h"
#include "include/coco_abi.h"

#define MACHINE_BASE	0x40000000ull		/* also link.lds; guest RAM ends here at most */
#define PRIVATE_BASE	0x48000000ull
#define HIGH_BASE	0x100000000ull
#define HIGH_MAX	0x100000000ull		/* bytes; load.c maps them */
#define MAX_VCPUS	8

/* General purpose registers in instruction encoding order */
enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

enum view { SHARED, PRIVATE };

enum { X86_DB = 1, X86_NMI = 2, X86_UD = 6, X86_DF = 8, X86_GP = 13, X86_PF = 14, X86_VE = 20, X86_VC = 29 };

struct vcpu {
	struct vmcb vmcb __page_aligned;
	u8 hsave[4096] __page_aligned;
	u64 regs[16];			/* RAX and RSP live in vmcb.save: use reg()/set_reg() */
	u32 index;
	u32 apic_id;
	bool online;			/* has run guest code */
	bool running;			/* else parked: waits for SIPI or AP creation */
	bool fresh;			/* has yet to run in the state that it was started in */
	volatile bool asleep;		/* in the machine, in HLT */
	bool interruptible;		/* ... that an interrupt ends */
	u32 inits;			/* INITs taken: what was under way before one is void */
	volatile bool in_guest;		/* between VMRUN and #VMEXIT */
	volatile bool kicked;		/* an NMI of ours is on its way */
	bool wake;			/* ... and not only for the TLB: HLT ends */
	bool nmi_pending;		/* a guest NMI waits */
	bool nmi_blocked;		/* ... because the last one has not completed */
	bool nmi_stepping;		/* ... but its IRET is about to */
	bool paging_off;		/* guest's CR0.PG is 0 (see paging.c) */
	bool bare_cr3;			/* guest's CR3 has no C-bit (there, too) */
	u64 guest_cr0, guest_cr3, guest_cr4, guest_efer;	/* ... then as the guest believes them */
	u64 apic_base;
	int pending_vector;		/* an interrupt taken while halted, -1: none */
	u64 moved_ns;			/* time was moved on, which its timer has yet to hear of */
	void *technology;		/* the technology's own state, if it needs more */
};

/* A technology: what the personality adds to a plain machine */
struct boot;

struct technology {
	const char *name;		/* none, sev, sev-es, sev-snp, tdx */
	enum coco_personality id;
	int default_cbit;
	bool two_views;			/* the address bit selects the view */
	bool bit_is_private;		/* C-bit set: private (AMD); shared bit set: shared (TDX) */
	u16 cr_writes;			/* control registers whose writes exit() judges, with paging off, too */

	/* Once, before the guest is loaded; page states are all "private, validated" then */
	void (*setup)(void);
	/* Once the kernel, initrd and boot_params are in guest memory: add what the firmware leaves */
	void (*boot_data)(struct boot *boot);
	/* Instead, for a guest with firmware of its own (flash.c): what a launch adds and sets for it */
	void (*launch)(struct vcpu *bsp);
	/* Each vCPU: intercepts, MSR permissions, reset state */
	void (*vcpu_setup)(struct vcpu *v);
	/* First look at every exit; true: done.  False: the plain handler goes on */
	bool (*exit)(struct vcpu *v);
	/* Nested page fault on RAM or MMIO that the plain machine does not map; true: done */
	bool (*npf)(struct vcpu *v, u64 gpa, enum view view, u64 error);
	/* Last word on a CPUID leaf, after cpuid.c's common part */
	void (*cpuid)(struct vcpu *v, u32 leaf, u32 subleaf, u32 out[4]);
};

extern const struct technology technology_none, technology_sev, technology_sev_es, technology_sev_snp,
				technology_tdx;

/* ---- main.c: the run's parameters, from the machine's command line ---- */
struct config {
	const struct technology *tech;
	u64 ram;		/* bytes of guest RAM from 0 on */
	u64 high;		/* ... and from HIGH_BASE on */
	u32 vcpus;
	int cbit;		/* position of the C-bit or shared bit */
	u64 cmask;		/* its mask; 0: none */
	int told_cbit;		/* the position that CPUID and the GHCB MSR tell; the same, but for a host that lies */
	u64 told_mask;		/* ... and then this bit of a GPA does not matter; 0: no host that lies */
	bool trace;		/* every exit to the log port */
	bool entry32;		/* enter the kernel at its 32-bit entry */
	bool snapshot;		/* COCO_CALL_SNAPSHOT stops QEMU */
	bool halt_ends;		/* HLT with interrupts off of the last vCPU that runs ends the run */
	bool flash;		/* module 0 is firmware, which starts at its reset vector (flash.c) */
	bool payload;		/* module 0 is a flat test payload, not a bzImage */
	const char *options;	/* the whole line; option() looks things up */
};

extern struct config config;

/* Value of "name=" in the machine's command line, copied up to the next blank; false: absent */
bool option(const char *name, char *value, size_t size);
bool option_nth(const char *name, u32 nth, char *value, size_t size);	/* nth from 0 of a word given again */
bool option_flag(const char *name);
u64 option_number(const char *name, u64 otherwise);

/* ---- lib.c ---- */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
u64 strtou64(const char *s, const char **end);	/* decimal or 0x */
/* %s %c %d %u %x %lx %lu %llx %llu %p with width and zero padding */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

/* ---- stream.c: what leaves the machine ---- */
#define STREAM_PORT	0x402	/* isa-debugcon: records "<channel>|<text>\n" */
#define LOG_PORT	0xe9	/* isa-debugcon: the machine's own trace */
void stream_put(char channel, const char *text, size_t len);	/* splits at newlines, keeps partial lines */
void stream_line(char channel, const char *fmt, ...) __printf(2, 3);
void trace(const char *fmt, ...) __printf(1, 2);		/* only with "trace" */
/* "m|end <word> <text>", power off.  If the test expects this end: "m|expected <word> ..." first */
void end_run(struct vcpu *v, enum coco_end why, u64 value, const char *fmt, ...) __noreturn __printf(4, 5);
/* An exit, MSR, leaf ... that the machine does not model ends the run and names it */
#define unmodelled(v, ...)	end_run(v, COCO_END_UNMODELLED, 0, __VA_ARGS__)
#define internal_error(...)	end_run(NULL, COCO_END_INTERNAL, 0, __VA_ARGS__)

/* ---- fwcfg.c ---- */
int fwcfg_read(const char *name, void *buf, size_t size, u64 offset);	/* bytes, or -ENOENT */

/* ---- mem.c: guest RAM, the two views, nested page tables ---- */
void mem_init(u32 firmware_tables_start, u32 firmware_tables_end);
bool is_ram(u64 gpa);				/* without C-bit */
u64 next_ram(u64 gpa);				/* from there on the first page in one of the two ranges; RAM_END: none */
u64 ram_page(u64 gpa);				/* its number among those of both ranges */
void *ram_array(u32 size);			/* of so many bytes for each of them, zeroed, never freed */
#define RAM_END		(~0ull)
/* Where a byte of guest RAM is kept in a view; valid to the end of its page; NULL: not RAM */
void *ram_ptr(u64 gpa, enum view view);
/* Map or unmap one RAM page in one view's nested tables; callers flush */
void npt_set(u64 gpa, enum view view, bool present, bool writable);
/* Root of the nested tables; paging off: everything is private, whatever the address */
u64 npt_root(bool paging_off);
/* The bytes that appear when a page's other key is used: an involution, keyed, by address */
void scramble_page(void *dst, const void *src, u64 gpa);
enum view view_of(u64 address);			/* by the C-bit or shared bit */
static inline u64 strip(u64 address) { return address & ~(config.cmask | config.told_mask); }

/* ---- page.c: the page state, for RMP and SEPT alike ---- */
u8 page_flags(u64 gpa);				/* COCO_PAGE_* */
void page_init(u8 flags);			/* all of RAM */
void page_set(u64 gpa, u8 flags);		/* and the views with it; no contents change */
/* Conversions as a host makes them; the old contents are not kept readable; flush included */
void page_make_shared(u64 gpa);
void page_make_private(u64 gpa);		/* assigned, not validated or accepted */

/* ---- gpt.c: guest memory through the guest's own page tables ---- */
struct mapping {
	u64 gpa;		/* without C-bit */
	enum view view;
	bool write, user, exec;
	u32 level;		/* 1: 4K, 2: 2M, 3: 1G */
};

/* 0 or -EFAULT; permissions are in the mapping, for the caller to judge */
int guest_translate(struct vcpu *v, u64 va, struct mapping *m);
int guest_read(struct vcpu *v, u64 va, void *buf, size_t len);
int guest_write(struct vcpu *v, u64 va, const void *buf, size_t len);
int guest_fetch(struct vcpu *v, u64 va, void *buf, size_t len);	/* instructions: private, if it has a C-bit */
int guest_read_gpa(u64 gpa, enum view view, void *buf, size_t len);	/* -EFAULT: not RAM */
int guest_write_gpa(u64 gpa, enum view view, const void *buf, size_t len);

/* ---- exception.c ---- */
/* Deliver as the CPU does: IDT, IST or TSS stack, error code; falls back to #DF, then shutdown */
void raise_exception(struct vcpu *v, u8 vector, bool has_error, u64 error);
void raise_pf(struct vcpu *v, u64 va, u64 error);
void raise_nmi(struct vcpu *v);			/* now, or once it is unblocked */
bool vcpu_undisturbed(const struct vcpu *v);	/* nothing is to happen before the next instruction */
static inline void raise_gp(struct vcpu *v) { raise_exception(v, X86_GP, true, 0); }

/* ---- insn.c: just enough decoding ---- */
/* Length of the instruction at RIP, given its opcode (INSN_*, after prefixes), or 0 if it is another one */
u32 insn_length(struct vcpu *v, const char *opcode);
u8 insn_first_byte(struct vcpu *v);		/* a prefix, maybe; 0: it cannot be read */
void insn_skip(struct vcpu *v, const char *opcode);	/* unmodelled if it does not match */
void insn_done(struct vcpu *v, u32 length);	/* goes on behind it, or at the trap of a single step */
bool insn_is_stepped(const struct vcpu *v);
#define INSN_HLT	"\xf4"
#define INSN_CPUID	"\x0f\xa2"
#define INSN_RDMSR	"\x0f\x32"
#define INSN_WRMSR	"\x0f\x30"
#define INSN_INVD	"\x0f\x08"
#define INSN_WBINVD	"\x0f\x09"
#define INSN_MONITOR	"\x0f\x01\xc8"
#define INSN_MWAIT	"\x0f\x01\xc9"
#define INSN_VMMCALL	"\x0f\x01\xd9"
#define INSN_RDTSCP	"\x0f\x01\xf9"
#define INSN_RMPADJUST	"\x0f\x01\xfe"
#define INSN_PVALIDATE	"\x0f\x01\xff"
/* A store to memory of a register or immediate (the APIC page): value, size; false: another form */
bool insn_decode_store(struct vcpu *v, u64 *value, u32 *size, u32 *length);
/* MOV to/from a control or debug register */
bool insn_decode_mov_cr(struct vcpu *v, u32 *cr, enum reg *gpr, bool *write, u32 *length);

/* ---- vcpu.c, smp.c ---- */
extern struct vcpu vcpus[MAX_VCPUS];
u64 reg(const struct vcpu *v, enum reg r);
void set_reg(struct vcpu *v, enum reg r, u64 value);
u64 edx_eax(const struct vcpu *v);		/* as WRMSR takes it, and RDMSR leaves it */
void set_edx_eax(struct vcpu *v, u64 value);
static inline u32 guest_cpl(const struct vcpu *v) { return v->vmcb.save.cpl; }
static inline bool guest_long_mode(const struct vcpu *v) { return v->vmcb.save.efer & BIT_ULL(10); }
static inline bool guest_code64(const struct vcpu *v)
{
	return guest_long_mode(v) && v->vmcb.save.cs.attrib & BIT(9);
}
void vcpu_run_forever(struct vcpu *v) __noreturn;
struct vcpu *vcpu_by_apic_id(u32 apic_id);	/* NULL: none */
/* Let a parked vCPU run from this save area (a VMSA's first part) and these registers; -EBUSY, -EINVAL */
int vcpu_start(u32 apic_id, const struct vmcb_save *state, const u64 regs[16]);
int vcpu_start_sipi(u32 apic_id, u8 vector);
/* Every other vCPU drops its translations before this returns, and none runs until the lock is free */
void vcpus_flush(struct vcpu *self);
/* All have their timers hear that time was moved on */
void vcpus_time_moved(struct vcpu *self);
void msr_permit(u32 msr, bool read, bool write);	/* guest accesses go straight to the CPU */
void io_permit(u16 port, bool direct);

/* ---- exit.c: the plain machine's handlers ---- */
void handle_exit(struct vcpu *v);

/* ---- io.c: devices on behalf of the guest ---- */
u32 pio_read(struct vcpu *v, u16 port, u32 size);		/* size 1, 2, 4 */
void pio_write(struct vcpu *v, u16 port, u32 size, u32 value);	/* power-off and reset end the run */
u64 mmio_read(struct vcpu *v, u64 gpa, u32 size);
void mmio_write(struct vcpu *v, u64 gpa, u32 size, u64 value);

/* ---- cpuid.c, msr.c, kvm_pv.c ---- */
void cpuid_guest(struct vcpu *v, u32 leaf, u32 subleaf, u32 out[4]);
bool msr_read(struct vcpu *v, u32 msr, u64 *value);		/* false: #GP */
bool msr_write(struct vcpu *v, u32 msr, u64 value);
void msr_setup(struct vcpu *v);
void kvm_pv_cpuid(struct vcpu *v, u32 leaf, u32 out[4]);	/* 0x40000000, 0x40000001 */
bool kvm_pv_has_msr(u32 msr);	/* is KVM's, offered or not */
bool kvm_pv_msr_read(struct vcpu *v, u32 msr, u64 *value);
bool kvm_pv_msr_write(struct vcpu *v, u32 msr, u64 value);
/* A KVM hypercall, by code of this CPL; arguments as the technology exposes them; returns RAX */
s64 kvm_pv_hypercall(struct vcpu *v, u32 cpl, u64 nr, const u64 args[4]);
void kvm_pv_time_warped(u64 ns);

/* ---- event.c, rule.c, call.c: what tests see and script ---- */
struct coco_event *event_add(struct vcpu *v, enum coco_event_kind kind, u64 code, u64 info1, u64 info2);
u64 event_count(enum coco_event_kind kind, u64 code);
/* The rule for this event, if any: counted, and marked in the event */
const struct coco_rule *rule_match(struct coco_event *event);
/* Put what the rule says over these words, as many as its kind has: a mask of those that changed */
u32 rule_patch(const struct coco_rule *rule, u64 *words);
#define RULE_ADDRESSES	3
/* COCO_WRITE, once the model has acted; the event's info1 and info2, and RAX of a GHCB */
void rule_write(const struct coco_rule *rule, const u64 addresses[RULE_ADDRESSES]);
void rules_from_options(void);			/* rule_option.c */
void breach(struct vcpu *v, enum coco_breach what, u64 detail, const char *fmt, ...) __printf(4, 5);
bool machine_call(struct vcpu *v);		/* at VMMCALL: true if it was one */
void inject_due(struct vcpu *v);		/* before each VMRUN */
bool inject_waits(const struct vcpu *v);	/* something is to be injected, now or later */
bool inject_breakpoint(struct vcpu *v);		/* at each #DB exit, first: true if it was dealt with */
bool end_expected(enum coco_end why, u64 value);
void event_totals(void);			/* the "m|count ..." lines; end_run calls it before "m|end" */
void time_warp(u64 ns);				/* all vCPUs' TSC offsets, kvmclock */
u64 tsc_hz(void);
u64 guest_tsc(struct vcpu *v);
/* By how much tests have put all vCPUs' time forward */
u64 tsc_warped(void);

/* ---- load.c, acpi.c: the guest at its first instruction ---- */
struct boot {
	u8 *params;		/* boot_params, in the private view */
	u64 params_gpa;
	u64 kernel_gpa, kernel_size;
	u64 kernel_room;	/* what it may use before it looks at the memory map */
	u64 initrd_gpa, initrd_size;
	u64 setup_data;		/* GPA of the first setup_data entry, 0: none; push in front */
	u64 low;		/* next free page of the low area that e820 keeps reserved */
	u64 loader_end;		/* the boot loader's GDT, page tables and stack are below */
};

#define PARAM_RSDP	0x070	/* in boot_params */

/* Address range descriptor (ACPI 6.5, table 15.5), and types that the machine uses */
struct e820_entry {
	u64 base, length;
	u32 type;
} __packed;

enum { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4 };

void load_guest(struct vcpu *bsp, const u32 *multiboot);
struct e820_entry *boot_e820(struct boot *boot, u32 *count);
/* Make pages that were of another type this one */
void boot_set_e820(struct boot *boot, u64 base, u32 pages, u32 type);
/* Pages that the firmware keeps (e820: reserved); zeroed, private */
u64 boot_reserve(struct boot *boot, u32 pages);
/* Put a setup_data entry with this payload at the head of the list */
void boot_setup_data(struct boot *boot, u32 type, const void *data, u32 len);
void boot_leftovers(struct boot *boot);		/* leftovers.c */

#endif /* MACHINE_H */
