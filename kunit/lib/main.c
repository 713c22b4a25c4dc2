// SPDX-License-Identifier: GPL-2.0
/* coco.ko: what all suites share.  Loaded first; finds the machine, starts the console. */
#include <linux/module.h>
#include "console.h"
#include "machine.h"
#include "technology.h"

static int __init coco_init(void)
{
	int error = coco_machine_probe();

	if (error)
		return error;
	coco_console_start();
	pr_info("coco: %s, %s\n", coco_technology_name(coco_technology()),
		coco_machine() ? "in the software machine" : "no software machine");
	return 0;
}

static void __exit coco_exit(void)
{
	coco_console_stop();
}

module_init(coco_init);
module_exit(coco_exit);
MODULE_DESCRIPTION("Guest tests of confidential computing: helpers, console, KUnit fallback");
MODULE_LICENSE("GPL");
