/* What the supervisor carries between the user and the command: all of a terminal (relay.c), or what is printed (output.c). */
#include "launcher.h"

_Static_assert(AT_TERMINAL <= RELAYED && 2 * PRINTED <= RELAYED, "room for either");

bool is_relayed(const struct launch *launch)
{
	return has_terminal(launch) || has_outputs(launch);
}

void relayed_watch(const struct launch *launch, const struct end *end, struct pollfd fds[RELAYED])
{
	for (uint32_t i = 0; i < RELAYED; i++)
		fds[i] = (struct pollfd){ .fd = -1 };
	if (has_outputs(launch))
		outputs_watch(launch, fds);
	else if (end->reaped)
		relay_watch_rest(&launch->terminal, fds);
	else
		relay_watch(&launch->terminal, fds);
}

static bool has_rest(struct launch *launch)
{
	return has_outputs(launch) ? outputs_rest(launch) : relay_rest(launch);
}

/* What is typed and printed at the command's own terminal, and what init tells of a command that stops there. */
static void attend_terminal(struct launch *launch, struct end *end, const struct pollfd fds[RELAYED], bool told)
{
	/* A shell tells nobody when it puts a job that runs into the foreground. */
	terminal_take(launch);
	if (!relay(launch, fds))
		send_signal(launch, SIGHUP);
	if (told && read_records(launch, end) && !end->reaped)
		stop_job(launch, end);
}

void relayed_attend(struct launch *launch, struct end *end, const struct pollfd fds[RELAYED], bool told)
{
	if (has_terminal(launch)) {
		attend_terminal(launch, end, fds, told);
	} else {
		outputs_relay(launch, fds);
		if (told)
			read_records(launch, end);
	}
	if (end->reaped && !has_rest(launch))
		kill_sandbox(launch);
}

/* What the sandbox has printed before something ended it, as far as somebody reads it. */
void relayed_drain(struct launch *launch, struct end *end)
{
	int64_t until_ns = clock_ns() + STOP_MS * INT64_C(1000000);
	struct pollfd fds[RELAYED];

	end->reaped = true;
	while (has_rest(launch) && clock_ns() < until_ns) {
		relayed_watch(launch, end, fds);
		if (poll(fds, RELAYED, TICK_MS) <= 0)
			continue;
		if (has_outputs(launch))
			outputs_relay(launch, fds);
		else
			relay(launch, fds);
	}
}
