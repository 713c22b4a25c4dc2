// SPDX-License-Identifier: GPL-2.0
/*
 * What BearSSL, built for user space, needs around it.  It uses SSE registers,
 * which a payload leaves to it, and the stack protector's canary at %fs:0x28: FS
 * is 0, and that address holds some number.
 */
#include "payload.h"

#define CR0_EM		BIT(2)
#define CR4_OSFXSR	BIT(9)

void __noreturn __stack_chk_fail(void);
void *__memcpy_chk(void *dst, const void *src, size_t n, size_t room);
void *__memmove_chk(void *dst, const void *src, size_t n, size_t room);
void *__memset_chk(void *dst, int c, size_t n, size_t room);

void crypt_init(void)
{
	asm volatile("mov %0, %%cr0" : : "r"(read_cr0() & ~(u64)CR0_EM));
	asm volatile("mov %0, %%cr4" : : "r"(read_cr4() | CR4_OSFXSR));
}

void __stack_chk_fail(void)
{
	check("stack_is_whole", false);
	finish();
	for (;;)
		;
}

void *memmove(void *dst, const void *src, size_t n)
{
	const u8 *from = src;
	u8 *to = dst;

	if (to <= from)
		return memcpy(dst, src, n);
	while (n--)
		to[n] = from[n];
	return dst;
}

void *__memcpy_chk(void *dst, const void *src, size_t n, size_t room)
{
	(void)room;
	return memcpy(dst, src, n);
}

void *__memmove_chk(void *dst, const void *src, size_t n, size_t room)
{
	(void)room;
	return memmove(dst, src, n);
}

void *__memset_chk(void *dst, int c, size_t n, size_t room)
{
	(void)room;
	return memset(dst, c, n);
}
