/* What the host script waits for, no longer than the run may last. */
#include "launcher.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int remaining_ms(const struct launch *launch)
{
	const struct plan_header *head = launch->plan.head;

	if ((head->flags & PLAN_TIMEOUT) == 0)
		return -1;
	int64_t rest = (int64_t)head->timeout_ms - (clock_ns() - launch->started_ns) / 1000000;
	if (rest <= 0)
		return 0;
	return rest > INT32_MAX ? INT32_MAX : (int)rest;
}

/* Without a command the others of them have no effect (signal(7)); they stay pending until there is one. */
static uint64_t ending_signals(const struct launch *launch)
{
	return launch->plan.head->forwarded & ~(signal_bit(SIGCONT) | signal_bit(SIGTSTP) | signal_bit(SIGWINCH));
}

/* Of two times, -1 being for ever. */
static int shorter(int one, int other)
{
	if (one < 0 || other < 0)
		return one < 0 ? other : one;
	return one < other ? one : other;
}

int await(const struct launch *launch, int fd, int other, int limit_ms)
{
	uint64_t ending = ending_signals(launch);
	int signals = (int)syscall(SYS_signalfd4, -1, &ending, sizeof(ending), SFD_CLOEXEC);
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = launch->parent, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
		{ .fd = other, .events = POLLIN },
	};
	int n;

	if (signals < 0)
		return errno;
	do {
		n = poll(fds, sizeof(fds) / sizeof(fds[0]), shorter(limit_ms, remaining_ms(launch)));
	} while (n < 0 && errno == EINTR);
	int error = n < 0 ? errno : 0;
	close(signals);
	if (error != 0)
		return error;
	if (fds[0].revents != 0 || fds[1].revents != 0 || remaining_ms(launch) == 0)
		return EINTR;
	return n == 0 ? ETIMEDOUT : 0;
}

bool has_ended(int pidfd, int limit_ms)
{
	struct pollfd process = { .fd = pidfd, .events = POLLIN };

	return poll(&process, 1, limit_ms) == 1;
}

void tell_interruption(const struct launch *launch, struct end *end)
{
	uint64_t ending = ending_signals(launch);
	long number = syscall(SYS_rt_sigtimedwait, &ending, NULL, &(struct timespec){ 0 }, sizeof(ending));

	end->interrupted = number > 0 ? (int)number : 0;
	if (number <= 0 && remaining_ms(launch) == 0)
		end->verdict = VERDICT_TIMEOUT;
	end->orphaned = number <= 0 && end->verdict == VERDICT_NONE;
}
