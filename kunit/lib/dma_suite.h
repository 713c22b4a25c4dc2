/* SPDX-License-Identifier: GPL-2.0 */
/* What a suite with a device includes; its .init is coco_dma_case_begin, its .exit coco_dma_end. */
#ifndef COCO_LIB_DMA_SUITE_H
#define COCO_LIB_DMA_SUITE_H

#include "coco_kunit.h"
#include "dma.h"

static inline int coco_dma_case_begin(struct kunit *test)
{
	return coco_case_begin(test) ?: coco_dma_begin(test);
}

#endif /* COCO_LIB_DMA_SUITE_H */
