// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a program, or a function, in a process of its own: its output goes to
 * channel t line by line, its time is limited, and whatever becomes of it is
 * reported.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

#define GRACE_SECONDS	5	/* for a killed process to be gone */
#define TICK_MS		200
#define MAX_READS	32	/* at a time: a child that floods must not keep init from its clock */

struct pipe_reader {
	int fd;
	const char *prefix;
	char line[1200];
	size_t len;
};

static int *function_error;	/* shared with the child */

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* ---- output ---- */
static void reader_start_line(struct pipe_reader *r)
{
	r->len = strlen(r->prefix);
	memcpy(r->line, r->prefix, r->len);
}

static void reader_end_line(struct pipe_reader *r)
{
	out_line(COCO_CHAN_TEST, r->line, r->len);
	reader_start_line(r);
}

static void reader_drain(struct pipe_reader *r)
{
	char buf[4096];
	ssize_t n = 1, i;
	int times = MAX_READS;

	if (r->fd < 0)
		return;
	while (times-- && (n = read(r->fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++) {
			if (buf[i] == '\n')
				reader_end_line(r);
			else if (r->len < sizeof(r->line))	/* out_line cuts far below that */
				r->line[r->len++] = buf[i] ? buf[i] : '?';
		}
	}
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	close(r->fd);
	r->fd = -1;
}

/* A last line without its newline counts too */
static void reader_finish(struct pipe_reader *r)
{
	reader_drain(r);
	if (r->len > strlen(r->prefix))
		reader_end_line(r);
	if (r->fd >= 0)
		close(r->fd);
}

/* ---- the child's side ---- */
static void __noreturn child_begin(const struct child *child, int out_fd, int err_fd)
{
	static char *const environment[] = { "PATH=/coco/selftests:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/",
					     "COCO_PATIENCE=" __stringify(PATIENCE), NULL };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;
	int s;

	setsid();
	for (s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null >= 0 ? null : out_fd, STDIN_FILENO);
	dup2(out_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	if (child->function) {
		*function_error = child->function(child->arg);
		_exit(0);
	}
	execve(child->argv[0], child->argv, environment);
	_exit(RC_NO_EXEC);
}

/* ---- init's side ---- */
static void on_sigchld(int signal)
{
	(void)signal;		/* it only has to end ppoll() */
}

/* Reaps whatever has ended; true: this one has */
static bool reap(pid_t pid, int *status)
{
	bool gone = false;
	int st;
	pid_t p;

	while ((p = waitpid(-1, &st, WNOHANG)) > 0) {
		if (p == pid) {
			*status = st;
			gone = true;
		}
	}
	return gone;
}

/* Until it is gone or its time is over */
static bool watch(pid_t pid, int seconds, struct pipe_reader readers[2], int *status)
{
	struct timespec tick = { .tv_nsec = TICK_MS * 1000000l };
	time_t end = seconds_now() + seconds;
	struct pollfd fds[3];
	sigset_t mask;
	int i;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigdelset(&mask, SIGCHLD);
	while (!reap(pid, status)) {
		if (seconds_now() > end)
			return false;
		for (i = 0; i < 2; i++)
			fds[i] = (struct pollfd){ .fd = readers[i].fd, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = klog_fd(), .events = POLLIN };
		ppoll(fds, 3, &tick, &mask);
		for (i = 0; i < 2; i++)
			reader_drain(&readers[i]);
		klog_forward();
	}
	return true;
}

static int exit_code(const struct child *child, int status)
{
	int sig;

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	sig = WTERMSIG(status);
	out("note %s signal=%d : killed by signal %d (%s)", child->name, sig, sig, strsignal(sig));
	return RC_SIGNAL + sig;
}

static int child_wait(const struct child *child, pid_t pid, struct pipe_reader readers[2])
{
	int status, rc;

	if (watch(pid, child->limit, readers, &status)) {
		rc = exit_code(child, status);
	} else {
		rc = RC_TIMEOUT;
		out("note %s limit=%d : still running after %d s, killed", child->name, child->limit, child->limit);
		kill(-pid, SIGKILL);
		if (!watch(pid, GRACE_SECONDS, readers, &status))
			out("note %s : does not die", child->name);
	}
	kill(-1, SIGKILL);		/* whatever it left behind: all but init */
	return rc;
}

int child_run(const struct child *child)
{
	struct pipe_reader readers[2] = { { .prefix = "" }, { .prefix = "# " } };
	int out_pipe[2], err_pipe[2] = { -1, -1 }, i, rc;
	struct sigaction action = { .sa_handler = on_sigchld };
	sigset_t chld;
	pid_t pid;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	sigaction(SIGCHLD, &action, NULL);
	if (!function_error)
		function_error = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (function_error == MAP_FAILED || pipe2(out_pipe, O_CLOEXEC) || pipe2(err_pipe, O_CLOEXEC)) {
		out("note %s : mmap or pipe: %s", child->name, strerror(errno));
		return RC_NO_EXEC;
	}
	*function_error = 0;
	pid = fork();
	if (!pid)
		child_begin(child, out_pipe[1], err_pipe[1]);
	close(out_pipe[1]);
	close(err_pipe[1]);
	readers[0].fd = out_pipe[0];
	readers[1].fd = err_pipe[0];
	for (i = 0; i < 2; i++) {
		fcntl(readers[i].fd, F_SETFL, O_NONBLOCK);
		reader_start_line(&readers[i]);
	}
	if (pid < 0) {
		out("note %s : fork: %s", child->name, strerror(errno));
		rc = RC_NO_EXEC;
	} else {
		rc = child_wait(child, pid, readers);
	}
	for (i = 0; i < 2; i++)
		reader_finish(&readers[i]);
	return child->function && !rc ? *function_error : rc;
}
