// SPDX-License-Identifier: GPL-2.0
/*
 * What a library built for user space needs around it.
 *
 * SSE registers hold the guest's values while the machine runs: they are put
 * aside.  The stack protector reads its canary at %fs:0x28; FS is the guest's,
 * and VMLOAD brings it back from the VMCB, so its base may change here.  All of
 * this runs under the machine's lock, hence one save area.
 */
#include "crypt.h"
#include "machine.h"

#define FS_BASE		0xc0000100
#define CANARY_WORD	5		/* %fs:0x28, x86-64 psABI of Linux */

static u8 fxsave_area[512] __attribute__((aligned(16)));
static u64 thread_block[8] = { [CANARY_WORD] = 0x595e9fbd94fda700 };

void crypt_begin(void)
{
	asm volatile("fxsave64 %0" : "=m"(fxsave_area));
	wrmsr(FS_BASE, (uintptr_t)thread_block);
}

void crypt_end(void)
{
	asm volatile("fxrstor64 %0" : : "m"(fxsave_area));
}

/* ---- what a compiler with -D_FORTIFY_SOURCE and -fstack-protector calls ---- */

void __noreturn __stack_chk_fail(void);
void *__memcpy_chk(void *dst, const void *src, size_t n, size_t room);
void *__memmove_chk(void *dst, const void *src, size_t n, size_t room);
void *__memset_chk(void *dst, int c, size_t n, size_t room);

void __stack_chk_fail(void)
{
	internal_error("the stack of a cryptographic function is overwritten");
}

static void check_room(size_t n, size_t room)
{
	if (n > room)
		internal_error("a cryptographic function writes %lu bytes into %lu", n, room);
}

void *__memcpy_chk(void *dst, const void *src, size_t n, size_t room)
{
	check_room(n, room);
	return memcpy(dst, src, n);
}

void *__memmove_chk(void *dst, const void *src, size_t n, size_t room)
{
	check_room(n, room);
	return memmove(dst, src, n);
}

void *__memset_chk(void *dst, int c, size_t n, size_t room)
{
	check_room(n, room);
	return memset(dst, c, n);
}
