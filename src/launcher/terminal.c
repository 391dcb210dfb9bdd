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
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

bool has_terminal(const struct launch *launch)
{
	return launch->plan.head->terminal != PLAN_NO_SLOT;
}

void terminal_start(struct launch *launch)
{
	if (tcgetattr(STDIN_FILENO, &launch->terminal.before) != 0)
		die_early("standard input is no terminal any more");
	guardian_start(&launch->terminal);
}

/*
 * A description of its own, so that O_NONBLOCK is not set for the shell as well. Another user's terminal (su) can only be
 * opened as /dev/tty; where it controls another session, poll(2) before each small read and write has to do.
 */
int reopen(int fd, int access)
{
	char path[] = "/proc/self/fd/0";
	struct stat status;

	path[sizeof(path) - 2] = (char)('0' + fd);
	if (fstat(fd, &status) != 0 || !(S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode)))
		return fd;
	int own = open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0 && tcgetpgrp(fd) >= 0)
		own = open("/dev/tty", access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
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
	terminal->rest = REST_BYTES;
	terminal_resize(launch);
	terminal_take(launch);
	/*
	 * The master end stands for the command's end here: ioctl_tty(2). What erases, and UTF-8, are as the user has them. In the
	 * background the modes are those of a shell at its prompt, which are none for a command.
	 */
	if (terminal->raw)
		tcsetattr(terminal->master, TCSANOW, &terminal->before);
}

static void make_raw(struct launch *launch)
{
	struct terminal *terminal = &launch->terminal;
	struct termios raw = terminal->before;

	cfmakeraw(&raw);
	/* First: killed in between, the guardian finds what it would set. */
	guardian_tell(terminal, true);
	terminal->raw = set_modes(&raw);
	/* In the background this process is told of no new size. */
	terminal_resize(launch);
}

/* Where it does not control this session, nobody can tell; then it is as if in the foreground. */
static bool is_anothers(void)
{
	pid_t foreground = tcgetpgrp(STDIN_FILENO);

	return foreground > 0 && foreground != getpgrp();
}

void terminal_take(struct launch *launch)
{
	struct terminal *terminal = &launch->terminal;

	if (is_anothers())
		terminal_give_back(launch);
	else if (!terminal->raw && tcgetattr(STDIN_FILENO, &terminal->before) == 0)
		make_raw(launch);
	else if (!terminal->raw && errno == EIO)
		terminal_hang_up(terminal);
}

void terminal_retake(struct launch *launch)
{
	/* Stopped without a chance to give it back; what it was like before is still known. */
	if (launch->terminal.raw && !is_anothers())
		make_raw(launch);
	else
		terminal_take(launch);
}

void terminal_give_back(struct launch *launch)
{
	struct terminal *terminal = &launch->terminal;

	if (!terminal->raw)
		return;
	terminal->raw = false;
	/* In the background it is another's by now, who has set it as it wants it. */
	if (!is_anothers())
		set_modes(&terminal->before);
	guardian_tell(terminal, false);
}

void terminal_hang_up(struct terminal *terminal)
{
	if (terminal->master >= 0)
		close(terminal->master);
	terminal->master = -1;
}

void terminal_end(struct launch *launch)
{
	terminal_give_back(launch);
	guardian_end(&launch->terminal);
}
