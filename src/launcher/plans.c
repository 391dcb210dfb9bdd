/* Where plans are kept, by the same rules for who plays one and for who keeps one; docs/decisions/0022-cached-plans.md. */
#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool is_own(int fd, mode_t type, mode_t forbidden)
{
	struct stat at;

	return fstat(fd, &at) == 0 && (at.st_mode & S_IFMT) == type && (at.st_mode & forbidden) == 0 &&
	       (at.st_uid == geteuid() || (at.st_uid == 0 && type == S_IFDIR && forbidden == 022)) &&
	       (type == S_IFDIR || at.st_nlink == 1);
}

/* Opens `name` in `at`, which is closed. */
static int step_into(int at, const char *name, int flags, mode_t forbidden, bool make)
{
	flags |= O_PATH | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(at, name, flags);

	/* Whatever the umask is. */
	if (fd < 0 && errno == ENOENT && make &&
	    (mkdirat(at, name, 0700) == 0 ? fchmodat(at, name, 0700, 0) == 0 : errno == EEXIST))
		fd = openat(at, name, flags);
	if (at >= 0)
		close(at);
	if (fd >= 0 && !is_own(fd, S_IFDIR, forbidden)) {
		close(fd);
		return -1;
	}
	return fd;
}

int open_plans(bool make)
{
	static struct answer line;
	char *home = (char *)line.bytes;

	if (find_account("/etc/passwd", getuid(), &line) != 0)
		return -1;
	line.bytes[line.n] = 0;
	for (int field = 0; field < 5; field++) {
		home = strchr(home, ':');
		if (home == NULL)
			return -1;
		home++;
	}
	home[strcspn(home, ":")] = 0;
	int fd = *home == '/' ? step_into(-1, home, 0, 022, false) : -1;
	if (fd >= 0)
		fd = step_into(fd, ".cache", 0, 022, make);
	if (fd >= 0)
		fd = step_into(fd, "tsbox", O_NOFOLLOW, 022, make);
	if (fd >= 0)
		fd = step_into(fd, "plans", O_NOFOLLOW, 077, make);
	/* Init gets a copy of this memory. */
	memset(line.bytes, 0, line.n);
	return fd;
}

uint64_t hash_key(uint64_t hash, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

void name_plan(uint64_t hash, char name[PLAN_NAME])
{
	for (int i = 0; i < PLAN_NAME - 1; i++)
		name[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
	name[PLAN_NAME - 1] = 0;
}
