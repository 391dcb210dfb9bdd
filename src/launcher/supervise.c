/* The supervisor's wait: signals on, time limit, parent's life, and how it all ended. */
#include "launcher.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void send(const struct launch *launch, int number)
{
	/* ESRCH: init has just ended, which the next poll tells. */
	syscall(SYS_pidfd_send_signal, launch->child_pidfd, number, NULL, 0u);
}

void kill_sandbox(struct launch *launch)
{
	if (launch->child > 0)
		send(launch, SIGKILL);
}

/* One second more than the rest, never less: a limit may be told late but not early. */
static int remaining_ms(const struct launch *launch)
{
	const struct plan_header *head = launch->plan.head;

	if ((head->flags & PLAN_TIMEOUT) == 0)
		return -1;
	int64_t rest = (int64_t)head->timeout_ms - (clock_ns() - launch->started_ns) / 1000000;
	if (rest <= 0)
		return 0;
	return rest > INT32_MAX ? INT32_MAX : (int)rest;
}

/* Takes in what init or the payload told; the first failure counts, whatever comes after it. */
static bool read_record(const struct launch *launch, struct end *end, struct record *record)
{
	if (read(launch->status[0], record, sizeof(*record)) != (ssize_t)sizeof(*record))
		return false;
	if (end->failed)
		return true;
	switch ((enum record_kind)record->kind) {
	case RECORD_STARTED:
		end->started = true;
		break;
	case RECORD_EXITED:
		end->status = record->value;
		end->ran = true;
		break;
	case RECORD_FAILED:
	case RECORD_OUTCOME:
		end->failure = *record;
		end->failed = true;
		end->started = false;
		break;
	case RECORD_STOPPED:
	default:
		break;
	}
	return true;
}

/* Waits until the command has stopped, but not for ever: it may be in a sleep that cannot be interrupted. */
static void await_stop(const struct launch *launch, struct end *end)
{
	struct pollfd status = { .fd = launch->status[0], .events = POLLIN };
	struct record record = { .kind = RECORD_STARTED };

	while (record.kind != RECORD_STOPPED && poll(&status, 1, STOP_MS) == 1 && read_record(launch, end, &record))
		continue;
}

static void forward(const struct launch *launch, int signals, struct end *end)
{
	struct signal {
		uint32_t number;
		uint8_t rest[124]; /* struct signalfd_siginfo is 128 bytes, signalfd(2) */
	} signal;

	while (read(signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
		send(launch, (int)signal.number);
		if (signal.number != SIGTSTP)
			continue;
		await_stop(launch, end);
		/* The shell that started tsbox waits for this process to stop; SIGCONT wakes it and is forwarded too. */
		kill(getpid(), SIGSTOP);
	}
}

struct end supervise(struct launch *launch)
{
	struct end end = { .exit = EXIT_SETUP };
	const struct plan_header *head = launch->plan.head;
	int signals = (int)syscall(SYS_signalfd4, -1, &head->forwarded, sizeof(head->forwarded), 02004000 /* both CLOEXEC and NONBLOCK */);
	int parent = -1;

	if (launch->parent > 0) {
		parent = (int)syscall(SYS_pidfd_open, launch->parent, 0u);
		/* Opened first, compared then: the pid cannot be another's by now. */
		if (parent < 0 || getppid() != launch->parent)
			end.orphaned = true;
	}
	struct pollfd fds[] = {
		{ .fd = launch->child_pidfd, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = parent, .events = POLLIN },
	};
	if (signals < 0 || end.orphaned)
		kill_sandbox(launch);
	for (;;) {
		int n = poll(fds, 3, end.timed_out || end.orphaned ? -1 : remaining_ms(launch));
		if (n < 0 && errno == EINTR)
			continue;
		if (fds[0].revents != 0)
			break;
		if (n <= 0) {
			end.timed_out = n == 0;
			kill_sandbox(launch);
			continue;
		}
		if (fds[2].revents != 0) {
			end.orphaned = true;
			fds[2].fd = -1;
			kill_sandbox(launch);
		}
		if (fds[1].revents != 0)
			forward(launch, signals, &end);
	}
	int status = 0;
	while (waitpid(launch->child, &status, 0) < 0 && errno == EINTR)
		continue;
	struct record record;
	while (read_record(launch, &end, &record))
		continue;
	/* Init ends without a record only when something kills it. */
	if (!end.ran && !end.failed)
		end.status = SIGKILL;
	return end;
}
