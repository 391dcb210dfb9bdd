/* The supervisor: starts clean, plays the host script, waits, tells how it ended, clears up. */
#include "launcher.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const enum outcome BY_VERDICT[] = {
	[VERDICT_TIMEOUT] = OUTCOME_TIMEOUT,
	[VERDICT_CPU_TIME] = OUTCOME_CPU_TIME,
	[VERDICT_PRINTED] = OUTCOME_PRINTED,
};

/* What a signal tells of the sandbox, or OUTCOMES. */
static enum outcome by_signal(int number)
{
	switch (number) {
	case SIGSYS:
		return OUTCOME_SIGSYS;
	case SIGXCPU:
		return OUTCOME_SIGXCPU;
	case SIGXFSZ:
		return OUTCOME_SIGXFSZ;
	default:
		return OUTCOMES;
	}
}

/* Decides the exit status and tells what the command itself could not. */
static void judge(const struct launch *launch, struct end *end)
{
	const struct plan *plan = &launch->plan;
	bool errors = (plan->head->flags & PLAN_SILENT) == 0;
	bool notes = errors && (plan->head->flags & PLAN_QUIET) == 0;

	if (end->verdict != VERDICT_NONE) {
		enum outcome outcome = BY_VERDICT[end->verdict];
		end->exit = (int)plan->step[plan->head->outcome[outcome]].exit;
		if (notes)
			tell_outcome(launch, outcome, 0);
	} else if (end->failed && end->failure.kind == RECORD_FAILED) {
		if (errors) {
			tell_service_words(launch, end->failure.entry);
			tell_failure(launch, end->failure.entry, end->failure.value);
		}
	} else if (end->failed) {
		enum outcome outcome = (enum outcome)end->failure.entry;
		end->exit = (int)plan->step[plan->head->outcome[outcome]].exit;
		if (errors)
			tell_outcome(launch, outcome, end->failure.value);
	} else if (!end->ran && WIFEXITED(end->status)) {
		if (errors)
			tell_error("cannot set up the sandbox", "its first process ended without a word");
	} else if (WIFSIGNALED(end->status)) {
		end->exit = 128 + WTERMSIG(end->status);
		enum outcome outcome = by_signal(WTERMSIG(end->status));
		if (notes && outcome != OUTCOMES)
			tell_outcome(launch, outcome, 0);
	} else {
		end->exit = WEXITSTATUS(end->status);
	}
}

/* Whether init was killed, and not by tsbox: by somebody outside, or by the kernel for want of memory. */
static bool is_killed(const struct end *end)
{
	return !end->ran && !end->failed && end->verdict == VERDICT_NONE && !end->orphaned && end->interrupted == 0 &&
	       WIFSIGNALED(end->status);
}

void run_plan(struct launch *launch, char **command, pid_t parent)
{
	launch->command = command;
	launch->child = launch->child_pidfd = launch->share = -1;
	/* An fd that no call has opened is none; 0 would be standard input. */
	memset(launch->slot, -1, sizeof(launch->slot));
	start_clean(launch, parent);

	struct failure failure = play(launch, SCRIPT_HOST);
	if (failure.error == 0 && has_terminal(launch))
		terminal_begin(launch);
	if (failure.error == 0 && has_outputs(launch))
		outputs_begin(launch);
	if (failure.error == 0)
		failure.error = tell_set_up(launch);
	/* A process that dies closes its fds, which a step may fail of, a moment before its end can be seen. */
	else if (failure.error != EINTR && launch->child > 0 && has_ended(launch->child_pidfd, TICK_MS))
		failure.error = 0; /* for want of init: what that told, or that something has killed it, is the reason */
	close(launch->set_up[0]);
	close(launch->set_up[1]);
	close(launch->status[1]);
	struct end end = supervise(launch, failure);
	if (has_terminal(launch))
		terminal_end(launch);
	judge(launch, &end);
	bool notes = (launch->plan.head->flags & (PLAN_SILENT | PLAN_QUIET)) == 0;
	if (end.full && end.exit != 0 && notes)
		tell_note("the sandbox's own files have no room left (root.size)");
	bool killed = is_killed(&end);
	play_after(launch, &end);
	if (killed && !is_limited(launch) && notes)
		tell_note("something outside has killed the sandbox's first process");
	if ((launch->plan.head->flags & PLAN_STATS) != 0)
		tell_stats(launch);
	if (launch->plan.head->report != PLAN_NO_SLOT)
		write_report(launch, &end);
	/* After the report, which counts what init has waited for and not these. */
	stop_services(launch);
	if ((end.ran || end.interrupted != 0) && end.exit == 128 + SIGINT && WIFSIGNALED(end.status) && is_at_terminal())
		interrupt_job(launch);
	_exit(end.exit);
}
