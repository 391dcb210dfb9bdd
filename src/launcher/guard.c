/* Asks again what a guard holds; each answer has the form that src/observe/ notes. */
#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PASSWD_BYTES (1u << 20)
#define MOST_GROUPS 65536
#define USUAL_PATH "/usr/local/bin:/usr/bin:/bin"

static int give(struct answer *answer, const void *bytes, size_t n)
{
	if (n > ANSWER_BYTES)
		return E2BIG;
	memcpy(answer->bytes, bytes, n);
	answer->n = n;
	return 0;
}

static int give_number(struct answer *answer, double number)
{
	return give(answer, &number, sizeof(number));
}

/* That nothing is there is one answer, whatever of the path is missing. */
static int absence(int error)
{
	return error == ENOTDIR ? ENOENT : error;
}

/* As Node computes it, rounding included. */
static double milliseconds(struct timespec time)
{
	return (double)time.tv_sec * 1000 + (double)time.tv_nsec / 1000000;
}

static int ask_status(const char *path, int flags, bool whole, struct answer *answer)
{
	struct stat at;

	if (fstatat(AT_FDCWD, path, &at, flags) != 0)
		return absence(errno);
	double numbers[] = {
		(double)at.st_mode,
		(double)at.st_uid,
		(double)at.st_gid,
		(double)at.st_rdev,
		(double)at.st_dev,
		(double)at.st_ino,
		(double)at.st_size,
		milliseconds(at.st_mtim),
		milliseconds(at.st_ctim),
	};
	return give(answer, numbers, (whole ? 9 : 6) * sizeof(numbers[0]));
}

/* Up to `most` bytes; `*n` is one more than that of a longer file. */
static int read_file(const char *path, uint8_t *bytes, size_t most, size_t *n)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return absence(errno);
	*n = 0;
	while (*n <= most) {
		ssize_t got = read(fd, bytes + *n, most + 1 - *n);
		int error = errno;
		if (got > 0) {
			*n += (size_t)got;
			continue;
		}
		close(fd);
		return got == 0 ? 0 : error;
	}
	close(fd);
	return E2BIG;
}

static int ask_link_text(const char *path, struct answer *answer)
{
	ssize_t n = readlink(path, (char *)answer->bytes, ANSWER_BYTES);

	if (n < 0)
		return absence(errno);
	answer->n = (size_t)n;
	return 0;
}

/* What an fd leads to is known by its canonical path. */
static int ask_real_path(const char *path, struct answer *answer)
{
	char link[32] = "/proc/self/fd/";
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return absence(errno);
	size_t at = strlen(link);
	for (int rest = fd, unit = 1000000; unit > 0; unit /= 10) {
		if (fd >= unit || unit == 1)
			link[at++] = (char)('0' + rest / unit);
		rest %= unit;
	}
	int error = ask_link_text(link, answer);
	close(fd);
	return error;
}

static int ask_variable(const char *name, bool has_value, struct answer *answer)
{
	const char *value = getenv(name);

	if (value == NULL)
		return ENOENT;
	return give(answer, value, has_value ? strlen(value) : 0);
}

static int ask_ids(struct answer *answer)
{
	static gid_t groups[MOST_GROUPS];
	static double numbers[MOST_GROUPS + 5];
	double own[] = { getuid(), geteuid(), getgid(), getegid() };
	int n = getgroups(MOST_GROUPS, groups);
	size_t count = sizeof(own) / sizeof(own[0]);
	bool has_own = false;

	if (n < 0)
		return errno;
	memcpy(numbers, own, sizeof(own));
	for (int i = 0; i < n; i++) {
		numbers[count++] = groups[i];
		has_own = has_own || groups[i] == getegid();
	}
	/* Node has the effective group among the others, wherever the kernel has it not. */
	if (!has_own)
		numbers[count++] = getegid();
	return give(answer, numbers, count * sizeof(numbers[0]));
}

/* The third field of a line, or -1. */
static long uid_of(const char *line, const char *end)
{
	long uid = 0;

	for (int field = 0; field < 2; field++) {
		line = memchr(line, ':', (size_t)(end - line));
		if (line == NULL)
			return -1;
		line++;
	}
	if (line == end || *line == ':')
		return -1;
	for (; line < end && *line != ':'; line++) {
		if (*line < '0' || *line > '9' || uid > UINT32_MAX)
			return -1;
		uid = uid * 10 + (*line - '0');
	}
	return line < end ? uid : -1;
}

