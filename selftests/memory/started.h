/* SPDX-License-Identifier: GPL-2.0 */
/* What holds for a guest, whoever started its kernel: the EFI stub alone, a UKI's, or firmware. */
#ifndef COCO_STARTED_H
#define COCO_STARTED_H

#include <stdlib.h>

#include "kselftest_harness.h"
#include "../lib/need.h"

TEST(technology_is_the_machine_s)
{
	char *log;

	NEED_MACHINE();
	NEED_KERNEL_LOG(log);
	EXPECT_EQ(technology_by_log(log), machine_personality());
	free(log);
}

#endif /* COCO_STARTED_H */
