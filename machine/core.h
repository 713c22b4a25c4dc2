/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Beside machine.h: names of registers and bits, and what the parts of the core
 * know of each other.  Technologies and the control interface include it where
 * they do a part of its work.
 */
#ifndef CORE_H
#define CORE_H

#include "machine.h"

/* ---- multiboot information, as 32-bit words (Multiboot specification 0.6.96, 3.3) ---- */
#define MULTIBOOT_MAGIC		0x2badb002
#define MULTIBOOT_CMDLINE	4
#define MULTIBOOT_MODS_COUNT	5
#define MULTIBOOT_MODS_ADDR	6
#define MULTIBOOT_MMAP_LENGTH	11
#define MULTIBOOT_MMAP_ADDR	12

struct multiboot_module {
	u32 start, end, cmdline, reserved;
};

struct multiboot_mmap {
	u32 size;		/* of what follows */
	u64 base, length;
	u32 type;		/* as e820; 1: RAM */
} __packed;

#define multiboot_for_each_range(m, words)						\
	for ((m) = (void *)(u64)(words)[MULTIBOOT_MMAP_ADDR];				\
	     (u64)(m) < (u64)(words)[MULTIBOOT_MMAP_ADDR] + (words)[MULTIBOOT_MMAP_LENGTH]; \
	     (m) = (void *)((u64)(m) + (m)->size + sizeof((m)->size)))

/* ---- control registers and EFER ---- */
#define CR0_PE		BIT_ULL(0)
#define CR0_MP		BIT_ULL(1)
#define CR0_EM		BIT_ULL(2)
#define CR0_TS		BIT_ULL(3)
#define CR0_ET		BIT_ULL(4)
#define CR0_NE		BIT_ULL(5)
#define CR0_WP		BIT_ULL(16)
#define CR0_NW		BIT_ULL(29)
#define CR0_CD		BIT_ULL(30)
#define CR0_PG		BIT_ULL(31)

#define CR4_PSE		BIT_ULL(4)
#define CR4_PAE		BIT_ULL(5)
#define CR4_MCE		BIT_ULL(6)
#define CR4_OSFXSR	BIT_ULL(9)
#define CR4_OSXMMEXCPT	BIT_ULL(10)
#define CR4_LA57	BIT_ULL(12)
#define CR4_PCIDE	BIT_ULL(17)
#define CR4_SMEP	BIT_ULL(20)
#define CR4_SMAP	BIT_ULL(21)
#define CR4_PKE		BIT_ULL(22)
#define CR4_CET		BIT_ULL(23)
#define CR4_PKS		BIT_ULL(24)

#define MSR_EFER	0xc0000080
#define EFER_SCE	BIT_ULL(0)
#define EFER_LME	BIT_ULL(8)
#define EFER_LMA	BIT_ULL(10)
#define EFER_NXE	BIT_ULL(11)
#define EFER_SVME	BIT_ULL(12)
#define EFER_FFXSR	BIT_ULL(14)

#define DR6_BS		BIT_ULL(14)

#define MSR_TSC			0x10
#define MSR_DEBUGCTL		0x1d9
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MSR_VM_HSAVE_PA	0xc0010117

#define RFLAGS_TF	BIT_ULL(8)
#define RFLAGS_IF	BIT_ULL(9)
#define RFLAGS_DF	BIT_ULL(10)
#define RFLAGS_NT	BIT_ULL(14)
#define RFLAGS_RF	BIT_ULL(16)
#define RFLAGS_VM	BIT_ULL(17)

/* Page table entries */
#define PTE_PRESENT	BIT_ULL(0)
#define PTE_WRITE	BIT_ULL(1)
#define PTE_USER	BIT_ULL(2)
#define PTE_ACCESSED	BIT_ULL(5)
#define PTE_LARGE	BIT_ULL(7)
#define PTE_NX		BIT_ULL(63)
#define PTE_ADDRESS	0x000ffffffffff000ull

/* ---- entry.S ---- */
#define STACK_SIZE	0x4000
#define AP_TRAMPOLINE	0x8000			/* one page, given back once the APs are up */

extern u8 vector_stubs[256][16];
extern u8 ap_trampoline[], ap_trampoline_end[];

/* What came while a CPU was open for events */
struct wakeup {
	s32 vector;		/* external interrupt, acknowledged; -1: none */
	u32 nmi;
};

void vcpu_enter(struct vcpu *v);		/* VMLOAD, VMRUN, VMSAVE */
void cpu_sleep(struct wakeup *w, bool interrupts);	/* HLT with GIF set */
void cpu_open(struct wakeup *w);		/* a moment with GIF set: a pending NMI comes */
void stack_restart(struct vcpu *v, u32 index) __noreturn;	/* vcpu_run_forever() on a fresh stack */

/* ---- main.c ---- */
void cpu_setup(void);

/* ---- link.lds ---- */
extern u8 machine_end[];

/* ---- load.c ---- */
const char *module_words(const struct multiboot_module *m);	/* what follows the file's name */

