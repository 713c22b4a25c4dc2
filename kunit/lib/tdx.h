/* SPDX-License-Identifier: GPL-2.0 */
/* What a TD asks its module and its host for, by number */
#ifndef COCO_LIB_TDX_H
#define COCO_LIB_TDX_H

/* TDX module ABI 348551: TDCALL leaves of TDG.VP.VEINFO.GET, TDG.MEM.PAGE.ACCEPT */
#define TDCALL_VEINFO_GET	3
#define TDCALL_PAGE_ACCEPT	6

/* GHCI 344426: TDG.VP.VMCALL<MapGPA>, <GetQuote>; completion status codes */
#define COCO_TDVMCALL_MAPGPA	0x10001ull
#define COCO_TDVMCALL_GETQUOTE	0x10002ull
#define STATUS_SUCCESS		0ull
#define STATUS_RETRY		1ull
#define STATUS_INVALID_OPERAND	0x8000000000000000ull

#endif /* COCO_LIB_TDX_H */
