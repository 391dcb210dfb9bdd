/*
 * Keeps a plan for the next run of the same words: behind the plan that Node has made lies the file that is to be, all but its
 * sum. What does not work is no error: the next run plans anew.
 */
#include "kept.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* More of them, and those that were used longest ago go. */
#define MOST_PLANS 256
/* What a writer that was killed left behind. */
#define STALE_S 60
#define NEW ".new"

struct used {
	char name[PLAN_NAME];
	struct timespec at;
};

static bool is_plan(const char *name)
{
	return strlen(name) == PLAN_NAME - 1 && strspn(name, "0123456789abcdef") == PLAN_NAME - 1;
}

static bool is_new(const char *name)
{
	size_t n = strlen(name);

	return n > strlen(NEW) && strcmp(name + n - strlen(NEW), NEW) == 0;
}

static struct timespec used_at(int folder, const char *name)
{
	struct stat at;

	return fstatat(folder, name, &at, AT_SYMLINK_NOFOLLOW) == 0 ? at.st_mtim : (struct timespec){ 0 };
}

/* Also when it is of a clock that was wrong. */
static bool is_stale(struct timespec made)
{
	time_t age = time(NULL) - made.tv_sec;

	return age > STALE_S || age < -STALE_S;
}

/* The one used last comes first. */
static int by_use(const void *one, const void *other)
{
	struct timespec a = ((const struct used *)one)->at, b = ((const struct used *)other)->at;

	if (a.tv_sec != b.tv_sec)
		return a.tv_sec < b.tv_sec ? 1 : -1;
	return a.tv_nsec == b.tv_nsec ? 0 : a.tv_nsec < b.tv_nsec ? 1 : -1;
}

static void sweep(int folder)
{
	struct used used[2 * MOST_PLANS];
	size_t n = 0;
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);

	if (names == NULL)
		return;
	for (const struct dirent *entry; (entry = readdir(names)) != NULL;) {
		if (is_new(entry->d_name) && is_stale(used_at(folder, entry->d_name)))
			unlinkat(folder, entry->d_name, 0);
		else if (is_plan(entry->d_name) && n < sizeof(used) / sizeof(used[0]))
			memcpy(used[n++].name, entry->d_name, PLAN_NAME);
	}
	closedir(names);
	if (n <= MOST_PLANS)
		return;
	for (size_t i = 0; i < n; i++)
		used[i].at = used_at(folder, used[i].name);
	qsort(used, n, sizeof(used[0]), by_use);
	for (size_t i = MOST_PLANS; i < n; i++)
		unlinkat(folder, used[i].name, 0);
}

/* Whole or not at all. Of two that do it at a time one goes without: the other's is as good. */
static void write_plan(int folder, const char *name, const uint8_t *bytes, size_t size)
{
	char made[PLAN_NAME + sizeof(NEW)];

	memcpy(made, name, PLAN_NAME - 1);
	memcpy(made + PLAN_NAME - 1, NEW, sizeof(NEW));
	int fd = openat(folder, made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	size_t done = 0;
	for (ssize_t n; done < size && (n = write(fd, bytes + done, size - done)) > 0;)
		done += (size_t)n;
	close(fd);
	if (done < size || renameat(folder, made, folder, name) != 0)
		unlinkat(folder, made, 0);
}

void keep_plan(int fd, size_t from)
{
	struct stat at;
	struct kept kept;
	char name[PLAN_NAME];

	if (fstat(fd, &at) != 0 || (size_t)at.st_size <= from)
		return;
	size_t size = (size_t)at.st_size - from;
	uint8_t *base = read_all(fd, from, size);
	int folder = open_plans(false);
	if (base != NULL && folder >= 0 && put_sum(base, size) && kept_at(base, size, &kept)) {
		name_plan(hash_key(NO_KEY, (const char *)base + kept.head->key, kept.head->key_n), name);
		write_plan(folder, name, base, size);
		sweep(folder);
	}
	if (folder >= 0)
		close(folder);
	if (base != NULL)
		munmap(base, size);
}
