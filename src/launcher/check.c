/* Checks all of a plan before anything acts on it. */
#include "launcher.h"

#include <linux/audit.h>
#include <string.h>
#include <sys/socket.h>

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#error "tsbox runs on x86-64 and arm64"
#endif

static bool table_fits(size_t size, size_t *end, uint32_t offset, uint32_t n, size_t each)
{
	if (offset % 8 != 0 || offset < *end || offset > size || n > (size - offset) / each)
		return false;
	*end = offset + n * each;
	return true;
}

static const char *fault_args(const struct plan_header *head, const struct plan_entry *entry)
{
	if (entry->argc > PLAN_ARGS || entry->tolerated_n > PLAN_TOLERATED)
		return "too many arguments";
	for (uint32_t i = 0; i < entry->argc; i++) {
		uint64_t arg = entry->arg[i];
		switch ((enum arg)entry->kind[i]) {
		case ARG_INT:
			break;
		case ARG_DATA:
			if (arg >= head->data_n)
				return "an argument points outside the data";
			break;
		case ARG_SLOT:
			if (arg >= PLAN_SLOTS)
				return "an argument names no slot";
			break;
		case ARG_LOAD:
			if (arg % 4 != 0 || arg >= head->data_n || head->data_n - arg < 4)
				return "an argument loads from outside the data";
			break;
		default:
			return "an argument is of no known kind";
		}
	}
	return NULL;
}

