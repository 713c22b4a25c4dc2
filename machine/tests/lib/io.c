// SPDX-License-Identifier: GPL-2.0
#include "payload.h"

#define EXIT_IOIO	0x7b
#define CALL_IO		30

void port_out(u16 port, u32 size, u32 value)
{
	if (is_es()) {
		ghcb_clear();
		ghcb_put(F_RAX, value);
		ghcb_exit(EXIT_IOIO, (u64)port << 16 | size << 4, 0);
	} else if (is_tdx()) {
		tdvmcall(CALL_IO, size, 1, port, value, NULL);
	} else if (size == 1) {
		outb(port, value);
	} else if (size == 2) {
		outw(port, value);
	} else {
		outl(port, value);
	}
}

u32 port_in(u16 port, u32 size)
{
	struct tdregs out;

	if (is_es()) {
		ghcb_clear();
		ghcb_exit(EXIT_IOIO, (u64)port << 16 | size << 4 | 1, 0);
		return ghcb_get(F_RAX);
	}
	if (is_tdx()) {
		tdvmcall(CALL_IO, size, 0, port, 0, &out);
		return out.r11;
	}
	return size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
}