/* ---- bootfile.c ---- */
void bootfile_init(const u32 *multiboot);

/* ---- mem.c ---- */
#define ROM_START	0xc0000			/* option ROMs and BIOS */
#define ROM_END		0x100000
void mem_reserve_modules(const u32 *multiboot);
u64 mem_high_room(void);			/* bytes that QEMU has to have above 4 GiB */
bool npt_present(u64 gpa, enum view view);
void *npt_ptr(u64 gpa, enum view view);		/* what the guest's accesses reach, to the page's end */
bool npt_accessed(u64 gpa, enum view view);
bool npt_allows(u64 gpa, enum view view, bool write);
u8 *firmware_ptr(u64 gpa);			/* firmware's tables and flash, to the end of the page; NULL: none there */
/* Show these bytes of the machine in both views, at a place where no RAM is */
void firmware_map(u64 start, u64 end, u8 *bytes);
bool npt_show_device(u64 gpa);			/* in the private view, too; false: none is there */
void npt_show_private(u64 gpa);			/* in the shared view, until its state changes */
bool direct_devices(void);			/* the guest reaches devices without the machine */
void apic_map_writable(bool writable);

/*
 * GPA of the page table that the CPU walks while the guest believes that paging
 * is off: below 4G, since CR3 has 32 bits then, where a guest has nothing.
 */
#define PAGING_OFF_TABLE	MACHINE_BASE

/* ---- paging.c: guests with paging off, and the first walk after a CR3 without C-bit ---- */
void paging_load(struct vcpu *v);		/* vmcb.save holds the guest's values: make them runnable */
bool paging_exit(struct vcpu *v);		/* control registers, EFER; true: done */
bool paging_bare_cr3(struct vcpu *v);		/* an access to a CR3 that was mended; true: done */
/* A walk or a fetch without C-bit, of RAM; false: that page is not shown as private just now */
bool paging_private_whatever(struct vcpu *v, u64 gpa, u64 error);

/* ---- vcpu.c, smp.c ---- */
void machine_lock(void);
void machine_unlock(void);
void permissions_init(void);			/* nothing is permitted */
void vcpu_init(struct vcpu *v);			/* controls; once a CPU */
void vcpu_reset_state(struct vcpu *v);		/* APM vol. 2, table 14-1, after INIT */
void vcpu_park(struct vcpu *v);			/* INIT: waits for SIPI or AP creation; v may be another CPU */
void vcpu_kick(struct vcpu *v);			/* out of the guest or awake: there is something for it */
void vcpu_take_nmi(struct vcpu *v);		/* at the exit NMI */
/* Unlocked, until this vCPU has an interrupt (taken into pending_vector) or NMI */
void vcpu_sleep(struct vcpu *v, bool interrupts);
void vcpu_halt(struct vcpu *v, bool interrupts);	/* HLT; without interrupts only an NMI or INIT ends it */
void vcpu_deliver(struct vcpu *v);		/* pending interrupts and NMIs, before VMRUN */
void smp_start(void);
void ap_main(u32 index) __noreturn;
extern u8 msrpm[], msrpm_paging_off[], iopm[];

/* ---- exception.c ---- */
void nmi_iret(struct vcpu *v);			/* exits IRET and #DB while NMIs are blocked */
bool nmi_step(struct vcpu *v);

/* ---- exit.c ---- */
void exit_totals(void);
void plain_exit(struct vcpu *v);		/* as a host without the technology does it */

/* ---- io.c ---- */
void io_setup(void);

/* ---- fwcfg.c: numbers in QEMU's order are big endian ---- */
#define FWCFG_FILE_DIR	0x19

struct fwcfg_file {
	u32 size;		/* big endian */
	u16 select;		/* big endian */
	u16 reserved;
	char name[56];
} __packed;

bool fwcfg_find(const char *name, struct fwcfg_file *file);
/* Part of an item, zeros behind its end.  Only where no guest reaches the device by itself */
void fwcfg_item(u16 key, u64 offset, void *buf, size_t size);

/* ---- flash.c: a guest that starts in firmware of its own (option flash) ---- */
void flash_load(struct vcpu *bsp, const u32 *multiboot);
static inline bool is_flash(u64 gpa)
{
	return config.flash && firmware_ptr(gpa);
}

/* Ports that this guest finds otherwise than QEMU has them */
bool flash_port(u16 port);
u32 flash_pio_read(u16 port, u32 size);
void flash_pio_write(u16 port, u32 size, u32 value);

bool flash_code_runs(const struct vcpu *v);	/* ... and the kernel has not taken over */

/* ---- fwcfg_guest.c: fw_cfg as that firmware sees it ---- */
void fwcfg_guest_setup(const u32 *multiboot);
bool fwcfg_guest_port(u16 port);
u32 fwcfg_guest_read(u16 port, u32 size);
void fwcfg_guest_write(u16 port, u32 size, u32 value);

#endif /* CORE_H */
