// SPDX-License-Identifier: GPL-2.0
/* A plain machine: the control group of every test. */
#include "machine.h"

const struct technology technology_none = {
	.name = "none",
	.id = COCO_NONE,
};
