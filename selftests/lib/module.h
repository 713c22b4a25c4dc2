/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel modules: the three system calls, and just enough of modprobe(8).
 * Each function gives 0 or -errno.
 */
#ifndef COCO_MODULE_H
#define COCO_MODULE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "compiler.h"

#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE	4	/* finit_module(2), Linux 5.17 */
#endif

#define MODULE_PATH_MAX	512

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

static __maybe_unused
int module_insert(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), flags = 0, error = 0;

	if (fd < 0)
		return -errno;
	if (!ends_in(path, ".ko"))
		flags = MODULE_INIT_COMPRESSED_FILE;
	if (syscall(SYS_finit_module, fd, parameters, flags))
		error = -errno;
	close(fd);
	return error;
}

static __maybe_unused
int module_remove(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* Is the file that this path names the module of that name?  '-' and '_' are one. */
static bool path_names(const char *path, size_t len, const char *name)
{
	const char *slash = memrchr(path, '/', len);
	size_t i, skip = slash ? slash + 1 - path : 0;

	path += skip;
	len -= skip;
	for (i = 0; name[i]; i++) {
		if (i >= len)
			return false;
		if (path[i] != name[i] && !(strchr("-_", path[i]) && strchr("-_", name[i])))
			return false;
	}
	return len - i >= 3 && !memcmp(path + i, ".ko", 3) && (len - i == 3 || path[i + 3] == '.');
}

/* The line about this module in a file of /lib/modules/<release>; to be freed, NULL: none */
static char *module_line(const char *directory, const char *file, const char *name)
{
	char *path, *line = NULL;
	size_t size = 0;
	FILE *f;

	if (asprintf(&path, "%s/%s", directory, file) < 0)
		return NULL;
	f = fopen(path, "re");
	free(path);
	if (!f)
		return NULL;
	while (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (path_names(line, strcspn(line, ":"), name)) {
			fclose(f);
			return line;
		}
	}
	free(line);
	fclose(f);
	return NULL;
}

static int insert_below(const char *directory, const char *path, const char *parameters)
{
	char *whole;
	int error;

	if (asprintf(&whole, "%s/%s", path[0] == '/' ? "" : directory, path) < 0)
		return -ENOMEM;
	error = module_insert(whole, parameters);
	free(whole);
	return error == -EEXIST ? 0 : error;
}

/* A line of modules.dep: "path: first second ...", to be loaded from the last one on */
static int insert_with_dependencies(const char *directory, char *line, const char *parameters)
{
	char *dependencies = strchr(line, ':'), *last;
	int error = 0;

	if (!dependencies)
		return -EINVAL;
	*dependencies++ = '\0';
	while (!error && (last = strrchr(dependencies, ' '))) {
		*last = '\0';
		if (last[1])
			error = insert_below(directory, last + 1, "");
	}
	if (!error && *dependencies)
		error = insert_below(directory, dependencies, "");
	return error ? error : insert_below(directory, line, parameters);
}

/* With /lib/modules/<release>/modules.dep; loaded or built in already is success */
static __maybe_unused
int module_probe(const char *name, const char *parameters)
{
	char directory[MODULE_PATH_MAX], *line;
	struct utsname uts;
	int error;

	if (uname(&uts))
		return -errno;
	snprintf(directory, sizeof(directory), "/lib/modules/%s", uts.release);
	line = module_line(directory, "modules.dep", name);
	if (line) {
		error = insert_with_dependencies(directory, line, parameters);
	} else {
		line = module_line(directory, "modules.builtin", name);
		error = line ? 0 : -ENOENT;
	}
	free(line);
	return error;
}

#endif /* COCO_MODULE_H */
