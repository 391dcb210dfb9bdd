/*
 * What the command prints, when that is limited and it has no terminal of its own: it gets pipes instead of the user's standard
 * output and error, and the supervisor carries on what comes. As with the terminal, neither end is ever waited for.
 */
#include "launcher.h"

#include <fcntl.h>
#include <unistd.h>

bool has_outputs(const struct launch *launch)
{
	return launch->plan.head->printed[0] != PLAN_NO_SLOT;
}

void outputs_begin(struct launch *launch)
{
	for (uint32_t i = 0; i < PRINTED; i++) {
		uint32_t slot = launch->plan.head->printed[i];
		struct output *output = &launch->output[i];
		output->from = slot == PLAN_NO_SLOT ? -1 : (int)launch->slot[slot];
		output->to = reopen(STDOUT_FILENO + (int)i, O_WRONLY);
		if (output->from >= 0)
			fcntl(output->from, F_SETFL, O_NONBLOCK);
	}
}

/* Whoever still prints is told so, by SIGPIPE. */
static void hang_up(struct output *output)
{
	if (output->from >= 0)
		close(output->from);
	output->from = -1;
	output->printed.from = output->printed.to;
}

static void take(struct launch *launch, struct output *output)
{
	if (output->from < 0 || !is_empty(&output->printed))
		return;
	bool has_writer = fill(&output->printed, output->from);
	limit_printed(launch, &output->printed);
	if (!has_writer)
		hang_up(output);
}

void outputs_watch(const struct launch *launch, struct pollfd fds[2 * PRINTED])
{
	for (uint32_t i = 0; i < PRINTED; i++) {
		const struct output *output = &launch->output[i];
		bool is_waiting = is_empty(&output->printed);
		fds[2 * i] = (struct pollfd){ .fd = is_waiting ? output->from : -1, .events = POLLIN };
		fds[2 * i + 1] = (struct pollfd){ .fd = is_waiting ? -1 : output->to, .events = POLLOUT };
	}
}

void outputs_relay(struct launch *launch, const struct pollfd fds[2 * PRINTED])
{
	for (uint32_t i = 0; i < PRINTED; i++) {
		struct output *output = &launch->output[i];
		if (fds[2 * i].revents != 0)
			take(launch, output);
		if (fds[2 * i + 1].revents != 0 && !empty(&output->printed, output->to))
			hang_up(output);
	}
}

bool outputs_rest(struct launch *launch)
{
	bool rest = false;

	for (uint32_t i = 0; i < PRINTED; i++) {
		take(launch, &launch->output[i]);
		rest = rest || !is_empty(&launch->output[i].printed);
	}
	return rest;
}
