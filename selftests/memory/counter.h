/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's counters in text files. */
#ifndef COCO_COUNTER_H
#define COCO_COUNTER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number behind a name at the beginning of a line; -1: no such line */
static int64_t counter(const char *path, const char *name)
{
	char line[256];
	int64_t value = -1;
	FILE *file = fopen(path, "r");

	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtoll(line + strlen(name), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

#endif /* COCO_COUNTER_H */
