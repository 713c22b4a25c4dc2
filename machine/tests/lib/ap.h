/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AP_H
#define AP_H

#define AP_TRAMPOLINE	0x10000		/* a SIPI's vector 0x10 */
#define AP_MARK_AT	0x11000		/* written in protected mode with paging off */
#define AP_MARK		0x6b72616d

#endif /* AP_H */
