/* What the launcher reads of a plan that it has taken, so that ASan sees it. */
#include "../../src/launcher/launcher.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf refused;
static volatile size_t touched; /* so that no read is left out */

noreturn void die_early(const char *why)
{
	touched += strlen(why);
	longjmp(refused, 1);
}

static void read_text(const struct plan *plan, uint64_t offset)
{
	touched += strlen((const char *)(plan->data + offset));
}

static void read_vector(const struct plan *plan, uint64_t offset)
{
	for (char *const *item = (char *const *)(const void *)(plan->data + offset); *item != NULL; item++)
		touched += strlen(*item);
}

/* What is written is only read here: a plan may write over its own data, which the kernel then refuses, not the launcher. */
static void read_entry(const struct plan *plan, const struct plan_entry *entry)
{
	static int64_t slot[PLAN_SLOTS];
	int loaded;

	read_text(plan, entry->call);
	read_text(plan, entry->of);
	touched += plan->step[entry->step].exit;
	if (entry->save != PLAN_NO_SLOT)
		slot[entry->save]++;
	for (uint32_t i = 0; i < entry->tolerated_n; i++)
		touched += entry->tolerated[i];
	for (uint32_t i = 0; i < entry->argc; i++) {
		if (entry->kind[i] == ARG_DATA)
			read_text(plan, entry->arg[i]);
		if (entry->kind[i] == ARG_SLOT)
			touched += (size_t)slot[entry->arg[i]];
		if (entry->kind[i] == ARG_LOAD) {
			memcpy(&loaded, plan->data + entry->arg[i], sizeof(loaded));
			touched += (size_t)loaded;
		}
	}
	if (entry->op == OP_SPAWN)
		touched += (size_t)(slot[entry->arg[1]] + slot[entry->arg[2]]);
	if (entry->op == OP_SERVICE) {
		read_vector(plan, entry->arg[1]);
		read_vector(plan, entry->arg[2]);
		for (uint64_t i = 0; i < entry->arg[4]; i++) {
			memcpy(&loaded, plan->data + entry->arg[3] + 4 * i, sizeof(loaded));
			touched += (size_t)loaded;
		}
	}
	if (entry->op == OP_EXEC)
		read_vector(plan, entry->arg[1]);
	if (entry->op == OP_STORE)
		touched += plan->data[entry->arg[1] + sizeof(int) - 1];
	if (entry->op == OP_HELPER) {
		touched += (size_t)slot[entry->arg[3]];
		read_vector(plan, entry->arg[1]);
		read_vector(plan, entry->arg[2]);
		touched += plan->data[entry->arg[4] + PID_TEXT - 1];
	}
}

/* What supervise.c, report.c and exec.c read. */
static void read_plan(const struct plan *plan)
{
	const struct plan_header *head = plan->head;
	const int32_t *keep = (const int32_t *)(const void *)(plan->data + head->keep);

	for (uint32_t script = 0; script < SCRIPTS; script++)
		for (uint32_t i = 0; i < head->script[script][1]; i++)
			read_entry(plan, &plan->entry[head->script[script][0] + i]);
	for (uint32_t i = 0; i < head->step_n; i++) {
		const struct plan_step *step = &plan->step[i];
		read_text(plan, step->what);
		read_text(plan, step->code);
		read_text(plan, step->from);
		read_text(plan, step->fix);
		for (uint32_t j = step->alternative; j < step->alternative + step->alternative_n; j++) {
			read_text(plan, plan->alternative[j].why);
			read_text(plan, plan->alternative[j].fix);
		}
	}
	for (uint32_t i = 0; i < OUTCOMES; i++)
		touched += plan->step[head->outcome[i]].exit;
	for (uint32_t i = 0; i < head->keep_n; i++)
		touched += (size_t)keep[i];
	read_text(plan, head->in_force);
}
