/*
 * Fuzz target of the launcher's decoder: any bytes are refused, or hold everything that the launcher would read of them.
 * Built by load.test.ts with ASan and UBSan; with clang, -fsanitize=fuzzer -DFUZZER makes a libFuzzer target of it.
 *
 *     fuzz FILE...                     each file once
 *     fuzz --mutate SEED COUNT FILE    COUNT mutations of the file, always the same for the same SEED
 */
#include "../../src/launcher/check.c"
#include "../../src/launcher/load.c"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Whether the decoder takes the bytes. */
static bool decode(const uint8_t *bytes, size_t size)
{
	/* Of exactly that size, so that ASan sees a byte too much; never empty, as a memfd of 0 bytes is not mapped. */
	uint8_t *volatile base = malloc(size > 0 ? size : 1);
	volatile bool taken = false;

	if (base == NULL)
		abort();
	memcpy(base, bytes, size);
	if (plan_fault(base, size) == NULL && setjmp(refused) == 0) {
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
		read_plan(&plan);
		taken = true;
	}
	free(base);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	decode(bytes, size);
	return 0;
}

#ifndef FUZZER
static uint64_t state;

/* xorshift64 */
static uint32_t next(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) % below);
}

/* Most of it where the decoder looks: the header, and the tables in front of the data. */
static uint32_t place(const uint8_t *bytes, uint32_t size)
{
	const struct plan_header *head = (const struct plan_header *)(const void *)bytes;
	uint32_t kind = next(8);
	uint32_t tables = size >= sizeof(*head) && head->data > 0 && head->data < size ? head->data : size;

	return next(kind < 3 && size > sizeof(*head) ? (uint32_t)sizeof(*head) : kind < 7 ? tables : size);
}

static uint32_t mutate(uint8_t *bytes, uint32_t size)
{
	const uint32_t telling[] = { 0, 1, 4, 7, 8, 63, 64, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff, size, size - 8 };
	uint32_t kind = next(16);

	if (kind == 0) {
		uint32_t shorter = next(size) + 1;
		if (next(2) == 0 && shorter >= 12)
			memcpy(bytes + 8, &shorter, sizeof(shorter));
		return shorter;
	}
	uint32_t at = place(bytes, size);
	if (kind < 6) {
		bytes[at] = (uint8_t)next(256);
	} else if (size >= 8) {
		uint32_t value = kind < 12 ? telling[next(sizeof(telling) / sizeof(*telling))] : next(size);
		at = at / 4 * 4;
		memcpy(bytes + (at > size - 4 ? 0 : at), &value, sizeof(value));
	}
	return size;
}

static uint8_t *read_file(const char *path, uint32_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(1u << 24);

	if (file == NULL || bytes == NULL)
		exit(2);
	*size = (uint32_t)fread(bytes, 1, 1u << 24, file);
	fclose(file);
	return bytes;
}

int main(int argc, char **argv)
{
	uint32_t size;

	if (argc == 5 && strcmp(argv[1], "--mutate") == 0) {
		uint8_t *original = read_file(argv[4], &size);
		uint8_t *bytes = malloc(size);
		long count = strtol(argv[3], NULL, 10);
		long taken = 0;

		if (bytes == NULL || size == 0)
			return 2;
		state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
		for (long i = 0; i < count; i++) {
			uint32_t length = size;
			memcpy(bytes, original, size);
			for (uint32_t n = next(4) + 1; n > 0; n--)
				length = mutate(bytes, length);
			taken += decode(bytes, length);
		}
		free(bytes);
		free(original);
		printf("%ld mutations, %ld taken\n", count, taken);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		uint8_t *bytes = read_file(argv[i], &size);
		puts(decode(bytes, size) ? "taken" : "refused");
		free(bytes);
	}
	return 0;
}
#endif
