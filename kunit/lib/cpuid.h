/* SPDX-License-Identifier: GPL-2.0 */
/* cpuid() and its kin, which moved */
#ifndef COCO_LIB_CPUID_H
#define COCO_LIB_CPUID_H

#include <asm/cpufeature.h>
#ifdef CC_HAVE_CPUID_API
#include <asm/cpuid/api.h>
#else
#include <asm/processor.h>
#endif

#endif /* COCO_LIB_CPUID_H */
