/* Makes the processes: init and the payload by clone3, helpers that are waited for. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* clone3(2) as fork(2) with flags: the child returns from it on a copy of the stack. */
pid_t clone3(uint64_t flags, int *pidfd, int cgroup)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		/* With CLONE_PARENT it is that of the process that calls. */
		.exit_signal = (flags & CLONE_PARENT) != 0 ? 0 : SIGCHLD,
		.cgroup = cgroup >= 0 ? (unsigned)cgroup : 0,
	};
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/*
 * The signal is set after the clone, so the supervisor may have died before: then nobody reads the status pipe any more.
 * getppid(2) cannot tell, because a parent outside the pid namespace always reads as 0. Returns 0 or an errno.
 */
static int die_with_supervisor(const struct launch *launch)
{
	struct pollfd status = { .fd = launch->status[1] };

	close(launch->status[0]);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || poll(&status, 1, 0) < 0)
		return errno;
	return (status.revents & POLLERR) != 0 ? EPIPE : 0;
}

void begin(struct launch *launch, const struct plan_entry *entry)
{
	bool is_init = entry->nr == SCRIPT_INIT;
	int error = is_init ? die_with_supervisor(launch) : await_set_up(launch);

	if (error != 0)
		give_up(launch, (struct failure){ .entry = (uint32_t)(entry - launch->plan.entry), .error = error });
	if (is_init)
		init_main(launch);
	payload_main(launch);
}

int spawn(struct launch *launch, const struct plan_entry *entry)
{
	int pidfd = -1;
	int cgroup = entry->arg[3] == PLAN_NO_SLOT ? NO_CGROUP : (int)launch->slot[entry->arg[3]];

	/* Without its cgroup the sandbox would be without its limits. */
	if (entry->arg[3] != PLAN_NO_SLOT && cgroup < 0)
		return EBADF;
	pid_t pid = entry->argc == SPAWN_JOINS ? clone_joined(launch, entry, &pidfd, cgroup)
					       : clone3(entry->arg[0], &pidfd, cgroup);
	if (pid < 0)
		return errno;
	if (pid == 0)
		begin(launch, entry);
	launch->child = pid;
	launch->child_pidfd = pidfd;
	launch->slot[entry->arg[1]] = pid;
	launch->slot[entry->arg[2]] = pidfd;
	return 0;
}

void become_program(const struct launch *launch, const struct plan_entry *entry, pid_t parent)
{
	uint8_t *data = launch->plan.data;
	uint64_t none = 0;

	/* The signal is set after the clone, so the parent may have died before. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) != 0)
		_exit(EXIT_SETUP);
	execve((const char *)(data + entry->arg[0]), (char **)(void *)(data + entry->arg[1]),
	       (char **)(void *)(data + entry->arg[2]));
	_exit(errno == ENOENT ? 127 : 126);
}

static void write_pid(uint8_t *text, int64_t pid)
{
	uint8_t digits[PID_TEXT];
	uint32_t n = 0;

	do {
		digits[n++] = (uint8_t)('0' + pid % 10);
		pid /= 10;
	} while (pid > 0 && n < PID_TEXT - 1);
	for (uint32_t i = 0; i < n; i++)
		text[i] = digits[n - 1 - i];
	text[n] = 0;
}

/* Returns 0 when the helper exited 0 in time; ECHILD when it failed, or as await(). */
int run_helper(struct launch *launch, const struct plan_entry *entry)
{
	pid_t parent = getpid();
	int pidfd = -1;
	int status = 0;

	write_pid(launch->plan.data + entry->arg[4], launch->slot[entry->arg[3]]);
	pid_t pid = clone3(0, &pidfd, NO_CGROUP);
	if (pid < 0)
		return errno;
	if (pid == 0)
		become_program(launch, entry, parent);
	int error = await(launch, pidfd, -1, HELPER_MS);
	if (error != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	close(pidfd);
	if (error != 0)
		return error;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return ENOENT;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ECHILD;
}
