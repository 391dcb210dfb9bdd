/* The supervisor: starts clean, plays the host script, waits, tells how it ended. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A non-negative decimal of at most nine digits, or -1. */
static int decimal(const char *text)
{
	int number = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 9)
		return -1;
	for (; *text != 0; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number;
}

/* Fds that the plan opens must not become 0, 1 or 2: the command would take them for its own. */
static void fill_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			die_early("a closed standard stream cannot be replaced by /dev/null");
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
	uint64_t blocked = head->forwarded | signal_bit(SIGCHLD) | signal_bit(SIGPIPE);

	for (int number = 1; number <= 64; number++) {
		struct sigaction action = { .sa_handler = SIG_DFL };
		if (number != SIGKILL && number != SIGSTOP && (number < 32 || number > 33) &&
		    sigaction(number, &action, NULL) != 0)
			die_early("signal dispositions cannot be reset");
	}
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked)) != 0)
		die_early("signals cannot be blocked");
}

/* Decides the exit status and tells what the command itself could not. */
static void judge(const struct launch *launch, struct end *end)
{
	const struct plan *plan = &launch->plan;
	bool errors = (plan->head->flags & PLAN_SILENT) == 0;
	bool notes = errors && (plan->head->flags & PLAN_QUIET) == 0;

	if (end->timed_out) {
		end->exit = EXIT_TIMEOUT;
		if (notes)
			tell_outcome(launch, OUTCOME_TIMEOUT, 0);
	} else if (end->failed && end->failure.kind == RECORD_FAILED) {
		if (errors)
			tell_failure(launch, end->failure.entry, end->failure.value);
	} else if (end->failed) {
		enum outcome outcome = (enum outcome)end->failure.entry;
		end->exit = (int)plan->step[plan->head->outcome[outcome]].exit;
		if (errors)
			tell_outcome(launch, outcome, end->failure.value);
	} else if (WIFSIGNALED(end->status)) {
		end->exit = 128 + WTERMSIG(end->status);
		if (notes && WTERMSIG(end->status) == SIGSYS)
			tell_outcome(launch, OUTCOME_SIGSYS, 0);
	} else {
		end->exit = WEXITSTATUS(end->status);
	}
}

/* argv: "tsbox", fd of the plan, pid of the parent that must live (0: nobody), the command and its arguments. */
int main(int argc, char **argv)
{
	struct launch launch = { .started_ns = clock_ns(), .child = -1, .child_pidfd = -1 };

	fill_standard_fds();
	if (argc < 4)
		die_early("there are too few arguments");
	launch.command = argv + 3;
	launch.plan = plan_load(decimal(argv[1]));
	int parent = decimal(argv[2]);
	if (parent < 0)
		die_early("the pid of the parent is no number");
	if ((launch.plan.head->flags & PLAN_DIE_WITH_PARENT) != 0)
		launch.parent = parent;
	/* Init inherits these, and the command can read /proc/1/cmdline: pids of the host are no business of its. */
	memset(argv[1], '-', strlen(argv[1]));
	memset(argv[2], '-', strlen(argv[2]));
	close_inherited(&launch.plan);
	reset_signals(launch.plan.head);
	if (syscall(SYS_pipe2, launch.status, O_CLOEXEC) != 0)
		die_early("a pipe cannot be made");

	struct end end = { .exit = EXIT_SETUP };
	struct failure failure = play(&launch, SCRIPT_HOST);
	close(launch.status[1]);
	if (failure.error != 0) {
		kill_sandbox(&launch);
		end.failed = true;
		end.failure = (struct record){ .kind = RECORD_FAILED, .entry = failure.entry, .value = failure.error };
		if (launch.child > 0)
			waitpid(launch.child, NULL, 0);
	} else {
		end = supervise(&launch);
	}
	judge(&launch, &end);
	if (launch.plan.head->report != PLAN_NO_SLOT)
		write_report(&launch, &end);
	_exit(end.exit);
}
