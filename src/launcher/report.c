/* What the user is told: one message on stderr, one JSON object for the report. Texts come with the plan. */
#include "launcher.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Stands for the command's name in a text of the plan. */
#define COMMAND_MARK '\1'

struct text {
	int fd;
	bool json; /* escape as inside a JSON string */
	uint32_t n;
	char bytes[4096];
};

static void flush(struct text *text)
{
	uint32_t done = 0;

	while (done < text->n) {
		ssize_t n = write(text->fd, text->bytes + done, text->n - done);
		if (n < 0 && errno != EINTR)
			break; /* nobody is left to be told */
		done += n > 0 ? (uint32_t)n : 0;
	}
	text->n = 0;
}

static void put(struct text *text, char c)
{
	if (text->n == sizeof(text->bytes))
		flush(text);
	text->bytes[text->n++] = c;
}

static void put_raw(struct text *text, const char *string)
{
	while (*string != 0)
		put(text, *string++);
}

static void put_char(struct text *text, char c)
{
	static const char hex[] = "0123456789abcdef";

	if (text->json && (unsigned char)c < 0x20) {
		put_raw(text, "\\u00");
		put(text, hex[c >> 4 & 15]);
		put(text, hex[c & 15]);
		return;
	}
	if (text->json && (c == '"' || c == '\\'))
		put(text, '\\');
	put(text, c);
}

/* The command's name is the caller's: bytes that a terminal could take for orders become \xNN. */
static void put_command(struct text *text, const char *name)
{
	static const char hex[] = "0123456789abcdef";

	for (; *name != 0; name++) {
		unsigned char c = (unsigned char)*name;
		if (c >= 0x20 && c < 0x7f) {
			put_char(text, *name);
			continue;
		}
		put_char(text, '\\');
		put_char(text, 'x');
		put_char(text, hex[c >> 4]);
		put_char(text, hex[c & 15]);
	}
}

static void put_text(struct text *text, const struct launch *launch, const char *string)
{
	for (; *string != 0; string++) {
		if (*string == COMMAND_MARK)
			put_command(text, launch->command[0]);
		else
			put_char(text, *string);
	}
}

static void put_number(struct text *text, int64_t number)
{
	char digits[20];
	uint32_t n = 0;
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

	if (number < 0)
		put(text, '-');
	do {
		digits[n++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	while (n > 0)
		put(text, digits[--n]);
}

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

void tell_early(const char *why)
{
	struct text text = { .fd = STDERR_FILENO };

	put_raw(&text, "tsbox: cannot start the launcher: ");
	put_raw(&text, why);
	put_raw(&text, " [E_LAUNCHER]\n  fix: correct that, or report it if tsbox itself did it\n");
	flush(&text);
}

void die_early(const char *why)
{
	tell_early(why);
	_exit(EXIT_SETUP);
}

/* A failed step in words. */
struct message {
	const struct plan_step *step;
	const char *why; /* NULL: what the errno means */
	const char *fix;
	const struct plan_entry *entry; /* NULL: no call to name */
	int error;
};

static struct message step_message(const struct launch *launch, uint32_t entry, int error)
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
static struct message outcome_message(const struct launch *launch, enum outcome outcome, int error)
{
	const struct plan *plan = &launch->plan;
	const struct plan_step *step = &plan->step[plan->head->outcome[outcome]];
	struct message message = { .step = step, .fix = plan_text(plan, step->fix), .error = error };

	if (step->alternative_n > 0)
		message.why = plan_text(plan, plan->alternative[step->alternative].why);
	return message;
}

/* The reason in words: the plan's, else libc's for the errno with the first letter made small. */
static void put_why(struct text *text, const struct launch *launch, const struct message *message)
{
	const char *words = message->why != NULL ? message->why : strerrordesc_np(message->error);

	if (words == NULL)
		words = "unknown error";
	if (message->why == NULL && words[0] >= 'A' && words[0] <= 'Z' && words[1] >= 'a')
		put_char(text, (char)(*words++ - 'A' + 'a'));
	put_text(text, launch, words);
}

/* "mount_setattr(2) of /usr" */
static void put_call(struct text *text, const struct launch *launch, const struct plan_entry *entry)
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
	flush(&text);
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
	put_raw(&text, end->timed_out ? ",\"timed_out\":true" : ",\"timed_out\":false");
	put_count(&text, "wall_ms", (clock_ns() - launch->started_ns) / 1000000);
	put_count(&text, "user_ms", milliseconds(usage.ru_utime));
	put_count(&text, "system_ms", milliseconds(usage.ru_stime));
	put_count(&text, "max_rss_bytes", (int64_t)usage.ru_maxrss * 1024);
	if (end->failed)
		put_error(&text, launch, end);
	if (end->started) {
		put_raw(&text, ",\"in_force\":");
		put_raw(&text, plan_text(plan, plan->head->in_force));
	}
	put_raw(&text, "}\n");
	flush(&text);
}
