/* SPDX-License-Identifier: GPL-2.0 */
/* Taking a CPU off and on line; the functions were renamed in v5.7 */
#ifndef COCO_LIB_HOTPLUG_H
#define COCO_LIB_HOTPLUG_H

#include <linux/cpu.h>

static inline int coco_cpu_down(unsigned int cpu)
{
#ifdef CC_HAVE_CPU_DOWN
	return cpu_down(cpu);
#else
	return remove_cpu(cpu);
#endif
}

static inline int coco_cpu_up(unsigned int cpu)
{
#ifdef CC_HAVE_CPU_DOWN
	return cpu_up(cpu);
#else
	return add_cpu(cpu);
#endif
}

#endif /* COCO_LIB_HOTPLUG_H */
