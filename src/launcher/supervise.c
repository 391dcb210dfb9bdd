/* The supervisor's wait: signals on, time limit, parent's life, and how it all ended. */
#include "launcher.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void send(const struct launch *launch, int number)
{
	/* ESRCH: init has just ended, which the next poll tells. */
	syscall(SYS_pidfd_send_signal, launch->child_pidfd, number, NULL, 0u);
}

static void kill_sandbox(struct launch *launch)
{
	if (launch->child > 0)
		send(launch, SIGKILL);
}

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

/* Takes in all that was told until now; whether the command has told that it stopped. */
static bool read_records(const struct launch *launch, struct end *end)
{
	struct record record;
	bool stopped = false;

	while (read_record(launch, end, &record))
		stopped = stopped || record.kind == RECORD_STOPPED;
	return stopped;
}

/* Waits until the command has stopped, but not for ever: it may be in a sleep that cannot be interrupted. */
static void await_stop(const struct launch *launch, struct end *end)
{
	struct pollfd status = { .fd = launch->status[0], .events = POLLIN };

	while (poll(&status, 1, STOP_MS) == 1 && (status.revents & POLLIN) != 0 && !read_records(launch, end))
		continue;
}

static void pause_with_sandbox(const struct launch *launch, struct end *end)
{
	/* What an earlier stop told too late. */
	read_records(launch, end);
	send(launch, SIGTSTP);
	await_stop(launch, end);
	/* The shell that started tsbox waits for this process to stop. */
	kill(getpid(), SIGSTOP);
}

static void forward(const struct launch *launch, struct end *end)
{
	struct signalfd_siginfo signal;

	while (read(launch->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
		if (signal.ssi_signo == SIGTSTP)
			pause_with_sandbox(launch, end);
		/* Let go on in the background it could read what is typed; it stays stopped, as if by SIGTTIN. */
		else if (signal.ssi_signo == SIGCONT && !launch->guarded && is_in_background())
			kill(getpid(), SIGSTOP);
		else
			send(launch, (int)signal.ssi_signo);
	}
}

/* Until init ends: signals, the time limit, the parent's end. */
static void wait_for_init(struct launch *launch, struct end *end)
{
	struct pollfd fds[] = {
		{ .fd = launch->child_pidfd, .events = POLLIN },
		{ .fd = launch->signals, .events = POLLIN },
		{ .fd = launch->parent, .events = POLLIN },
	};

	for (;;) {
		int n = poll(fds, 3, end->timed_out || end->orphaned ? -1 : remaining_ms(launch));
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && fds[0].revents != 0)
			return;
		if (n <= 0) {
			end->timed_out = end->timed_out || n == 0;
			kill_sandbox(launch);
			continue;
		}
		if (fds[2].revents != 0) {
			end->orphaned = true;
			fds[2].fd = -1;
			kill_sandbox(launch);
		}
		if (fds[1].revents != 0)
			forward(launch, end);
	}
}

struct end supervise(struct launch *launch, struct failure failure)
{
	struct end end = { .exit = EXIT_SETUP };

	if (failure.error != 0)
		kill_sandbox(launch);
	else
		wait_for_init(launch, &end);
	while (launch->child > 0 && waitpid(launch->child, &end.status, 0) < 0 && errno == EINTR)
		continue;
	int init = end.status;
	read_records(launch, &end);
	/* Without a record something has killed init. What init told explains a host step that failed for want of it. */
	if (!end.ran)
		end.status = init;
	if (failure.error != 0 && !end.failed) {
		end.failed = true;
		end.failure = (struct record){ .kind = RECORD_FAILED, .entry = failure.entry, .value = failure.error };
	}
	return end;
}
