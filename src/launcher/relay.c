/* Carries bytes between the user's terminal and the command's; neither end is ever waited for. */
#include "launcher.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* As much as one write(2) to a pipe that poll(2) calls writable is sure to take. */
#define CHUNK 4096u

bool is_empty(const struct buffer *buffer)
{
	return buffer->from == buffer->to;
}

bool fill(struct buffer *buffer, int fd)
{
	ssize_t n = read(fd, buffer->bytes, sizeof(buffer->bytes));

	if (n > 0) {
		buffer->from = 0;
		buffer->to = (uint32_t)n;
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The user's own descriptions, where terminal_begin() could open none. */
static bool can_block(int fd)
{
	return fd <= STDERR_FILENO;
}

bool empty(struct buffer *buffer, int fd)
{
	uint32_t left = buffer->to - buffer->from;
	ssize_t n = write(fd, buffer->bytes + buffer->from, can_block(fd) && left > CHUNK ? CHUNK : left);

	buffer->from += n > 0 ? (uint32_t)n : 0;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

void relay_watch(const struct terminal *terminal, struct pollfd fds[AT_TERMINAL])
{
	bool takes = is_empty(&terminal->typed) && terminal->raw && terminal->master >= 0;
	short master = (short)((is_empty(&terminal->printed) ? POLLIN : 0) | (is_empty(&terminal->typed) ? 0 : POLLOUT));

	fds[0] = (struct pollfd){ .fd = takes ? terminal->in : -1, .events = POLLIN };
	/* While nobody has the other end open, POLLHUP would come at once each time. */
	fds[1] = (struct pollfd){ .fd = master != 0 && !terminal->hung ? terminal->master : -1, .events = master };
	fds[2] = (struct pollfd){ .fd = is_empty(&terminal->printed) ? -1 : terminal->out, .events = POLLOUT };
}

static void take_typed(struct terminal *terminal)
{
	struct buffer *typed = &terminal->typed;

	/* The user's terminal has been hung up, and so the command's is. */
	if (!fill(typed, terminal->in))
		terminal_hang_up(terminal);
	if (is_empty(typed))
		return;
	terminal->suspends = memchr(typed->bytes, terminal->before.c_cc[VSUSP], typed->to) != NULL;
	terminal->interrupts = memchr(typed->bytes, terminal->before.c_cc[VINTR], typed->to) != NULL;
}

bool relay(struct launch *launch, const struct pollfd fds[AT_TERMINAL])
{
	struct terminal *terminal = &launch->terminal;
	bool had_reader = !terminal->out_gone;

	if (fds[0].revents != 0)
		take_typed(terminal);
	/* The line discipline takes no more than a line that is too long; what it drops is dropped as at any terminal. */
	if ((fds[1].revents & POLLOUT) != 0 && !empty(&terminal->typed, terminal->master))
		terminal->typed.from = terminal->typed.to;
	/* POLLHUP comes already before the last byte that can be read. */
	terminal->hung = (fds[1].revents & POLLHUP) != 0;
	if (fds[1].revents != 0 && is_empty(&terminal->printed)) {
		terminal->hung = !fill(&terminal->printed, terminal->master);
		limit_printed(launch, &terminal->printed);
	}
	/* Without another poll(2), where it is not needed. */
	bool writes = fds[2].revents != 0 || (!can_block(terminal->out) && !is_empty(&terminal->printed));
	if (writes && !empty(&terminal->printed, terminal->out))
		terminal->out_gone = true;
	if (terminal->out_gone)
		terminal->printed.from = terminal->printed.to;
	return !had_reader || !terminal->out_gone;
}

void relay_watch_rest(const struct terminal *terminal, struct pollfd fds[AT_TERMINAL])
{
	relay_watch(terminal, fds);
	/* What is typed now is for the shell. */
	fds[0].fd = fds[1].fd = -1;
}

bool relay_rest(struct launch *launch)
{
	struct terminal *terminal = &launch->terminal;

	/* Somebody outside whom the command has handed its terminal to could print for ever. */
	if (is_empty(&terminal->printed) && terminal->rest > 0) {
		fill(&terminal->printed, terminal->master);
		terminal->rest -= (int32_t)(terminal->printed.to - terminal->printed.from);
		limit_printed(launch, &terminal->printed);
	}
	return !is_empty(&terminal->printed);
}
