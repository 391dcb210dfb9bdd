/*
 * What the supervisor has left to do when the sandbox has ended, whichever way it did: the last script. Unlike the others it is
 * played to its end also when a call fails, and of what the host script did not come to make nothing is to be undone.
 */
#include "launcher.h"

#include <string.h>

#define NONE (-1)

/* Whether there is what the entry works on: a call that was not made, or whose failure is tolerated, has saved nothing. */
bool is_due(const struct launch *launch, const struct plan_entry *entry)
{
	for (uint32_t i = 0; i < entry->argc; i++)
		if (entry->kind[i] == ARG_SLOT && launch->slot[entry->arg[i]] == NONE)
			return false;
	return true;
}

bool has_told(const struct launch *launch, const struct plan_entry *entry)
{
	int told;

	memcpy(&told, launch->plan.data + entry->arg[3], sizeof(told));
	return told != 0;
}

bool is_limited(const struct launch *launch)
{
	const uint32_t *range = launch->plan.head->script[SCRIPT_AFTER];

	for (uint32_t i = range[0]; i < range[0] + range[1]; i++) {
		const struct plan_entry *entry = &launch->plan.entry[i];
		if (entry->op == OP_TELL && (entry->flags & ENTRY_LIMIT) != 0 && has_told(launch, entry))
			return true;
	}
	return false;
}

static void tell(struct launch *launch, const struct plan_entry *entry)
{
	const int told = 1;

	memcpy(launch->plan.data + entry->arg[3], &told, sizeof(told));
	if ((launch->plan.head->flags & (PLAN_SILENT | PLAN_QUIET)) == 0)
		tell_note(plan_text(&launch->plan, (uint32_t)entry->arg[1]));
}

static void fail(struct launch *launch, struct end *end, uint32_t entry, int error)
{
	if ((launch->plan.head->flags & PLAN_SILENT) == 0)
		tell_failure(launch, entry, error);
	end->exit = EXIT_SETUP;
	if (end->failed)
		return;
	end->failed = true;
	end->failure = (struct record){ .kind = RECORD_FAILED, .entry = entry, .value = error };
}

void play_after(struct launch *launch, struct end *end)
{
	const uint32_t *range = launch->plan.head->script[SCRIPT_AFTER];

	for (uint32_t i = range[0]; i < range[0] + range[1]; i++) {
		const struct plan_entry *entry = &launch->plan.entry[i];
		if (!is_due(launch, entry) || (end->started && (entry->flags & ENTRY_UNSTARTED) != 0))
			continue;
		int error = 0;
		if (entry->op == OP_TELL)
			tell(launch, entry);
		else if (entry->op == OP_FIGURE)
			read_figure(launch, entry);
		else if (entry->op == OP_PRUNE)
			error = prune(launch, entry);
		else
			error = play_entry(launch, entry);
		if (error != 0)
			fail(launch, end, i, error);
	}
}