static bool has_kinds(const struct plan_entry *entry, const enum arg *kinds, uint32_t n)
{
	if (entry->argc != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (entry->kind[i] != (uint8_t)kinds[i])
			return false;
	return true;
}

/*
 * The host script spawns init once, init spawns the payload once, the payload's last entry and no other is the exec; what comes
 * after the run starts nothing, and only there is told what it did.
 */
static const char *fault_entry(const struct plan_entry *entry, uint32_t script, uint32_t data_n, bool last)
{
	static const enum arg spawn[] = { ARG_INT, ARG_INT, ARG_INT, ARG_INT, ARG_INT, ARG_INT };
	static const enum arg helper[] = { ARG_DATA, ARG_DATA, ARG_DATA, ARG_INT, ARG_DATA };
	static const enum arg exec[] = { ARG_DATA, ARG_DATA };
	static const enum arg store[] = { ARG_SLOT, ARG_LOAD };
	static const enum arg tell[] = { ARG_SLOT, ARG_DATA, ARG_DATA, ARG_LOAD };
	static const enum arg store_loaded[] = { ARG_LOAD, ARG_LOAD };
	static const enum arg service[] = { ARG_DATA, ARG_DATA, ARG_DATA, ARG_DATA, ARG_INT, ARG_LOAD };
	static const enum arg share[] = { ARG_SLOT, ARG_DATA };
	static const enum arg check[] = { ARG_LOAD, ARG_INT };
	static const enum arg prune[] = { ARG_SLOT, ARG_DATA };
	static const enum arg figure[] = { ARG_SLOT, ARG_DATA, ARG_DATA, ARG_DATA, ARG_DATA, ARG_LOAD };

	switch ((enum op)entry->op) {
	case OP_CALL:
		return (entry->flags & (ENTRY_AWAIT | ENTRY_LOCK)) != 0 && (script != SCRIPT_HOST || entry->argc == 0)
			       ? "a call awaits what it cannot"
			       : NULL;
	case OP_SPAWN:
		if (script >= SCRIPT_PAYLOAD || entry->nr != script + 1)
			return "a script spawns the wrong process";
		if (!(has_kinds(entry, spawn, 4) || (script == SCRIPT_HOST && has_kinds(entry, spawn, SPAWN_JOINS))) ||
		    entry->arg[1] >= PLAN_SLOTS || entry->arg[2] >= PLAN_SLOTS ||
		    (entry->arg[3] >= PLAN_SLOTS && entry->arg[3] != PLAN_NO_SLOT))
			return "a spawn has wrong arguments";
		return NULL;
	case OP_HELPER:
		if (script != SCRIPT_HOST || !has_kinds(entry, helper, 5) || entry->arg[3] >= PLAN_SLOTS)
			return "a helper has wrong arguments";
		return NULL;
	case OP_EXEC:
		if (script != SCRIPT_PAYLOAD || !last || !has_kinds(entry, exec, 2))
			return "the exec is not the payload's last entry";
		return NULL;
	case OP_STORE:
		return has_kinds(entry, store, 2) || has_kinds(entry, store_loaded, 2) ? NULL
									       : "a store has wrong arguments";
	case OP_TELL:
		if (script != SCRIPT_AFTER || !has_kinds(entry, tell, 4))
			return "a note has wrong arguments";
		return NULL;
	case OP_SERVICE:
		if (script != SCRIPT_HOST || !has_kinds(entry, service, 6) || entry->arg[3] % 4 != 0 ||
		    entry->arg[4] < 2 || entry->arg[4] > SERVICE_FDS || (data_n - entry->arg[3]) / 4 < entry->arg[4] ||
		    ((entry->flags & ENTRY_ENTER_USER) != 0 && entry->arg[4] < 3) ||
		    ((entry->flags & ENTRY_ENTER_MOUNT) != 0 && entry->arg[4] < 4))
			return "a service has wrong arguments";
		return NULL;
	case OP_CHECK:
		return has_kinds(entry, check, 2) ? NULL : "a check has wrong arguments";
	case OP_SHARE:
		if (script != SCRIPT_HOST || !has_kinds(entry, share, 2) || entry->arg[1] % 8 != 0 ||
		    data_n - entry->arg[1] < sizeof(struct msghdr))
			return "what is shared has wrong arguments";
		return NULL;
	case OP_FIGURE:
		if (script != SCRIPT_AFTER || !has_kinds(entry, figure, 6) || data_n - entry->arg[5] < 8)
			return "a figure has wrong arguments";
		return NULL;
	case OP_PRUNE:
		if (script != SCRIPT_AFTER || !has_kinds(entry, prune, 2))
			return "a removal has wrong arguments";
		return NULL;
	default:
		return "an entry is of no known kind";
	}
}

static bool is_opened(uint64_t saved, uint64_t slot)
{
	return slot < PLAN_SLOTS && (saved >> slot & 1) != 0;
}

static bool is_saved(uint64_t saved, uint32_t slot)
{
	return slot == PLAN_NO_SLOT || is_opened(saved, slot);
}

static const char *fault_script(const uint8_t *base, const struct plan_header *head, uint32_t script)
{
	const struct plan_entry *entry = (const struct plan_entry *)(const void *)(base + head->entry);
	uint32_t first = head->script[script][0];
	uint32_t n = head->script[script][1];
	uint32_t spawns = 0;
	uint64_t saved = 0;

	if (first > head->entry_n || n > head->entry_n - first || (n == 0 && script != SCRIPT_AFTER))
		return "a script is outside the entries";
	for (uint32_t i = first; i < first + n; i++) {
		const char *fault = fault_args(head, &entry[i]);
		if (fault == NULL)
			fault = fault_entry(&entry[i], script, head->data_n, i == first + n - 1);
		if (fault != NULL)
			return fault;
		if (entry[i].op == OP_SPAWN && !is_saved(saved, (uint32_t)entry[i].arg[3]))
			return "a spawn's cgroup is no fd";
		if (entry[i].op == OP_SPAWN && entry[i].argc == SPAWN_JOINS &&
		    (!is_opened(saved, entry[i].arg[4]) || !is_opened(saved, entry[i].arg[5])))
			return "a spawn's network is no fd";
		if (entry[i].step >= head->step_n || entry[i].call >= head->data_n ||
		    entry[i].of >= head->data_n)
			return "an entry has no step or no name";
		if (entry[i].save != PLAN_NO_SLOT && entry[i].save >= PLAN_SLOTS)
			return "a result goes to no slot";
		if (entry[i].save != PLAN_NO_SLOT)
			saved |= UINT64_C(1) << entry[i].save;
		if (entry[i].op == OP_SPAWN)
			spawns++;
	}
	if (spawns != (script < SCRIPT_PAYLOAD ? 1u : 0u))
		return "a script does not spawn exactly one process";
	if (script == SCRIPT_PAYLOAD && entry[first + n - 1].op != OP_EXEC)
		return "the payload does not end in an exec";
	if (script == SCRIPT_HOST && !is_saved(saved, head->report))
		return "the report goes to no fd";
	if (script == SCRIPT_HOST && !is_saved(saved, head->terminal))
		return "the terminal is no fd";
	if (script == SCRIPT_HOST && (!is_saved(saved, head->freeze) || !is_saved(saved, head->kill) ||
				      !is_saved(saved, head->cpu_stat)))
		return "a file of the cgroup is no fd";
	for (uint32_t i = 0; script == SCRIPT_HOST && i < PRINTED; i++)
		if (!is_saved(saved, head->printed[i]))
			return "what the command prints comes from no fd";
	return NULL;
}

static const char *fault_texts(const uint8_t *base, const struct plan_header *head)
{
	const struct plan_step *step = (const struct plan_step *)(const void *)(base + head->step);
	const struct plan_alternative *alternative =
		(const struct plan_alternative *)(const void *)(base + head->alternative);

	for (uint32_t i = 0; i < head->step_n; i++) {
		if (step[i].what >= head->data_n || step[i].code >= head->data_n || step[i].from >= head->data_n ||
		    step[i].fix >= head->data_n || step[i].exit > 255)
			return "a step has no text";
		if (step[i].alternative > head->alternative_n ||
		    step[i].alternative_n > head->alternative_n - step[i].alternative)
			return "a step's alternatives are outside the table";
	}
	for (uint32_t i = 0; i < head->alternative_n; i++)
		if (alternative[i].why >= head->data_n || alternative[i].fix >= head->data_n)
			return "an alternative has no text";
	for (uint32_t i = 0; i < OUTCOMES; i++)
		if (head->outcome[i] >= head->step_n)
			return "an outcome has no text";
	return NULL;
}

const char *plan_fault(const uint8_t *base, size_t size)
{
	const struct plan_header *head = (const struct plan_header *)(const void *)base;
	size_t end = sizeof(*head);

	if (size < sizeof(*head) || size > PLAN_LIMIT || memcmp(head->magic, PLAN_MAGIC, sizeof(head->magic)) != 0)
		return "it is not a plan of this release";
	if (head->size != size || head->arch != THIS_ARCH)
		return "it is cut short, or for another machine";
	if (!table_fits(size, &end, head->entry, head->entry_n, sizeof(struct plan_entry)) ||
	    !table_fits(size, &end, head->step, head->step_n, sizeof(struct plan_step)) ||
	    !table_fits(size, &end, head->alternative, head->alternative_n, sizeof(struct plan_alternative)) ||
	    !table_fits(size, &end, head->relocation, head->relocation_n, sizeof(struct plan_relocation)) ||
	    !table_fits(size, &end, head->data, head->data_n, 1))
		return "a table is outside the plan";
	/* With a NUL at its end every offset into the data is the start of a string that ends inside it. */
	if (head->data_n == 0 || base[head->data + head->data_n - 1] != 0)
		return "the data does not end in a NUL";
	const struct plan_relocation *relocation =
		(const struct plan_relocation *)(const void *)(base + head->relocation);
	for (uint32_t i = 0; i < head->relocation_n; i++)
		if (relocation[i].at % 8 != 0 || relocation[i].at >= head->data_n || head->data_n - relocation[i].at < 8 ||
		    relocation[i].to >= head->data_n)
			return "a relocation is outside the data";
	if (head->in_force >= head->data_n || head->keep % 4 != 0 || head->keep > head->data_n ||
	    head->keep_n > (head->data_n - head->keep) / 4)
		return "the header points outside the data";
	/* One script after the other, every entry in one of them. */
	for (uint32_t i = 0, first = 0; i < SCRIPTS; i++) {
		if (head->script[i][0] != first)
			return "the scripts do not follow each other";
		first += head->script[i][1];
		const char *fault = fault_script(base, head, i);
		if (fault != NULL)
			return fault;
		if (i == SCRIPTS - 1 && first != head->entry_n)
			return "an entry is in no script";
	}
	return fault_texts(base, head);
}
