/* Fuzz target of kept plans: the file of one, and the end of a compiled program, which is read in the same way. */
#include <string.h>
/* Variables are not freed: they are of the one run. */
#define strdup(text) (text)
#include "../../src/launcher/check.c"
#include "../../src/launcher/kept.c"
#include "../../src/launcher/load.c"
#include "harness.h"
#include "reads.h"

/* The plans of the corpus take the values of these. */
static char *variables[] = { (char[]){ "LANG=C.UTF-8" }, (char[]){ "TERM=dumb" }, (char[]){ "=" }, NULL };

/* The question is read, and any answer of any length can come back: what is on the disk is not asked. */
int ask(enum guard_kind kind, const char *what, int argument, struct answer *answer)
{
	touched += strlen(what) + (size_t)kind;
	answer->n = (unsigned)argument % (ANSWER_BYTES + 1);
	return 0;
}

void fill_standard_fds(void)
{
	abort();
}

noreturn void run_plan(struct launch *launch, char **command, pid_t parent)
{
	touched += (size_t)launch->plan.base + (size_t)command + (size_t)parent;
	abort();
}

/* Damage that the sum does not find is what the rest is checked for. */
static void mend_sum(uint8_t *base, size_t size)
{
	struct kept_header *head = (struct kept_header *)(void *)base;

	if (size >= sizeof(*head) && memcmp(head->sum, "as it is", sizeof(head->sum)) != 0)
		sum_of(base, size, head->sum);
}

static void read_guards(const struct kept *kept)
{
	for (uint32_t i = 0; i < kept->head->key_n; i++)
		touched += kept->base[kept->head->key + i];
	for (uint32_t i = 0; i < kept->head->guard_n; i++)
		touched += strlen(guard_name(kept, &kept->guard[i])) + holds(kept, &kept->guard[i]);
	touched += broken_guard(kept) == NULL;
}

static bool decode(const uint8_t *bytes, size_t size)
{
	uint8_t *volatile base = copy_of(bytes, size);
	uint8_t *volatile copy = NULL;
	volatile bool taken = false;
	struct kept kept;

	mend_sum(base, size);
	if (kept_at(base, size, &kept)) {
		read_guards(&kept);
		copy = copy_of(base + kept.head->plan, kept.head->plan_n);
		if (setjmp(refused) == 0) {
			struct plan plan = plan_at(copy, kept.head->plan_n);
			environ = variables;
			put_variables(&kept, &plan);
			read_plan(&plan);
			taken = true;
		}
	}
	free(copy);
	free(base);
	return taken;
}

struct shape shape_of(const uint8_t *bytes, uint32_t size)
{
	const struct kept_header *head = (const struct kept_header *)(const void *)bytes;

	return (struct shape){
		.header = sizeof(*head),
		.size_at = offsetof(struct kept_header, size),
		.tables = size < sizeof(*head) ? 0 : head->data,
	};
}
