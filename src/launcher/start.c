/* Before anything of the plan is played: the streams, fds and signals that were inherited, and what is to be watched. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void fill_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat status;
		/* Fds that the plan opens must not become 0, 1 or 2: the command would take them for its own. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			die_early("a closed standard stream cannot be replaced by /dev/null");
		/* Through /proc/self/fd a directory is a way to all that is beneath it. */
		if (fstat(fd, &status) != 0 || S_ISDIR(status.st_mode) || (fcntl(fd, F_GETFL) & O_PATH) != 0)
			die_early("a standard stream is a directory or cannot be read; redirect it to a file or /dev/null");
	}
}

bool is_at_terminal(void)
{
	return tcgetpgrp(STDIN_FILENO) > 0 || tcgetpgrp(STDOUT_FILENO) > 0 || tcgetpgrp(STDERR_FILENO) > 0;
}

bool is_in_background(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		/* -1: no terminal, or not the one that this session is controlled by. */
		pid_t foreground = tcgetpgrp(fd);
		if (foreground > 0 && foreground != getpgrp())
			return true;
	}
	return false;
}

/*
 * The command has a session of its own, so no SIGTTIN keeps it from reading what is typed for the program in the
 * foreground. Started in the background, it gets terminals for writing only.
 */
static void take_terminal_away(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		char path[] = "/proc/self/fd/0";
		if (tcgetpgrp(fd) < 0)
			continue;
		path[sizeof(path) - 2] = (char)('0' + fd);
		int other = fd == 0 ? open("/dev/null", O_RDONLY) : open(path, O_WRONLY | O_NOCTTY);
		if (other < 0 || dup2(other, fd) != fd || close(other) != 0)
			die_early("started in the background with a terminal that cannot be opened for writing only");
	}
}

static void close_range_or_die(unsigned first, unsigned last)
{
	if (first <= last && syscall(SYS_close_range, first, last, 0u) != 0)
		die_early("inherited file descriptors cannot be closed (Linux 5.9 or newer is needed)");
}

/* Whatever the caller left open, /proc/self/fd of the sandbox shows none of it (CVE-2024-21626 in runc). */
static void close_inherited(const struct plan *plan)
{
	const int32_t *keep = (const int32_t *)(const void *)(plan->data + plan->head->keep);
	unsigned first = 3;

	for (uint32_t i = 0; i < plan->head->keep_n; i++) {
		if (keep[i] < (int32_t)first)
			continue;
		close_range_or_die(first, (unsigned)keep[i] - 1);
		first = (unsigned)keep[i] + 1;
		if (fcntl(keep[i], F_SETFD, FD_CLOEXEC) != 0)
			die_early("a file descriptor that is to be kept is not open");
	}
	close_range_or_die(first, ~0u);
}

/* Dispositions that a caller ignored would stay ignored in the command; signals wait from here on until forwarded. */
static void reset_signals(const struct plan_header *head)
{
	uint64_t blocked = head->forwarded | signal_bit(SIGCHLD) | signal_bit(SIGPIPE) | signal_bit(SIGTTOU);

	for (int number = 1; number <= 64; number++) {
		struct sigaction action = { .sa_handler = SIG_DFL };
		if (number != SIGKILL && number != SIGSTOP && (number < 32 || number > 33) &&
		    sigaction(number, &action, NULL) != 0)
			die_early("signal dispositions cannot be reset");
	}
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked)) != 0)
		die_early("signals cannot be blocked");
}

/* Opened before the sandbox is, so that one that cannot be watched is never made. */
static void watch(struct launch *launch, pid_t parent)
{
	const uint64_t *forwarded = &launch->plan.head->forwarded;

	launch->signals = (int)syscall(SYS_signalfd4, -1, forwarded, sizeof(*forwarded), SFD_CLOEXEC | SFD_NONBLOCK);
	if (launch->signals < 0)
		die_early("signals cannot be watched");
	launch->parent = -1;
	if ((launch->plan.head->flags & PLAN_DIE_WITH_PARENT) == 0 || parent == 0)
		return;
	launch->parent = (int)syscall(SYS_pidfd_open, parent, 0u);
	if (launch->parent < 0 && errno != ESRCH)
		die_early("the parent process cannot be watched (pidfd_open(2), Linux 5.3 or newer)");
	/* Opened first, compared then: the pid cannot be another's by now. */
	if (launch->parent < 0 || getppid() != parent)
		die_early("the process that started tsbox has ended");
}

void start_clean(struct launch *launch, pid_t parent)
{
	close_inherited(&launch->plan);
	reset_signals(launch->plan.head);
	if (has_terminal(launch))
		terminal_start(launch);
	else if ((launch->guarded = is_in_background()))
		take_terminal_away();
	watch(launch, parent);
	/* Only the reading end: what is not there yet is waited for by poll(2), with a limit. */
	if (syscall(SYS_pipe2, launch->status, O_CLOEXEC) != 0 || fcntl(launch->status[0], F_SETFL, O_NONBLOCK) != 0 ||
	    syscall(SYS_pipe2, launch->set_up, O_CLOEXEC) != 0)
		die_early("a pipe cannot be made");
}