int find_account(const char *path, unsigned uid, struct answer *answer)
{
	static uint8_t text[PASSWD_BYTES + 1];
	size_t n = 0;
	int error = read_file(path, text, PASSWD_BYTES, &n);

	if (error == 0)
		error = ESRCH;
	for (size_t at = 0; error == ESRCH && at < n;) {
		const char *line = (const char *)text + at;
		const char *end = memchr(line, '\n', n - at);
		if (end == NULL)
			end = (const char *)text + n;
		if (uid_of(line, end) == (long)uid)
			error = give(answer, line, (size_t)(end - line));
		at = (size_t)(end + 1 - (const char *)text);
	}
	/* Init gets a copy of this memory. */
	memset(text, 0, n);
	return error == ESRCH ? ENOENT : error;
}

static int ask_kernel(struct answer *answer)
{
	struct utsname name;

	if (uname(&name) != 0)
		return errno;
	return give(answer, name.release, strlen(name.release));
}

static int ask_limit(int resource, struct answer *answer)
{
	struct rlimit limit;
	const rlim_t exact = UINT64_C(1) << 53;

	if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
		return errno;
	if (limit.rlim_max == RLIM_INFINITY)
		return give_number(answer, -1);
	return give_number(answer, (double)(limit.rlim_max < exact ? limit.rlim_max : exact - 1));
}

int stream_kind(int fd)
{
	struct stat at;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fstat(fd, &at) != 0)
		return -1;
	if (S_ISFIFO(at.st_mode) || S_ISSOCK(at.st_mode))
		return 0;
	unsigned device = major(at.st_rdev);
	/* Consoles, /dev/tty and Unix98 ptys; the kernel's devices.txt. */
	bool terminal = S_ISCHR(at.st_mode) && (device == 4 || device == 5 || (device >= 136 && device <= 143));
	int mode = flags & O_ACCMODE;
	return (mode == O_RDONLY ? 1 : mode == O_WRONLY ? 2 : 3) + (terminal ? 4 : 0);
}

static bool is_terminal(int fd)
{
	return stream_kind(fd) > 4;
}

static double landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);

	return abi < 0 ? 0 : (double)abi;
}

bool find_node(char path[4096])
{
	const char *search = getenv("PATH");

	for (search = search == NULL ? USUAL_PATH : search; *search != 0;) {
		size_t n = strcspn(search, ":");
		if (n > 0 && n + sizeof("/node") <= 4096) {
			memcpy(path, search, n);
			memcpy(path + n, "/node", sizeof("/node"));
			struct stat at;
			if (access(path, X_OK) == 0 && stat(path, &at) == 0 && S_ISREG(at.st_mode))
				return true;
		}
		search += n;
		search += *search == ':';
	}
	return false;
}

static int ask_node(struct answer *answer)
{
	char path[4096];

	return find_node(path) ? ask_real_path(path, answer) : ENOENT;
}

static int ask_directory(struct answer *answer)
{
	char path[PATH_MAX];

	if (getcwd(path, sizeof(path)) == NULL)
		return errno;
	return give(answer, path, strlen(path));
}

int ask(enum guard_kind kind, const char *what, int argument, struct answer *answer)
{
	answer->n = 0;
	switch (kind) {
	case GUARD_LINK:
		return ask_status(what, AT_SYMLINK_NOFOLLOW, false, answer);
	case GUARD_STATUS:
		return ask_status(what, 0, false, answer);
	case GUARD_FILE:
		return ask_status(what, 0, true, answer);
	case GUARD_CONTENT:
		return read_file(what, answer->bytes, ANSWER_BYTES, &answer->n);
	case GUARD_LINK_TEXT:
		return ask_link_text(what, answer);
	case GUARD_REAL_PATH:
		return ask_real_path(what, answer);
	case GUARD_ACCESS:
		return access(what, argument) == 0 ? 0 : absence(errno);
	case GUARD_VARIABLE:
		return ask_variable(what, true, answer);
	case GUARD_IS_SET:
		return ask_variable(what, false, answer);
	case GUARD_IDS:
		return ask_ids(answer);
	case GUARD_ACCOUNT:
		return find_account(what, (unsigned)argument, answer);
	case GUARD_KERNEL:
		return ask_kernel(answer);
	case GUARD_LIMIT:
		return ask_limit(argument, answer);
	case GUARD_STREAM:
		return give_number(answer, stream_kind(argument));
	case GUARD_TERMINALS:
		return give_number(answer, is_terminal(0) && is_terminal(1) && is_terminal(2) ? 1 : 0);
	case GUARD_LANDLOCK:
		return give_number(answer, landlock_abi());
	case GUARD_PARENT:
		return give_number(answer, getppid() != 0 ? 1 : 0);
	case GUARD_NODE:
		return ask_node(answer);
	case GUARD_DIRECTORY:
		return ask_directory(answer);
	default:
		return ENOSYS; /* which no guard has noted */
	}
}
