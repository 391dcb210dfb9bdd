/* The report: one JSON object about the run. */
#include "text.h"

#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void put_field(struct text *text, const struct launch *launch, const char *name, const char *value)
{
	put_raw(text, ",\"");
	put_raw(text, name);
	put_raw(text, "\":\"");
	text->json = true;
	put_text(text, launch, value);
	text->json = false;
	put(text, '"');
}

static void put_count(struct text *text, const char *name, int64_t value)
{
	put_raw(text, ",\"");
	put_raw(text, name);
	put_raw(text, "\":");
	put_number(text, value);
}

static void put_error(struct text *text, const struct launch *launch, const struct end *end)
{
	const struct plan *plan = &launch->plan;
	struct message message = end->failure.kind == RECORD_FAILED
					 ? step_message(launch, end->failure.entry, end->failure.value)
					 : outcome_message(launch, (enum outcome)end->failure.entry, end->failure.value);
	const char *name = strerrorname_np(end->failure.value);

	put_raw(text, ",\"error\":{\"errno\":\"");
	put_raw(text, name != NULL ? name : "");
	put(text, '"');
	put_field(text, launch, "code", plan_text(plan, message.step->code));
	put_field(text, launch, "what", plan_text(plan, message.step->what));
	put_raw(text, ",\"why\":\"");
	text->json = true;
	put_why(text, launch, &message);
	text->json = false;
	put(text, '"');
	put_field(text, launch, "fix", message.fix);
	put_field(text, launch, "from", plan_text(plan, message.step->from));
	if (message.entry != NULL) {
		put_raw(text, ",\"call\":\"");
		text->json = true;
		put_call(text, launch, message.entry);
		text->json = false;
		put(text, '"');
	}
	put(text, '}');
}

static int64_t milliseconds(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000 + time.tv_usec / 1000;
}

/* One more of a list that may come to be empty. */
static void put_item(struct text *text, const struct launch *launch, const char *list, bool *any, const char *item)
{
	put_raw(text, *any ? "," : ",\"");
	put_raw(text, *any ? "" : list);
	put_raw(text, *any ? "\"" : "\":[\"");
	*any = true;
	text->json = true;
	put_text(text, launch, item);
	text->json = false;
	put(text, '"');
}

/* `first`, unless it is NULL, and names that the last script has told of, one kind of them. */
static void put_told(struct text *text, const struct launch *launch, const char *list, uint8_t flag, const char *first)
{
	const struct plan *plan = &launch->plan;
	const uint32_t *range = plan->head->script[SCRIPT_AFTER];
	bool any = false;

	if (first != NULL)
		put_item(text, launch, list, &any, first);

	for (uint32_t i = range[0]; i < range[0] + range[1]; i++) {
		const struct plan_entry *entry = &plan->entry[i];
		if (entry->op != OP_TELL || (entry->flags & ENTRY_LIMIT) != flag || !has_told(launch, entry))
			continue;
		put_item(text, launch, list, &any, plan_text(plan, (uint32_t)entry->arg[2]));
	}
	if (any)
		put(text, ']');
}

static void put_figures(struct text *text, const struct launch *launch)
{
	const struct plan *plan = &launch->plan;
	const uint32_t *range = plan->head->script[SCRIPT_AFTER];

	for (uint32_t i = range[0]; i < range[0] + range[1]; i++) {
		const struct plan_entry *entry = &plan->entry[i];
		if (entry->op == OP_FIGURE && figure_of(launch, entry) >= 0)
			put_count(text, plan_text(plan, (uint32_t)entry->arg[4]), figure_of(launch, entry));
	}
}

static void put_stat(struct text *text, const char *name, int64_t value)
{
	if (value <= 0)
		return;
	put_raw(text, ", ");
	put_raw(text, name);
	put(text, ' ');
	put_number(text, value);
}

/* By the names of the report; what is 0 is left out. */
void tell_stats(const struct launch *launch)
{
	const struct plan *plan = &launch->plan;
	const uint32_t *range = plan->head->script[SCRIPT_AFTER];
	struct text text = { .fd = STDERR_FILENO };
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	put_raw(&text, "tsbox: wall_ms ");
	put_number(&text, (clock_ns() - launch->started_ns) / 1000000);
	put_stat(&text, "user_ms", milliseconds(usage.ru_utime));
	put_stat(&text, "system_ms", milliseconds(usage.ru_stime));
	put_stat(&text, "max_rss_bytes", (int64_t)usage.ru_maxrss * 1024);
	for (uint32_t i = range[0]; i < range[0] + range[1]; i++) {
		const struct plan_entry *entry = &plan->entry[i];
		if (entry->op == OP_FIGURE)
			put_stat(&text, plan_text(plan, (uint32_t)entry->arg[4]), figure_of(launch, entry));
	}
	put(&text, '\n');
	flush_text(&text);
}

void write_report(const struct launch *launch, const struct end *end)
{
	const struct plan *plan = &launch->plan;
	struct text text = { .fd = (int)launch->slot[plan->head->report] };
	struct rusage usage;
	uint64_t id = 0;
	bool signaled = end->ran && WIFSIGNALED(end->status);

	getrusage(RUSAGE_CHILDREN, &usage);
	/* The id tells runs apart in logs; it opens nothing. */
	if (syscall(SYS_getrandom, &id, sizeof(id), 0u) != (long)sizeof(id))
		id = (uint64_t)launch->started_ns;
	put_raw(&text, "{\"id\":\"");
	for (int shift = 60; shift >= 0; shift -= 4)
		put(&text, "0123456789abcdef"[id >> shift & 15]);
	put(&text, '"');
	put_count(&text, "exit", end->exit);
	if (end->ran && WIFEXITED(end->status))
		put_count(&text, "exit_code", WEXITSTATUS(end->status));
	if (signaled)
		put_count(&text, "signal", WTERMSIG(end->status));
	put_raw(&text, end->started ? ",\"started\":true" : ",\"started\":false");
	put_raw(&text, end->verdict == VERDICT_TIMEOUT ? ",\"timed_out\":true" : ",\"timed_out\":false");
	put_count(&text, "wall_ms", (clock_ns() - launch->started_ns) / 1000000);
	put_count(&text, "user_ms", milliseconds(usage.ru_utime));
	put_count(&text, "system_ms", milliseconds(usage.ru_stime));
	put_count(&text, "max_rss_bytes", (int64_t)usage.ru_maxrss * 1024);
	put_figures(&text, launch);
	put_told(&text, launch, "limits_reached", ENTRY_LIMIT, limit_name(end));
	put_told(&text, launch, "moved_aside", 0, NULL);
	if (end->failed)
		put_error(&text, launch, end);
	if (end->started) {
		put_raw(&text, ",\"in_force\":");
		put_raw(&text, plan_text(plan, plan->head->in_force));
	}
	put_raw(&text, "}\n");
	flush_text(&text);
}
