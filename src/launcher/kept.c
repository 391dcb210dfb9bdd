/* Reads a kept plan, checks it, and plays it. */
#include "kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char **environ;

/* FNV-1a over 32-bit words, those at even and at odd places by themselves; the form has no meaning but to find damage. */
static void sum_of(const uint8_t *base, size_t size, uint32_t sum[2])
{
	const uint32_t *word = (const uint32_t *)(const void *)base;

	sum[0] = sum[1] = 2166136261u;
	for (size_t i = 4; i < size / sizeof(*word); i++)
		sum[i & 1] = (sum[i & 1] ^ word[i]) * 16777619u;
}

bool put_sum(uint8_t *base, size_t size)
{
	struct kept_header *head = (struct kept_header *)(void *)base;

	if (size < sizeof(*head))
		return false;
	sum_of(base, size, head->sum);
	return true;
}

static bool is_sum_right(const uint8_t *base, size_t size)
{
	const struct kept_header *head = (const struct kept_header *)(const void *)base;
	uint32_t sum[2];

	sum_of(base, size, sum);
	return memcmp(sum, head->sum, sizeof(sum)) == 0;
}

static bool fits(const struct kept_header *head, uint32_t offset, uint32_t n, size_t each)
{
	return offset % 4 == 0 && offset >= sizeof(*head) && offset <= head->size && n <= (head->size - offset) / each;
}

static bool is_data(const struct kept_header *head, uint32_t offset, uint32_t n)
{
	return offset < head->data_n && n <= head->data_n - offset;
}

/* Whether the plan has a pointer there, which a value can replace: elsewhere it could take away the end of a vector. */
static bool is_pointer(const struct plan_header *plan, uint32_t at)
{
	const struct plan_relocation *relocation =
		(const struct plan_relocation *)(const void *)((const uint8_t *)plan + plan->relocation);

	for (uint32_t i = 0; i < plan->relocation_n; i++)
		if (relocation[i].at == at)
			return true;
	return false;
}

bool kept_at(const uint8_t *base, size_t size, struct kept *kept)
{
	const struct kept_header *head = (const struct kept_header *)(const void *)base;

	if (size < sizeof(*head) || size % 8 != 0 || memcmp(head->magic, KEPT_MAGIC, sizeof(head->magic)) != 0 ||
	    head->size != size || !is_sum_right(base, size))
		return false;
	if (!fits(head, head->key, head->key_n, 1) || !fits(head, head->guard, head->guard_n, sizeof(struct kept_guard)) ||
	    !fits(head, head->value, head->value_n, sizeof(struct kept_value)) ||
	    !fits(head, head->data, head->data_n, 1) || !fits(head, head->plan, head->plan_n, 1))
		return false;
	if (head->data_n == 0 || base[head->data + head->data_n - 1] != 0 || head->plan % 8 != 0)
		return false;
	*kept = (struct kept){
		.base = base,
		.head = head,
		.guard = (const struct kept_guard *)(const void *)(base + head->guard),
		.value = (const struct kept_value *)(const void *)(base + head->value),
	};
	if (plan_fault(base + head->plan, head->plan_n) != NULL)
		return false;
	const struct plan_header *plan = (const struct plan_header *)(const void *)(base + head->plan);
	for (uint32_t i = 0; i < head->guard_n; i++)
		if (!is_data(head, kept->guard[i].what, 1) || !is_data(head, kept->guard[i].answer, kept->guard[i].answer_n))
			return false;
	for (uint32_t i = 0; i < head->value_n; i++)
		if (!is_data(head, kept->value[i].name, 1) || !is_pointer(plan, kept->value[i].at))
			return false;
	return true;
}

static const char *text_of(const struct kept *kept, uint32_t offset)
{
	return (const char *)(kept->base + kept->head->data + offset);
}

const char *guard_name(const struct kept *kept, const struct kept_guard *guard)
{
	return text_of(kept, guard->what);
}

static bool is_answer(const struct kept *kept, const struct kept_guard *guard, const struct answer *now)
{
	bool is_prefix = guard->argument == GUARD_PREFIX &&
			 (guard->kind == GUARD_LINK || guard->kind == GUARD_STATUS || guard->kind == GUARD_IDS);

	return (is_prefix ? now->n >= guard->answer_n : now->n == guard->answer_n) &&
	       memcmp(now->bytes, text_of(kept, guard->answer), guard->answer_n) == 0;
}

static bool holds(const struct kept *kept, const struct kept_guard *guard)
{
	static struct answer now;
	int error = ask((enum guard_kind)guard->kind, text_of(kept, guard->what), guard->argument, &now);

	bool is_same = error != 0 || guard->error != 0 ? (uint32_t)error == guard->error : is_answer(kept, guard, &now);
	/* Init gets a copy of this memory. */
	memset(now.bytes, 0, now.n);
	return is_same;
}

const struct kept_guard *broken_guard(const struct kept *kept)
{
	for (uint32_t i = 0; i < kept->head->guard_n; i++)
		if (!holds(kept, &kept->guard[i]))
			return &kept->guard[i];
	return NULL;
}

/* NAME=VALUE of the environment in memory of its own; it is set, a guard says so. */
static char *copy_variable(const char *name)
{
	size_t n = strlen(name);

	for (char **each = environ; *each != NULL; each++) {
		if (strncmp(*each, name, n) != 0 || (*each)[n] != '=')
			continue;
		char *copy = strdup(*each);
		if (copy == NULL)
			die_early("there is no memory");
		return copy;
	}
	die_early("a variable is not set any more");
}

static void put_variables(const struct kept *kept, const struct plan *plan)
{
	for (uint32_t i = 0; i < kept->head->value_n; i++) {
		char *variable = copy_variable(text_of(kept, kept->value[i].name));
		memcpy(plan->data + kept->value[i].at, &variable, sizeof(variable));
	}
}

/* Init inherits all of this process's memory, and its words can be read in /proc/1/cmdline. */
static void forget(char **argv, char **command)
{
	for (char **word = argv; word < command; word++)
		memset(*word, '-', strlen(*word));
	for (char **each = environ; *each != NULL; each++)
		memset(*each, 0, strlen(*each));
	environ = NULL;
}

void play_kept(const struct kept *kept, char **argv, char **command, int64_t started_ns)
{
	static struct launch launch; /* its buffers are memory only when they are used */
	pid_t parent = getppid();

	launch.started_ns = started_ns;
	/* As Node starts the launcher: src/host/surroundings.ts knows PID 1 of a sandbox by it. */
	prctl(PR_SET_NAME, "tsbox-launcher");
	fill_standard_fds();
	size_t size = kept->head->plan_n;
	uint8_t *plan = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (plan == MAP_FAILED)
		die_early("there is no memory for the plan");
	memcpy(plan, kept->base + kept->head->plan, size);
	launch.plan = plan_at(plan, size);
	put_variables(kept, &launch.plan);
	munmap((void *)(uintptr_t)kept->base, kept->head->size);
	forget(argv, command);
	run_plan(&launch, command, parent);
}
