/*
 * Gives the user's terminal back as it was should the supervisor be killed while that is raw: dash and a bare terminal
 * would leave it so. A fork of the supervisor that waits on a pipe for its end.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the guardian is to do at the supervisor's end; smaller than PIPE_BUF, so never torn. */
struct order {
	bool is_raw;
	struct termios before;
};

bool set_modes(const struct termios *modes)
{
	int result;

	/* SIGTTOU is blocked, so that this works from the background too. */
	do {
		result = tcsetattr(STDIN_FILENO, TCSANOW, modes);
	} while (result != 0 && errno == EINTR);
	return result == 0;
}

/* Whether nobody has set other modes since: a shell, say, that took over when the supervisor was stopped. */
static bool is_still_raw(void)
{
	struct termios modes;

	return tcgetattr(STDIN_FILENO, &modes) == 0 && (modes.c_lflag & (ICANON | ISIG)) == 0;
}

/* Outlives the supervisor for as long as it takes to find out that it is gone. */
static noreturn void guard(int orders)
{
	uint64_t all = ~UINT64_C(0);
	struct order order = { .is_raw = false };
	ssize_t n;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	/* Whoever kills or stops the supervisor's whole group does not mean this process. */
	setpgid(0, 0);
	do {
		n = read(orders, &order, sizeof(order));
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (order.is_raw && is_still_raw())
		set_modes(&order.before);
	_exit(0);
}

void guardian_start(struct terminal *terminal)
{
	int orders[2];

	if (syscall(SYS_pipe2, orders, O_CLOEXEC) != 0)
		die_early("a pipe cannot be made");
	terminal->guardian = fork();
	if (terminal->guardian < 0)
		die_early("the terminal's guardian cannot be started");
	if (terminal->guardian == 0) {
		close(orders[1]);
		guard(orders[0]);
	}
	close(orders[0]);
	terminal->orders = orders[1];
}

void guardian_tell(const struct terminal *terminal, bool is_raw)
{
	struct order order = { .is_raw = is_raw, .before = terminal->before };

	if (write(terminal->orders, &order, sizeof(order)) != (ssize_t)sizeof(order))
		return; /* somebody has killed it, which is no reason to end */
}

void guardian_end(const struct terminal *terminal)
{
	/* Not by closing the pipe: somebody may have stopped it. */
	kill(terminal->guardian, SIGKILL);
	while (waitpid(terminal->guardian, NULL, 0) < 0 && errno == EINTR)
		continue;
}
