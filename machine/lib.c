// SPDX-License-Identifier: GPL-2.0
/* The little of a C library that the machine uses. */
#include "machine.h"

/* TCG takes the same time for each step of a string instruction, whatever its size */

void *memcpy(void *dst, const void *src, size_t n)
{
	size_t words = n / 8, bytes = n % 8;
	void *d = dst;

	asm volatile("rep movsq" : "+D"(d), "+S"(src), "+c"(words) : : "memory");
	asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(bytes) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *d = dst;
	const u8 *s = src;

	if (d <= s || d >= s + n)
		return memcpy(dst, src, n);
	while (n--)
		d[n] = s[n];
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u64 word = 0x0101010101010101ull * (u8)c;
	size_t words = n / 8, bytes = n % 8;
	void *d = dst;

	asm volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(word) : "memory");
	asm volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(word) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; n--)
		a++, b++;
	return n ? (u8)*a - (u8)*b : 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

u64 strtou64(const char *s, const char **end)
{
	int base = 10;
	u64 v = 0;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
	}
	for (; digit(*s) < base; s++)
		v = v * base + digit(*s);
	if (end)
		*end = s;
	return v;
}

struct out {
	char *buf;
	size_t size, len;	/* len counts what did not fit, too */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_padded(struct out *o, const char *s, size_t len, int width, bool left, char pad)
{
	int fill = width > (int)len ? width - (int)len : 0;

	for (; !left && fill; fill--)
		put(o, pad);
	while (len--)
		put(o, *s++);
	for (; fill; fill--)
		put(o, ' ');
}

static void put_number(struct out *o, u64 v, u32 base, bool negative, int width, bool left, char pad)
{
	char digits[24];
	size_t n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (negative && pad == '0')
		put(o, '-'), width--;
	else if (negative)
		digits[--n] = '-';
	put_padded(o, digits + n, sizeof(digits) - n, width, left, pad);
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { buf, size, 0 };

	for (; *fmt; fmt++) {
		bool left = false, wide = false;
		char pad = ' ', c;
		const char *s;
		int width = 0, precision = -1;
		size_t len;
		s64 sv;

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		for (fmt++; *fmt == '-' || *fmt == '0'; fmt++)
			*fmt == '-' ? (left = true) : (pad = '0');
		for (; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + *fmt - '0';
		if (*fmt == '.' && fmt[1] == '*') {
			precision = va_arg(ap, int);
			fmt += 2;
		}
		for (; *fmt == 'l' || *fmt == 'z'; fmt++)
			wide = true;
		switch (*fmt) {
		case 's':
			s = va_arg(ap, const char *);
			for (len = 0; s[len] && (precision < 0 || len < (size_t)precision); len++)
				;
			put_padded(&o, s, len, width, left, ' ');
			break;
		case 'c':
			c = va_arg(ap, int);
			put_padded(&o, &c, 1, width, left, ' ');
			break;
		case 'd':
		case 'i':
			sv = wide ? va_arg(ap, s64) : va_arg(ap, int);
			put_number(&o, sv < 0 ? -(u64)sv : (u64)sv, 10, sv < 0, width, left, pad);
			break;
		case 'u':
		case 'x':
			put_number(&o, wide ? va_arg(ap, u64) : va_arg(ap, u32), *fmt == 'u' ? 10 : 16,
				   false, width, left, pad);
			break;
		case 'p':
			put(&o, '0'), put(&o, 'x');
			put_number(&o, va_arg(ap, u64), 16, false, width, left, pad);
			break;
		default:
			put(&o, *fmt);
		}
	}
	if (size)
		buf[min(o.len, size - 1)] = '\0';
	return o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
