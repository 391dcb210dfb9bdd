/* PID 1 of the sandbox: sets it up, then reaps, forwards signals, and ends with the command. */
#include "launcher.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void send_record(const struct launch *launch, struct record record)
{
	/* If nobody reads it the supervisor is dead, and this process is being killed. */
	ssize_t written = write(launch->status[1], &record, sizeof(record));
	if (written != (ssize_t)sizeof(record))
		_exit(EXIT_SETUP);
}

static noreturn void fail(const struct launch *launch, struct failure failure)
{
	send_record(launch, (struct record){ .kind = RECORD_FAILED, .entry = failure.entry, .value = failure.error });
	_exit(EXIT_SETUP);
}

/* Reaps what has ended; does not return when the command is among it. */
static void reap(const struct launch *launch)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != launch->child)
			continue;
		send_record(launch, (struct record){ .kind = RECORD_EXITED, .value = status });
		_exit(0);
	}
}

/*
 * Stops or continues every process: a stop must reach jobs in process groups of their own, and SIGTSTP does nothing in an
 * orphaned group. Tells when the command has stopped, for until then it may take what is typed for the shell outside.
 */
static void pause_all(const struct launch *launch, bool stop)
{
	siginfo_t info;

	kill(-1, stop ? SIGSTOP : SIGCONT);
	if (!stop)
		return;
	/* WNOWAIT: an exit is left to reap(). */
	while (waitid(P_PID, (id_t)launch->child, &info, WSTOPPED | WEXITED | WNOWAIT) < 0 && errno == EINTR)
		continue;
	send_record(launch, (struct record){ .kind = RECORD_STOPPED });
}

static void forward(const struct launch *launch, int number)
{
	const struct plan_header *head = launch->plan.head;

	if ((head->forwarded & signal_bit(number)) == 0)
		return;
	if (number == SIGTSTP || number == SIGCONT) {
		pause_all(launch, number == SIGTSTP);
		return;
	}
	if ((head->to_group & signal_bit(number)) != 0 && kill(-launch->child, number) == 0)
		return;
	kill(launch->child, number);
}

void init_main(struct launch *launch)
{
	struct failure failure = play(launch, SCRIPT_INIT);
	if (failure.error != 0)
		fail(launch, failure);

	/* Whatever of the host's fds and of the set-up is still open is of no use to a reaper. */
	unsigned status = (unsigned)launch->status[1];
	if ((status > 0 && syscall(SYS_close_range, 0u, status - 1, 0u) != 0) ||
	    syscall(SYS_close_range, status + 1, ~0u, 0u) != 0)
		_exit(EXIT_SETUP);

	uint64_t awaited = launch->plan.head->forwarded | signal_bit(SIGCHLD);
	reap(launch);
	for (;;) {
		siginfo_t info;
		long number = syscall(SYS_rt_sigtimedwait, &awaited, &info, NULL, sizeof(awaited));
		if (number == SIGCHLD)
			reap(launch);
		/* Sent from outside: a sender in this pid namespace has a pid here. */
		else if (number > 0 && info.si_pid == 0)
			forward(launch, (int)number);
	}
}

void payload_main(struct launch *launch)
{
	/* The last entry is the exec, so play() only comes back with a failure. */
	fail(launch, play(launch, SCRIPT_PAYLOAD));
}
