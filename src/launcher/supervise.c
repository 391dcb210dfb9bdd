/* The supervisor's wait: limits, parent's life, what is relayed, and how it all ended. */
#include "launcher.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_over(const struct end *end)
{
	return end->verdict != VERDICT_NONE || end->orphaned;
}

/* Takes in what init or the payload told; the first failure counts, whatever comes after it. */
static bool read_record(const struct launch *launch, struct end *end, struct record *record)
{
	if (read(launch->status[0], record, sizeof(*record)) != (ssize_t)sizeof(*record))
		return false;
	end->reaped = end->reaped || record->kind == RECORD_EXITED;
	if (end->failed)
		return true;
	switch ((enum record_kind)record->kind) {
	case RECORD_STARTED:
		end->started = true;
		break;
	case RECORD_EXITED:
		end->status = record->value;
		end->full = record->entry != 0;
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

bool read_records(const struct launch *launch, struct end *end)
{
	struct record record;
	bool stopped = false;

	while (read_record(launch, end, &record))
		stopped = stopped || record.kind == RECORD_STOPPED;
	return stopped;
}

enum watched {
	WATCHED_INIT,
	WATCHED_SIGNALS,
	WATCHED_PARENT,
	WATCHED_SHARE,
	WATCHED_SERVICES,
	WATCHED_STATUS = WATCHED_SERVICES + SERVICES,
	WATCHED_RELAYED,
	WATCHED = WATCHED_RELAYED + RELAYED,
};

/* How long poll(2) may take: to the next look at a limit, or until the terminal is to be looked at again. */
static int patience_ms(const struct launch *launch, const struct end *end)
{
	int limit = is_over(end) ? -1 : limit_patience_ms(launch);

	if (!has_terminal(launch) || launch->terminal.master < 0 || end->reaped ||
	    (launch->terminal.raw && !launch->terminal.hung))
		return limit;
	return limit >= 0 && limit < TICK_MS ? limit : TICK_MS;
}

/* A service that has ended by itself: what it was for is gone, so the sandbox ends too. */
static void attend_services(struct launch *launch, struct end *end, struct pollfd *fds)
{
	for (uint32_t i = 0; i < launch->services; i++) {
		if (fds[i].revents == 0)
			continue;
		fds[i].fd = -1;
		/* What has come of the command until now counts first: that it runs, failed or is over. */
		read_records(launch, end);
		if (!end->failed && !end->ran) {
			end->failed = true;
			end->failure = (struct record){ .kind = RECORD_FAILED, .entry = launch->service[i].entry, .value = ESRCH };
		}
		kill_sandbox(launch);
	}
}

/* Nobody gets the network before the command starts: until then it may have no fence. The status pipe tells when it does. */
static int shared_fd(const struct launch *launch, const struct end *end)
{
	if (launch->share < 0 || end->started)
		return launch->share;
	return is_relayed(launch) ? -1 : launch->status[0]; /* relayed_attend() reads that itself */
}

/* Until init ends: signals, the time limit, the parent's end, a service's end, the terminal. */
static void wait_for_init(struct launch *launch, struct end *end)
{
	struct pollfd fds[WATCHED] = {
		[WATCHED_INIT] = { .fd = launch->child_pidfd, .events = POLLIN },
		[WATCHED_SIGNALS] = { .fd = launch->signals, .events = POLLIN },
		[WATCHED_PARENT] = { .fd = launch->parent, .events = POLLIN },
		[WATCHED_STATUS] = { .fd = launch->status[0], .events = POLLIN },
	};
	for (uint32_t i = 0; i < SERVICES; i++) {
		int fd = i < launch->services ? launch->service[i].pidfd : -1;
		fds[WATCHED_SERVICES + i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	for (uint32_t i = WATCHED_RELAYED; i < WATCHED; i++)
		fds[i].fd = -1;
	nfds_t watched = is_relayed(launch) ? WATCHED : WATCHED_STATUS;
	tell_steering(launch);

	for (;;) {
		if (is_relayed(launch))
			relayed_watch(launch, end, &fds[WATCHED_RELAYED]);
		fds[WATCHED_SHARE] = (struct pollfd){ .fd = shared_fd(launch, end), .events = POLLIN };
		int n = poll(fds, watched, patience_ms(launch, end));
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && fds[WATCHED_INIT].revents != 0)
			return;
		enum verdict verdict = is_over(end) ? VERDICT_NONE : limit_verdict(launch);
		if (n < 0 || verdict != VERDICT_NONE) {
			/* A command that has ended was in time; what it printed is counted while it is passed on. */
			if (n >= 0 && (!end->reaped || verdict == VERDICT_PRINTED))
				end->verdict = verdict;
			kill_sandbox(launch);
			continue;
		}
		if (fds[WATCHED_PARENT].revents != 0) {
			end->orphaned = true;
			fds[WATCHED_PARENT].fd = -1;
			kill_sandbox(launch);
		}
		if (fds[WATCHED_SIGNALS].revents != 0)
			attend_signals(launch, end);
		if (fds[WATCHED_SHARE].revents != 0 && end->started)
			attend_share(launch);
		else if (fds[WATCHED_SHARE].revents != 0)
			read_records(launch, end);
		attend_services(launch, end, &fds[WATCHED_SERVICES]);
		if (is_relayed(launch))
			relayed_attend(launch, end, &fds[WATCHED_RELAYED], fds[WATCHED_STATUS].revents != 0);
	}
}

struct end supervise(struct launch *launch, struct failure failure)
{
	struct end end = { .exit = EXIT_SETUP };

	if (failure.error == EINTR)
		tell_interruption(launch, &end);
	if (failure.error != 0)
		kill_sandbox(launch);
	else
		wait_for_init(launch, &end);
	if (is_relayed(launch) && failure.error == 0)
		relayed_drain(launch, &end);
	/* Also what was printed last, and is only seen now. */
	if (launch->overprinted)
		end.verdict = VERDICT_PRINTED;
	int init = 0;
	while (launch->child > 0 && waitpid(launch->child, &init, 0) < 0 && errno == EINTR)
		continue;
	read_records(launch, &end);
	/* Without a record something has killed init. What init told explains a host step that failed for want of it. */
	if (!end.ran)
		end.status = end.interrupted != 0 ? end.interrupted : init;
	if (failure.error != 0 && failure.error != EINTR && !end.failed) {
		end.failed = true;
		end.failure = (struct record){ .kind = RECORD_FAILED, .entry = failure.entry, .value = failure.error };
	}
	return end;
}
