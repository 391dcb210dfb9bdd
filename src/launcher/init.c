/* PID 1 of the sandbox: sets it up, then reaps, forwards signals, and ends with the command. */
#include "launcher.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

void send_record(const struct launch *launch, struct record record)
{
	/* If nobody reads it the supervisor is dead, and this process is being killed. */
	ssize_t written = write(launch->status[1], &record, sizeof(record));
	if (written != (ssize_t)sizeof(record))
		_exit(EXIT_SETUP);
}

void give_up(const struct launch *launch, struct failure failure)
{
	send_record(launch, (struct record){ .kind = RECORD_FAILED, .entry = failure.entry, .value = failure.error });
	_exit(EXIT_SETUP);
}

/* Returns 0 or an errno. */
int tell_set_up(const struct launch *launch)
{
	return write(launch->set_up[1], "", 1) == 1 ? 0 : EIO;
}

/* What is still to be set up must neither fail nor be seen when the command runs already. Returns 0 or an errno. */
int await_set_up(const struct launch *launch)
{
	for (int left = 2; left > 0;) {
		char byte;
		ssize_t n = read(launch->set_up[0], &byte, 1);
		if (n == 1)
			left--;
		else if (n == 0 || errno != EINTR)
			return n == 0 ? EIO : errno;
	}
	return 0;
}

/* Whether the tmpfs that the sandbox's own files share has no room left; statfs(2). */
static bool is_full(void)
{
	struct statfs status;

	return statfs("/", &status) == 0 && status.f_type == TMPFS_MAGIC &&
	       (status.f_bavail == 0 || (status.f_files != 0 && status.f_ffree == 0));
}

/*
 * The command has ended, and with it all others do. At a terminal of its own the end of this process, the leader of the
 * session, would throw away what has been printed and not yet read: the supervisor reads it first, then kills.
 */
static noreturn void finish(const struct launch *launch, int status)
{
	if (is_relayed(launch))
		kill(-1, SIGKILL);
	send_record(launch, (struct record){ .kind = RECORD_EXITED, .entry = is_full(), .value = status });
	while (is_relayed(launch))
		pause();
	_exit(0);
}

/* Reaps what has ended; does not return when the command is among it. */
static void reap(struct launch *launch)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != launch->child)
			continue;
		if (!WIFSTOPPED(status))
			finish(launch, status);
		if (launch->stopping || has_terminal(launch))
			send_record(launch, (struct record){ .kind = RECORD_STOPPED });
		launch->stopping = false;
	}
}

/*
 * Stops or continues every process: a stop must reach jobs in process groups of their own, and SIGTSTP does nothing in an
 * orphaned group. That the command has stopped comes as SIGCHLD; it is told then, for until then the command may take what
 * is typed for the shell outside. Nothing here waits for it: a parent in vfork(2) stops only when its child has ended.
 */
static void pause_all(struct launch *launch, bool stop)
{
	launch->stopping = stop;
	kill(-1, stop ? SIGSTOP : SIGCONT);
}

static void forward(struct launch *launch, int number)
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
		give_up(launch, failure);

	/* Whatever of the host's fds and of the set-up is still open is of no use to a reaper. */
	unsigned status = (unsigned)launch->status[1];
	unsigned set_up = (unsigned)launch->set_up[1]; /* the higher one: made later */
	if (syscall(SYS_close_range, 0u, status - 1, 0u) != 0 ||
	    syscall(SYS_close_range, status + 1, set_up - 1, 0u) != 0 ||
	    syscall(SYS_close_range, set_up + 1, ~0u, 0u) != 0 || tell_set_up(launch) != 0)
		_exit(EXIT_SETUP);
	close(launch->set_up[1]);

	uint64_t awaited = launch->plan.head->forwarded | signal_bit(SIGCHLD);
	reap(launch);
	for (;;) {
		siginfo_t info;
		long number = syscall(SYS_rt_sigtimedwait, &awaited, &info, NULL, sizeof(awaited));
		if (number == SIGCHLD)
			reap(launch);
		/* From outside: a sender in here has a pid, and only the kernel and kill(2) can say SI_USER for another. */
		else if (number > 0 && info.si_code == SI_USER && info.si_pid == 0)
			forward(launch, (int)number);
	}
}

void payload_main(struct launch *launch)
{
	/* The last entry is the exec, so play() only comes back with a failure. */
	give_up(launch, play(launch, SCRIPT_PAYLOAD));
}
