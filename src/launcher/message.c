/* What the user is told on stderr: one message for each failure. Its texts come with the plan. */
#include "text.h"

#include <string.h>
#include <unistd.h>

void tell_note(const char *note)
{
	struct text text = { .fd = STDERR_FILENO };

	put_raw(&text, "tsbox: ");
	put_raw(&text, note);
	put_raw(&text, "\n");
	flush_text(&text);
}

void tell_error(const char *what, const char *why)
{
	struct text text = { .fd = STDERR_FILENO };

	put_raw(&text, "tsbox: ");
	put_raw(&text, what);
	put_raw(&text, ": ");
	put_raw(&text, why);
	put_raw(&text, " [E_LAUNCHER]\n  fix: correct that, or report it if tsbox itself did it\n");
	flush_text(&text);
}

void die_early(const char *why)
{
	tell_error("cannot start the launcher", why);
	_exit(EXIT_SETUP);
}

struct message step_message(const struct launch *launch, uint32_t entry, int error)
{
	const struct plan *plan = &launch->plan;
	const struct plan_step *step = &plan->step[plan->entry[entry].step];
	struct message message = {
		.step = step,
		.fix = plan_text(plan, step->fix),
		.entry = &plan->entry[entry],
		.error = error,
	};

	for (uint32_t i = step->alternative; i < step->alternative + step->alternative_n; i++) {
		const struct plan_alternative *alternative = &plan->alternative[i];
		if (alternative->error != (uint32_t)error)
			continue;
		message.why = plan_text(plan, alternative->why);
		message.fix = plan_text(plan, alternative->fix);
	}
	return message;
}

/* An outcome names no call: its alternative is the reason, or else the errno. */
struct message outcome_message(const struct launch *launch, enum outcome outcome, int error)
{
	const struct plan *plan = &launch->plan;
	const struct plan_step *step = &plan->step[plan->head->outcome[outcome]];
	struct message message = { .step = step, .fix = plan_text(plan, step->fix), .error = error };

	if (step->alternative_n > 0)
		message.why = plan_text(plan, plan->alternative[step->alternative].why);
	return message;
}

/* The reason in words: the plan's, else libc's for the errno with the first letter made small. */
void put_why(struct text *text, const struct launch *launch, const struct message *message)
{
	const char *words = message->why != NULL ? message->why : strerrordesc_np(message->error);

	if (words == NULL)
		words = "unknown error";
	if (message->why == NULL && words[0] >= 'A' && words[0] <= 'Z' && words[1] >= 'a')
		put_char(text, (char)(*words++ - 'A' + 'a'));
	put_text(text, launch, words);
}

/* "mount_setattr(2) of /usr" */
void put_call(struct text *text, const struct launch *launch, const struct plan_entry *entry)
{
	const char *of = plan_text(&launch->plan, entry->of);

	put_text(text, launch, plan_text(&launch->plan, entry->call));
	if (*of == 0)
		return;
	put_text(text, launch, " of ");
	put_text(text, launch, of);
}

static void tell(const struct launch *launch, const struct message *message)
{
	const struct plan *plan = &launch->plan;
	const char *from = plan_text(plan, message->step->from);
	const char *name = message->entry != NULL ? strerrorname_np(message->error) : NULL;
	struct text text = { .fd = STDERR_FILENO };

	put_raw(&text, "tsbox: ");
	put_text(&text, launch, plan_text(plan, message->step->what));
	put_raw(&text, ": ");
	put_why(&text, launch, message);
	if (message->entry != NULL) {
		put_raw(&text, " (");
		put_call(&text, launch, message->entry);
		put_raw(&text, ": ");
		put_raw(&text, name != NULL ? name : "?");
		put_raw(&text, ")");
	}
	put_raw(&text, " [");
	put_raw(&text, plan_text(plan, message->step->code));
	put_raw(&text, "]\n");
	if (*from != 0) {
		put_raw(&text, "  from: ");
		put_raw(&text, from);
		put_raw(&text, "\n");
	}
	put_raw(&text, "  fix: ");
	put_text(&text, launch, message->fix);
	put_raw(&text, "\n");
	flush_text(&text);
}

void tell_failure(const struct launch *launch, uint32_t entry, int error)
{
	struct message message = step_message(launch, entry, error);
	tell(launch, &message);
}

void tell_outcome(const struct launch *launch, enum outcome outcome, int error)
{
	struct message message = outcome_message(launch, outcome, error);
	tell(launch, &message);
}
