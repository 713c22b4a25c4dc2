/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who looks at page states after the first kernel and before the second: a few
 * instructions that kexec starts in the place of a kernel.
 */
#ifndef COCO_KEXEC_AUDIT_H
#define COCO_KEXEC_AUDIT_H

#include "load.h"

#define MIB		(1024 * 1024ull)
#define AUDITOR_GPA	(64 * MIB)
#define MAX_RANGES	32

struct range {
	uint64_t start, end;		/* both 0 behind the last one */
};

/*
 * void auditor(void): looks at all pages of the table's ranges for one that is not private,
 * or is not validated.  The run's exit code is 0 if there is none, the first one's address, or
 * the error of an auditor that cannot look.
 */
asm(
	".pushsection .rodata\n"
	".globl auditor, auditor_table, auditor_end\n"
	".balign 16\n"
	"auditor:\n\t"
	"lea	auditor_table(%rip), %rbx\n"
	"1:\n\t"
	"mov	8(%rbx), %r13\n\t"
	"xor	%r12d, %r12d\n\t"		/* COCO_PAGE flags: 0, then COCO_PAGE_PRIVATE */
	"test	%r13, %r13\n\t"
	"jz		4f\n"
	"2:\n\t"
	"mov	(%rbx), %rdi\n\t"
	"mov	$3, %esi\n\t"			/* COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED */
	"mov	%r12, %rdx\n\t"
	"movabs	$0xc0c0ca1100000036, %rax\n\t"	/* COCO_CALL(COCO_CALL_PAGE_FIND) */
	"vmmcall\n\t"
	"mov	%rax, %rdi\n\t"
	"cmp	$-2, %rax\n\t"			/* -ENOENT */
	"je		3f\n\t"
	"test	%rax, %rax\n\t"
	"js		5f\n\t"
	"cmp	%r13, %rax\n\t"
	"jb		5f\n"
	"3:\n\t"
	"inc	%r12\n\t"
	"cmp	$2, %r12\n\t"
	"jb		2b\n\t"
	"add	$16, %rbx\n\t"
	"jmp	1b\n"
	"4:\n\t"
	"xor	%edi, %edi\n"
	"5:\n\t"
	"movabs	$0xc0c0ca1100000004, %rax\n\t"	/* COCO_CALL(COCO_CALL_EXIT) */
	"vmmcall\n\t"
	".balign 16\n"
	"auditor_table:\n"
	"auditor_end:\n\t"
	".popsection");
extern const unsigned char auditor[], auditor_end[];

/* What the kernel has as RAM; the number of ranges */
static __maybe_unused int system_ram(struct range *ranges)
{
	FILE *file = fopen("/proc/iomem", "r");
	unsigned long long start, end;
	char line[256];
	int n = 0;

	while (file && fgets(line, sizeof(line), file) && n < MAX_RANGES - 1)
		if (sscanf(line, "%llx-%llx : System RAM", &start, &end) == 2 &&
		    line[0] != ' ' && strstr(line, " : System RAM"))
			ranges[n++] = (struct range){ start, end + 1 };
	if (file)
		fclose(file);
	ranges[n] = (struct range){ 0 };
	return n;
}

static int load_auditor(uint64_t gpa, const struct range *ranges, int n)
{
	static unsigned char image[4096];
	size_t code = auditor_end - auditor;
	struct kexec_segment segment = {
		.buf = image, .bufsz = sizeof(image),
		.mem = (void *)gpa, .memsz = sizeof(image),
	};

	memcpy(image, auditor, code);
	memcpy(image + code, ranges, (n + 1) * sizeof(*ranges));
	return syscall(SYS_kexec_load, gpa, 1ul, &segment, KEXEC_ARCH_DEFAULT) ? -errno : 0;
}

static __maybe_unused void start_auditor(struct __test_metadata *_metadata)
{
	struct range ranges[MAX_RANGES];
	int n = system_ram(ranges);

	ASSERT_GT(n, 0);
	ASSERT_EQ(0, load_auditor(AUDITOR_GPA, ranges, n));
	EXPECT_EQ(0, second_start(0));
}

#endif /* COCO_KEXEC_AUDIT_H */
