/*
 * Init in the network of another sandbox. Only who is in the user namespace that owns a network can enter it, and who has entered a
 * user namespace does not come back from it. So a process in between enters both and makes init from there, as a child of the
 * supervisor: in a user namespace below the other sandbox's, with no capability in that one.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct made {
	pid_t pid;
	int error;
};

static noreturn void make_init(struct launch *launch, const struct plan_entry *entry, int cgroup, int told)
{
	struct made made = { .pid = -1 };
	int pidfd = -1;

	/* Init takes an end of this pipe that nobody reads for the supervisor's death. */
	close(launch->status[0]);
	/* Entering makes a process undumpable, and init could not write its own id maps then. */
	if (setns((int)launch->slot[entry->arg[4]], CLONE_NEWUSER) == 0 &&
	    setns((int)launch->slot[entry->arg[5]], CLONE_NEWNET) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0)
		made.pid = clone3(entry->arg[0] | CLONE_PARENT, &pidfd, cgroup);
	made.error = errno;
	if (made.pid == 0) {
		close(told);
		begin(launch, entry);
	}
	_exit(write(told, &made, sizeof(made)) == (ssize_t)sizeof(made) ? 0 : EXIT_SETUP);
}

/* As clone3(). */
pid_t clone_joined(struct launch *launch, const struct plan_entry *entry, int *pidfd, int cgroup)
{
	struct made made = { .pid = -1, .error = ECHILD };
	int between = -1;
	int told[2];

	if (syscall(SYS_pipe2, told, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = clone3(0, &between, NO_CGROUP);
	if (pid == 0) {
		close(told[0]);
		make_init(launch, entry, cgroup, told[1]);
	}
	int error = errno;
	close(told[1]);
	if (pid > 0) {
		ssize_t n;
		while ((n = read(told[0], &made, sizeof(made))) < 0 && errno == EINTR)
			continue;
		/* Killed before it could say so; an init that it has made ends with this process. */
		if (n != (ssize_t)sizeof(made))
			made = (struct made){ .pid = -1, .error = ECHILD };
		error = made.error;
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		close(between);
	}
	close(told[0]);
	/* A child of this process that nobody has waited for: the pid is its own. */
	if (made.pid > 0 && (*pidfd = (int)syscall(SYS_pidfd_open, made.pid, 0u)) < 0) {
		error = errno;
		kill(made.pid, SIGKILL);
		waitpid(made.pid, NULL, 0);
		made.pid = -1;
	}
	errno = error;
	return made.pid;
}
