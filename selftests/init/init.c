// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's /init: reads the run file and does what its verbs say, in order.
 *
 *	console				coco.ko's console for the kernel's log, every level
 *	insmod <name> [parameters]	/coco/modules/<name>.ko
 *	modprobe <name> [parameters]	a module of the kernel's own, with its dependencies
 *	kunit <suite> [parameters]	insmod coco_<suite>.ko, whose tests run as it loads; rmmod
 *	selftest <suite> [arguments]	/coco/selftests/<suite>
 *	limit <seconds>			for each suite or module from here on
 *	snapshot			the machine may be saved here and started again with another file
 *	exit [code]
 *
 * What it does is reported on channel i as "verb name key=value ... : text".
 * When init dies the kernel panics, so all that can fail runs in a child.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/module.h"
#include "init.h"

#define DEFAULT_LIMIT	(300 * PATIENCE)	/* seconds */
#define MAX_WORDS	160	/* a program, and "-t" with each case of it that is to run */
#define EXIT_CRASHED	70	/* init itself */

static int limit = DEFAULT_LIMIT;

/* ---- the environment ---- */
static void make_directory(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		out("note : mkdir %s: %s", path, strerror(errno));
}

static void mount_one(const char *type, const char *path, bool optional)
{
	if (!optional)
		make_directory(path);
	if (mount(type, path, type, 0, NULL) && errno != EBUSY && !optional)
		out("note : mount %s: %s", path, strerror(errno));
}

static void mount_all(void)
{
	mount_one("proc", "/proc", false);
	mount_one("sysfs", "/sys", false);
	mount_one("devtmpfs", "/dev", false);
	mount_one("tmpfs", "/tmp", false);
	mount_one("debugfs", "/sys/kernel/debug", true);
	mount_one("configfs", "/sys/kernel/config", true);
}

/* Descriptors 0 to 2 are taken, wherever they lead: pipes must not become one of them */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/console", O_RDWR);
		if (fd < 0)
			fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* ---- modules, in a child: their init functions are the code under test ---- */
struct module {
	const char *path, *name, *parameters;
};

static int do_insert(const void *arg)
{
	const struct module *m = arg;

	return module_insert(m->path, m->parameters);
}

static int do_remove(const void *arg)
{
	const struct module *m = arg;

	return module_remove(m->name);
}

static int do_probe(const void *arg)
{
	const struct module *m = arg;

	return module_probe(m->name, m->parameters);
}

static int with_module(int (*function)(const void *arg), const struct module *m)
{
	struct child child = { .name = m->name, .function = function, .arg = m, .limit = limit };

	return child_run(&child);
}

/* "rc=n : reason"; how a child died has been told by child_run() already */
static const char *result(int rc)
{
	static char text[100];

	if (rc < 0)
		snprintf(text, sizeof(text), "rc=%d : %s", -rc, strerror(-rc));
	else
		snprintf(text, sizeof(text), "rc=%d", rc);
	return text;
}

static const char *path_of(const char *directory, const char *prefix, const char *name, const char *suffix)
{
	static char path[MODULE_PATH_MAX];

	snprintf(path, sizeof(path), "/coco/%s/%s%s%s", directory, prefix, name, suffix);
	return path;
}

static bool joined(int argc, char **argv, char *text, size_t size)
{
	size_t len = 0;
	int i;

	text[0] = '\0';
	for (i = 0; i < argc && len < size; i++)
		len += snprintf(text + len, size - len, "%s%s", i ? " " : "", argv[i]);
	return len < size;
}

/* ---- verbs: argv[0] is the verb, argv[1] its object ---- */
static void verb_insmod(int argc, char **argv)
{
	char parameters[512];
	struct module m = { path_of("modules", "", argv[1], ".ko"), argv[1], parameters };
	int rc = joined(argc - 2, argv + 2, parameters, sizeof(parameters)) ? with_module(do_insert, &m) : -E2BIG;

	klog_settle();
	out("insmod %s %s", argv[1], result(rc));
}

static void verb_modprobe(int argc, char **argv)
{
	char parameters[512];
	struct module m = { NULL, argv[1], parameters };
	int rc;

	klog_settle();
	out("loading %s", argv[1]);
	rc = joined(argc - 2, argv + 2, parameters, sizeof(parameters)) ? with_module(do_probe, &m) : -E2BIG;
	/* the file system of that name has its mount point now */
	mount_one("configfs", "/sys/kernel/config", true);
	klog_settle();
	out("modprobe %s %s", argv[1], result(rc));
}

