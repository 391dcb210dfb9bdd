/*
 * Figures: numbers in the files of a cgroup, read when the sandbox has ended and told in the report. Such a file has lines of
 * one number ("12"), of a name and a number ("oom_kill 1"), or of names with numbers ("8:0 rbytes=4096 wbytes=0").
 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NONE (-1)

/* Adds the decimal at `text`; false where there is none. */
static bool add_number(const char *text, int64_t *sum)
{
	int64_t number = 0;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, *text - '0', &number))
			return false;
	*sum = *sum == NONE ? 0 : *sum;
	return !__builtin_add_overflow(*sum, number, sum);
}

/* The sum of what follows `key` in each line that begins with `start`. */
static int64_t sum_lines(char *text, const char *start, const char *key)
{
	int64_t sum = NONE;

	for (char *next; *text != 0; text = next) {
		size_t n = strcspn(text, "\n");
		next = text + n + (text[n] != 0);
		text[n] = 0;
		if (strncmp(text, start, strlen(start)) != 0)
			continue;
		const char *found = strstr(text + strlen(start), key);
		if (found != NULL)
			add_number(found + strlen(key), &sum);
	}
	return sum;
}

int64_t sum_file(int fd, const char *start, const char *key)
{
	char text[8192];
	size_t size = 0;
	ssize_t n;

	while ((n = pread(fd, text + size, sizeof(text) - 1 - size, (off_t)size)) > 0 || (n < 0 && errno == EINTR))
		size += n > 0 ? (size_t)n : 0;
	text[size] = 0;
	return sum_lines(text, start, key);
}

int64_t figure_of(const struct launch *launch, const struct plan_entry *entry)
{
	int64_t figure;

	memcpy(&figure, launch->plan.data + entry->arg[5], sizeof(figure));
	return figure;
}

/* What a kernel does not count is left out. A result above 0 is also saved, for what is to be told of it. */
void read_figure(struct launch *launch, const struct plan_entry *entry)
{
	const struct plan *plan = &launch->plan;
	int fd = openat((int)launch->slot[entry->arg[0]], plan_text(plan, (uint32_t)entry->arg[1]), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	int64_t figure = sum_file(fd, plan_text(plan, (uint32_t)entry->arg[2]), plan_text(plan, (uint32_t)entry->arg[3]));
	close(fd);
	memcpy(plan->data + entry->arg[5], &figure, sizeof(figure));
	if (figure > 0 && entry->save != PLAN_NO_SLOT)
		launch->slot[entry->save] = figure;
}
