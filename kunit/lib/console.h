/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COCO_LIB_CONSOLE_H
#define COCO_LIB_CONSOLE_H

void coco_console_start(void);
void coco_console_stop(void);

#endif /* COCO_LIB_CONSOLE_H */
