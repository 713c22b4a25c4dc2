/* SPDX-License-Identifier: GPL-2.0 */
/* Tests include this name; -I of a kernel's tools/testing/selftests instead gives its own harness. */
#include "../coco_harness.h"
