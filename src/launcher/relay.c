/* Carries bytes between the user's terminal and the command's; neither end is ever waited for. */
#include "launcher.h"

#include <errno.h>
#include <unistd.h>

/* As much as one write(2) to a pipe that poll(2) calls writable is sure to take. */
#define CHUNK 4096u

static bool is_empty(const struct buffer *buffer)
{
	return buffer->from == buffer->to;
}

/* Whether the other end is still there. */
static bool fill(struct buffer *buffer, int fd)
{
	ssize_t n = read(fd, buffer->bytes, sizeof(buffer->bytes));

	if (n > 0) {
		buffer->from = 0;
		buffer->to = (uint32_t)n;
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool empty(struct buffer *buffer, int fd)
{
	uint32_t left = buffer->to - buffer->from;
	ssize_t n = write(fd, buffer->bytes + buffer->from, left < CHUNK ? left : CHUNK);

	buffer->from += n > 0 ? (uint32_t)n : 0;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

void relay_watch(const struct terminal *terminal, struct pollfd fds[RELAYED])
{
	bool takes = is_empty(&terminal->typed) && terminal->raw && terminal->master >= 0;
	short master = (short)((is_empty(&terminal->printed) ? POLLIN : 0) | (is_empty(&terminal->typed) ? 0 : POLLOUT));

	fds[0] = (struct pollfd){ .fd = takes ? terminal->in : -1, .events = POLLIN };
	/* While nobody has the other end open, POLLHUP would come at once each time. */
	fds[1] = (struct pollfd){ .fd = master != 0 && !terminal->hung ? terminal->master : -1, .events = master };
	fds[2] = (struct pollfd){ .fd = is_empty(&terminal->printed) ? -1 : terminal->out, .events = POLLOUT };
}

bool relay(struct terminal *terminal, const struct pollfd fds[RELAYED])
{
	bool had_reader = !terminal->out_gone;

	/* The user's terminal has been hung up, and so the command's is. */
	if (fds[0].revents != 0 && !fill(&terminal->typed, terminal->in)) {
		close(terminal->master);
		terminal->master = -1;
	}
	/* The line discipline takes no more than a line that is too long; what it drops is dropped as at any terminal. */
	if ((fds[1].revents & POLLOUT) != 0 && !empty(&terminal->typed, terminal->master))
		terminal->typed.from = terminal->typed.to;
	/* EIO comes after the last byte only; POLLHUP comes before. */
	terminal->hung = terminal->master < 0 || (fds[1].revents != 0 && is_empty(&terminal->printed) &&
						  !fill(&terminal->printed, terminal->master));
	if (fds[2].revents != 0 && !empty(&terminal->printed, terminal->out))
		terminal->out_gone = true;
	if (terminal->out_gone)
		terminal->printed.from = terminal->printed.to;
	return !had_reader || !terminal->out_gone;
}

bool is_relayed(const struct terminal *terminal)
{
	return terminal->hung && is_empty(&terminal->printed);
}
