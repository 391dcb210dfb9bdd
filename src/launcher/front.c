/*
 * bin/tsbox: plays the plan that is kept for these words, else becomes Node, which makes one (docs/decisions/0022-cached-plans.md).
 * What is wrong with a kept plan, or with where it lies, is no error: Node plans anew.
 */
#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define SCRIPT "/bin/tsbox.js"
#define KEY_BYTES 65536u
/* So many of the first words may be options. */
#define MOST_WORDS 64
#define USED_S 3600

/* Where this program lies: PACKAGE/bin/tsbox. */
static bool find_package(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(SCRIPT));

	if (n <= 0 || n >= PATH_MAX - (ssize_t)sizeof(SCRIPT))
		return false;
	path[n] = 0;
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(path, '/');
		if (slash == NULL)
			return false;
		*slash = 0;
	}
	return true;
}

struct key {
	char bytes[KEY_BYTES];
	size_t n;
	uint64_t hash;
};

/* With its NUL. */
static bool add_to_key(struct key *key, const char *text)
{
	size_t n = strlen(text) + 1;

	if (n > sizeof(key->bytes) - key->n)
		return false;
	memcpy(key->bytes + key->n, text, n);
	key->hash = hash_key(key->hash, key->bytes + key->n, n);
	key->n += n;
	return true;
}

static void touch(int fd)
{
	struct stat at;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	/* What was used longest ago goes first; to the hour is enough. */
	if (fstat(fd, &at) == 0 && now.tv_sec - at.st_mtim.tv_sec > USED_S)
		futimens(fd, NULL);
}

/* Plays the plan of this key if there is one whose guards all hold. */
static void try_key(int plans, struct key *key, char **argv, char **command, int64_t started_ns)
{
	char name[PLAN_NAME];
	struct stat at;
	struct kept kept;

	name_plan(key->hash, name);
	int fd = openat(plans, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	uint8_t *base = NULL;
	if (is_own(fd, S_IFREG, 077) && fstat(fd, &at) == 0 && at.st_size > 0 && at.st_size <= (off_t)KEPT_LIMIT)
		base = read_all(fd, 0, (size_t)at.st_size);
	if (base != NULL && kept_at(base, (size_t)at.st_size, &kept) && kept.head->key_n == key->n &&
	    memcmp(base + kept.head->key, key->bytes, key->n) == 0 && broken_guard(&kept) == NULL) {
		touch(fd);
		close(fd);
		close(plans);
		memset(key->bytes, 0, key->n);
		play_kept(&kept, argv, command, started_ns);
	}
	if (base != NULL)
		munmap(base, (size_t)at.st_size);
	close(fd);
}

/*
 * A kept plan says by its key how many words were options. Node reads words from left to right, so where those of a kept plan
 * are the first ones here, and what follows is no option, Node would come to the same.
 */
static void try_kept(const char *package, char **argv, int64_t started_ns)
{
	static struct key key;
	char streams[4] = { 0 };
	char cwd[PATH_MAX];
	bool ended = false;

	for (int fd = 0; fd < 3; fd++) {
		int kind = stream_kind(fd);
		if (kind < 0)
			return; /* Node opens /dev/null for it */
		streams[fd] = (char)('0' + kind);
	}
	key.hash = NO_KEY;
	if (getcwd(cwd, sizeof(cwd)) == NULL || !add_to_key(&key, package) || !add_to_key(&key, cwd) ||
	    !add_to_key(&key, streams))
		return;
	int plans = open_plans(false);
	if (plans < 0)
		return;
	for (int i = 1; i < MOST_WORDS && !ended && argv[i] != NULL && add_to_key(&key, argv[i]); i++) {
		ended = strcmp(argv[i], "--") == 0;
		const char *next = argv[i + 1];
		if (next != NULL && *next != 0 && (ended || *next != '-'))
			try_key(plans, &key, argv, argv + i + 1, started_ns);
	}
	close(plans);
}

/* argv[0] tells Node that this is who started it. "--": Node would obey an --env-file among the words (Node 20.19, 22.7). */
static noreturn void become_node(char *package, int argc, char **argv)
{
	char path[4096];
	char **words = calloc((size_t)argc + 3, sizeof(*words));

	strcat(package, SCRIPT);
	if (words == NULL)
		die_early("there is no memory");
	if (!find_node(path))
		die_early("there is no node in PATH, which plans a sandbox: install Node 20.19 or newer");
	words[0] = (char[]){ "tsbox" };
	words[1] = (char[]){ "--" };
	words[2] = package;
	for (int i = 1; i < argc; i++)
		words[2 + i] = argv[i];
	execve(path, words, environ);
	die_early("Node cannot be started");
}

/* Node plans it out of the sandbox, which it can only where it is. */
static void make_plans(void)
{
	int plans = open_plans(true);

	if (plans >= 0)
		close(plans);
}

int main(int argc, char **argv)
{
	int64_t started_ns = clock_ns();
	char package[PATH_MAX];
	const char *refused = getenv("TSBOX_NO_CACHE");

	if (argc < 1 || !find_package(package))
		die_early("/proc/self/exe does not say where tsbox is installed");
	if (argc > 2 && strcmp(argv[1], "run") == 0 && (refused == NULL || *refused == 0))
		try_kept(package, argv, started_ns);
	if (argc > 1 && (strcmp(argv[1], "run") == 0 || strcmp(argv[1], "shell") == 0))
		make_plans();
	become_node(package, argc, argv);
}
