/* Reads a plan, has it checked, and gives the pointers in it their addresses. */
#include "launcher.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* argv and envp arrays: pointers into the data up to a null pointer inside the data. */
static bool is_vector(const struct plan *plan, uint64_t offset)
{
	if (offset % 8 != 0)
		return false;
	for (; offset < plan->head->data_n && plan->head->data_n - offset >= 8; offset += 8) {
		uintptr_t pointer;
		memcpy(&pointer, plan->data + offset, sizeof(pointer));
		if (pointer == 0)
			return true;
		if (pointer < (uintptr_t)plan->data || pointer >= (uintptr_t)plan->data + plan->head->data_n)
			return false;
	}
	return false;
}

static void relocate(const struct plan *plan)
{
	const struct plan_relocation *relocation =
		(const struct plan_relocation *)(const void *)(plan->base + plan->head->relocation);

	for (uint32_t i = 0; i < plan->head->relocation_n; i++) {
		uintptr_t address = (uintptr_t)plan->data + relocation[i].to;
		memcpy(plan->data + relocation[i].at, &address, sizeof(address));
	}
	for (uint32_t i = 0; i < plan->head->entry_n; i++) {
		const struct plan_entry *entry = &plan->entry[i];
		if ((entry->op == OP_EXEC && !is_vector(plan, entry->arg[1])) ||
		    (entry->op == OP_HELPER && (!is_vector(plan, entry->arg[1]) || !is_vector(plan, entry->arg[2]) ||
						plan->head->data_n - entry->arg[4] < PID_TEXT)) ||
		    (entry->op == OP_SERVICE && (!is_vector(plan, entry->arg[1]) || !is_vector(plan, entry->arg[2]))))
			die_early("the plan is not valid: an argument vector does not end");
	}
}

uint8_t *read_all(int fd, size_t from, size_t size)
{
	if (size == 0)
		return NULL;
	uint8_t *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, base + done, size - done, (off_t)(from + done));
		if (n <= 0) {
			munmap(base, size);
			return NULL;
		}
		done += (size_t)n;
	}
	return base;
}

struct plan plan_load(int fd)
{
	struct stat status;
	/* Sealed: nobody can change the plan between the check and its use. */
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK))
		die_early("the plan is not a sealed memfd");
	struct plan_header head = { 0 };
	if (fstat(fd, &status) != 0 || pread(fd, &head, sizeof(head), 0) <= 0 || status.st_size > (off_t)PLAN_LIMIT)
		die_early("the plan cannot be read or is too large");
	/* What lies behind it is not the sandbox's; a mapping of the file would hold that too, for as long as it runs. */
	size_t whole = (size_t)status.st_size;
	size_t size = head.size >= sizeof(head) && head.size < whole ? head.size : whole;
	uint8_t *base = read_all(fd, 0, size);
	if (base == NULL)
		die_early("there is no memory for the plan");
	return plan_at(base, size);
}

struct plan plan_at(uint8_t *base, size_t size)
{
	const char *fault = plan_fault(base, size);
	if (fault != NULL)
		die_early(fault);

	const struct plan_header *head = (const struct plan_header *)(const void *)base;
	struct plan plan = {
		.base = base,
		.head = head,
		.entry = (const struct plan_entry *)(const void *)(base + head->entry),
		.step = (const struct plan_step *)(const void *)(base + head->step),
		.alternative = (const struct plan_alternative *)(const void *)(base + head->alternative),
		.data = base + head->data,
	};
	relocate(&plan);
	return plan;
}
