/*
 * The limits that the supervisor keeps itself: wall-clock time, processor time of all in the sandbox, and bytes that the command
 * prints. The kernel has no limit on the second but for each process by itself, so it is looked at every TICK_MS.
 */
#include "launcher.h"

#include <sys/wait.h>

static bool limits_cpu(const struct launch *launch)
{
	return launch->plan.head->cpu_stat != PLAN_NO_SLOT;
}

int limit_patience_ms(const struct launch *launch)
{
	int rest = remaining_ms(launch);

	return limits_cpu(launch) && (rest < 0 || rest > TICK_MS) ? TICK_MS : rest;
}

static bool is_cpu_used(struct launch *launch)
{
	int64_t now = clock_ns();

	if (!limits_cpu(launch) || now - launch->cpu_seen_ns < TICK_MS * INT64_C(1000000))
		return false;
	launch->cpu_seen_ns = now;
	int64_t used = sum_file((int)launch->slot[launch->plan.head->cpu_stat], "usage_usec ", "");
	return used >= 0 && (uint64_t)used >= launch->plan.head->cpu_us;
}

enum verdict limit_verdict(struct launch *launch)
{
	if (launch->overprinted)
		return VERDICT_PRINTED;
	if (remaining_ms(launch) == 0)
		return VERDICT_TIMEOUT;
	return is_cpu_used(launch) ? VERDICT_CPU_TIME : VERDICT_NONE;
}

void limit_printed(struct launch *launch, struct buffer *buffer)
{
	const struct plan_header *head = launch->plan.head;
	uint64_t n = buffer->to - buffer->from;

	if ((head->flags & PLAN_PRINTED) == 0)
		return;
	uint64_t room = head->printed_max - launch->printed;
	if (n > room) {
		buffer->to = buffer->from + (uint32_t)room;
		launch->overprinted = true;
		n = room;
	}
	launch->printed += n;
}

const char *limit_name(const struct end *end)
{
	int ended = end->ran && WIFSIGNALED(end->status) ? WTERMSIG(end->status) : 0;

	switch (end->verdict) {
	case VERDICT_TIMEOUT:
		return "timeout";
	case VERDICT_CPU_TIME:
		return "cpu_time";
	case VERDICT_PRINTED:
		return "output";
	case VERDICT_NONE:
	default:
		break;
	}
	if (ended == SIGXCPU || ended == SIGXFSZ)
		return ended == SIGXCPU ? "rlimits.cpu" : "rlimits.fsize";
	return end->full ? "root.size" : NULL;
}
