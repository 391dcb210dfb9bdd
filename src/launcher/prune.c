/*
 * Removes the sandbox's cgroup. Sandboxes inside may have made others in it, and did not come to remove them when all were killed at
 * once; how deep these may lie, the plan has limited (cgroup.max.depth).
 */
#include "launcher.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DEPTH 8
#define PAUSE_NS 1000000

/* linux/dirent.h has it not for programs; getdents64(2). */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t size;
	uint8_t type;
	char name[];
};

static void prune_in(int folder, int depth);

static void prune_one(int folder, const char *name, int depth)
{
	int child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (child < 0)
		return;
	if (depth > 0)
		prune_in(child, depth - 1);
	close(child);
	/* Whatever keeps it keeps the one above as well, which is what the caller looks at. */
	unlinkat(folder, name, AT_REMOVEDIR);
}

static void prune_in(int folder, int depth)
{
	_Alignas(struct entry) char bytes[2048];
	long n;

	while ((n = syscall(SYS_getdents64, folder, bytes, sizeof(bytes))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *entry = (const struct entry *)(const void *)(bytes + at);
			if (entry->type == DT_DIR && strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0)
				prune_one(folder, entry->name, depth);
			at += entry->size;
		}
	}
}

/* Returns 0 or an errno. One that stays busy is left to the next run, as after a kill of this process. */
int prune(const struct launch *launch, const struct plan_entry *entry)
{
	const char *name = plan_text(&launch->plan, (uint32_t)entry->arg[1]);
	int folder = (int)launch->slot[entry->arg[0]];
	int64_t until_ns = clock_ns() + STOP_MS * INT64_C(1000000);

	do {
		if (unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return errno;
		prune_one(folder, name, DEPTH);
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	} while (clock_ns() < until_ns);
	return 0;
}