static void verb_kunit(int argc, char **argv)
{
	char parameters[512], name[128];
	struct module m = { path_of("modules", "coco_", argv[1], ".ko"), name, parameters };
	int rc;

	if (access(m.path, R_OK)) {
		out("skip %s : no %s in this image", argv[1], m.path);
		return;
	}
	snprintf(name, sizeof(name), "coco_%s", argv[1]);
	klog_settle();
	out("begin %s", argv[1]);
	rc = joined(argc - 2, argv + 2, parameters, sizeof(parameters)) ? with_module(do_insert, &m) : -E2BIG;
	klog_settle();
	out("end %s %s", argv[1], result(rc));
	if (rc)
		return;
	rc = with_module(do_remove, &m);
	klog_settle();
	if (rc)
		out("rmmod %s %s", name, result(rc));
}

static void verb_selftest(int argc, char **argv)
{
	char *suite = argv[1], path[MODULE_PATH_MAX];
	struct child child = { .name = suite, .argv = argv + 1, .limit = limit };
	int rc;

	(void)argc;
	snprintf(path, sizeof(path), "%s", path_of("selftests", "", suite, ""));
	if (access(path, X_OK)) {
		out("skip %s : no %s in this image", suite, path);
		return;
	}
	klog_settle();
	out("begin %s", suite);
	argv[1] = path;
	rc = child_run(&child);
	klog_settle();
	out("end %s rc=%d%s", suite, rc, rc == RC_NO_EXEC ? " : cannot be executed" : "");
}

static void verb_limit(int argc, char **argv)
{
	(void)argc;
	limit = atoi(argv[1]);
	if (limit <= 0)
		limit = DEFAULT_LIMIT;
}

static void verb_console(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	klog_console();
}

static void verb_exit(int argc, char **argv)
{
	end_of_run(argc > 1 ? atoi(argv[1]) : 0);
}

static const struct verb {
	const char *name;
	bool needs_object;
	void (*function)(int argc, char **argv);
} verbs[] = {
	{ "console", false, verb_console },
	{ "exit", false, verb_exit },
	{ "insmod", true, verb_insmod },
	{ "kunit", true, verb_kunit },
	{ "limit", true, verb_limit },
	{ "modprobe", true, verb_modprobe },
	{ "selftest", true, verb_selftest },
};

/* True: this process was started from a snapshot, with a run file of its own */
static bool do_snapshot(void)
{
	int64_t r;

	klog_settle();
	sync();
	r = machine_snapshot();
	if (r < 0)
		out("snapshot %s", result(r));
	return r == 1;
}

/* A name becomes part of a path */
static bool name_is_plain(const char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_-", *name))
			return false;
	return true;
}

/* True: begin again with a new run file */
static bool do_line(char *line)
{
	char *argv[MAX_WORDS + 1], *word, *rest = line;
	int argc = 0;
	size_t i;

	while (argc < MAX_WORDS && (word = strsep(&rest, " \t\r")))
		if (*word)
			argv[argc++] = word;
	argv[argc] = NULL;
	if (rest && *rest) {
		out("note : more than %d words: %s", MAX_WORDS, argv[0]);
		return false;
	}
	if (!argc || argv[0][0] == '#')
		return false;
	if (!strcmp(argv[0], "snapshot"))
		return do_snapshot();
	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[0], verbs[i].name))
			continue;
		if (verbs[i].needs_object && (argc < 2 || !name_is_plain(argv[1])))
			break;
		verbs[i].function(argc, argv);
		return false;
	}
	out("note : not understood in the run file: %s %s", argv[0], argc > 1 ? argv[1] : "");
	return false;
}

/* True: begin again with a new run file */
static bool do_file(const char *text)
{
	char line[2048];
	size_t len;

	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len >= sizeof(line)) {
			out("note : line of %zu bytes in the run file", len);
			continue;
		}
		memcpy(line, text, len);
		line[len] = '\0';
		if (do_line(line))
			return true;
	}
	return false;
}

static void on_crash(int sig)
{
	signal(sig, SIG_DFL);
	out("note init signal=%d : init itself crashed", sig);
	end_of_run(EXIT_CRASHED);
}

int main(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fatal); i++)
		signal(fatal[i], on_crash);
	out_open();
	mount_all();
	open_standard_files();
	out("ready");
	while (do_file(run_file()))
		;
	end_of_run(0);
}
