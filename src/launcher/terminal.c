/*
 * The user's terminal, while the command has one of its own: a pseudoterminal of the sandbox, whose master end the host
 * script has taken from init. The command never holds a file descriptor of the user's terminal; relay.c carries bytes.
 *
 * That terminal is raw as long as this process group is in its foreground, so that each key reaches the command's own
 * line discipline, and is given back as it was when the run ends or stops. Should this process be killed, a guardian
 * gives it back.
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDER_RAW 'r'
#define ORDER_GIVEN_BACK 'g'

bool has_terminal(const struct launch *launch)
{
	return launch->plan.head->terminal != PLAN_NO_SLOT;
}

static bool set_mode(const struct termios *mode)
{
	int result;

	/* SIGTTOU is blocked, so that this works from the background too. */
	do {
		result = tcsetattr(STDIN_FILENO, TCSANOW, mode);
	} while (result != 0 && errno == EINTR);
	return result == 0;
}

/* Outlives the supervisor for as long as it takes to find out that it is gone. */
static noreturn void guard(int orders, const struct termios *before)
{
	uint64_t all = ~UINT64_C(0);
	char order = ORDER_GIVEN_BACK;
	ssize_t n;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	do {
		n = read(orders, &order, 1);
	} while (n == 1 || (n < 0 && errno == EINTR));
	if (order == ORDER_RAW)
		set_mode(before);
	_exit(0);
}

static void start_guard(struct terminal *terminal)
{
	int orders[2];

	if (syscall(SYS_pipe2, orders, O_CLOEXEC) != 0)
		die_early("a pipe cannot be made");
	terminal->guardian = fork();
	if (terminal->guardian < 0)
		die_early("the terminal's guardian cannot be started");
	if (terminal->guardian == 0) {
		close(orders[1]);
		guard(orders[0], &terminal->before);
	}
	close(orders[0]);
	terminal->orders = orders[1];
}

void terminal_start(struct launch *launch)
{
	if (tcgetattr(STDIN_FILENO, &launch->terminal.before) != 0)
		die_early("standard input is no terminal any more");
	start_guard(&launch->terminal);
}

/*
 * A description of its own, so that O_NONBLOCK is not set for the shell as well. Another user's terminal (su) cannot be
 * opened again; poll(2) before each small read and write has to do then.
 */
static int reopen(int fd, int access)
{
	char path[] = "/proc/self/fd/0";
	struct stat status;

	path[sizeof(path) - 2] = (char)('0' + fd);
	if (fstat(fd, &status) != 0 || !(S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)))
		return fd;
	int own = open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return own < 0 ? fd : own;
}

void terminal_resize(const struct launch *launch)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(launch->terminal.master, TIOCSWINSZ, &size);
}

void terminal_begin(struct launch *launch)
{
	struct terminal *terminal = &launch->terminal;

	terminal->master = (int)launch->slot[launch->plan.head->terminal];
	terminal->in = reopen(STDIN_FILENO, O_RDONLY);
	terminal->out = reopen(STDOUT_FILENO, O_WRONLY);
	/* The master end stands for the command's end here: ioctl_tty(2). What erases, and UTF-8, are as the user has them. */
	tcsetattr(terminal->master, TCSANOW, &terminal->before);
	terminal_resize(launch);
	terminal_take(launch);
}

static void make_raw(struct terminal *terminal)
{
	struct termios raw = terminal->before;

	cfmakeraw(&raw);
	/* First: killed in between, the guardian sets what is set. */
	if (write(terminal->orders, &(char){ ORDER_RAW }, 1) == 1)
		terminal->raw = set_mode(&raw);
}

void terminal_take(struct launch *launch)
{
	struct terminal *terminal = &launch->terminal;

	if (is_in_background())
		terminal_give_back(launch);
	else if (!terminal->raw && tcgetattr(STDIN_FILENO, &terminal->before) == 0)
		make_raw(terminal);
}

void terminal_retake(struct launch *launch)
{
	/* Stopped without a chance to give it back; what it was like before is still known. */
	if (launch->terminal.raw && !is_in_background())
		make_raw(&launch->terminal);
	else
		terminal_take(launch);
	terminal_resize(launch);
}

void terminal_give_back(struct launch *launch)
{
	struct terminal *terminal = &launch->terminal;

	if (!terminal->raw)
		return;
	terminal->raw = false;
	/* In the background it is another's by now, who has set it as it wants it. */
	if (!is_in_background())
		set_mode(&terminal->before);
	if (write(terminal->orders, &(char){ ORDER_GIVEN_BACK }, 1) != 1)
		return;
}

void terminal_end(struct launch *launch)
{
	terminal_give_back(launch);
	close(launch->terminal.orders);
	while (waitpid(launch->terminal.guardian, NULL, 0) < 0 && errno == EINTR)
		continue;
}
