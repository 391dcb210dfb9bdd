/*
 * Times commands side by side: spawn ROUNDS ::: COMMAND... ::: COMMAND...
 *
 * Runs the commands in turn, ROUNDS times, and prints one line a round with the nanoseconds of each, from before
 * posix_spawn(3) (vfork and exec: no page tables are copied) until it has been reaped. Every other round goes backwards: what
 * one command leaves for the next to bear, such as pages that are to be written, falls on its neighbours on either side. Before
 * each run every fd from 3 on that can be rewound is, as bubblewrap reads its filter and files from fds. A word {ppid} becomes
 * this process's id. Each command must exit 0.
 *
 * With --first before ROUNDS each command has two figures: until it has printed something, and until it has been reaped.
 * With --parallel N each is started N times at once, and the figure is of them all. With --miss XDG_STATE_HOME is another one for
 * each run: a plan that tsbox has kept holds for the same one only.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEPARATOR ":::"
#define MOST 16
#define WARM_UP 3

extern char **environ;

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void move_state(void)
{
	static int runs;
	char path[64];

	snprintf(path, sizeof(path), "/nonexistent/%d", runs++);
	setenv("XDG_STATE_HOME", path, 1);
}

static bool is_miss;

/* `first`: NULL, or where the time until the first byte of standard output goes. */
static int64_t run(char **command, int64_t *first)
{
	posix_spawn_file_actions_t actions;
	char byte;
	int output[2];
	pid_t pid;
	int status;

	if (is_miss)
		move_state();
	for (int fd = 3; fd < 64; fd++)
		lseek(fd, 0, SEEK_SET);
	posix_spawn_file_actions_init(&actions);
	if (first != NULL && (pipe2(output, O_CLOEXEC) != 0 || posix_spawn_file_actions_adddup2(&actions, output[1], 1) != 0))
		exit(1);
	int64_t start = now();
	int error = posix_spawn(&pid, command[0], &actions, NULL, command, environ);
	bool printed = true;
	if (first != NULL) {
		close(output[1]);
		printed = read(output[0], &byte, 1) == 1;
		*first = now() - start;
	}
	if (error == 0 && waitpid(pid, &status, 0) == pid && status == 0 && printed) {
		int64_t took = now() - start;
		if (first != NULL)
			close(output[0]);
		posix_spawn_file_actions_destroy(&actions);
		return took;
	}
	fprintf(stderr, "spawn: %s: %s\n", command[0], error != 0 ? strerror(error) : "did not exit 0, or printed nothing");
	exit(1);
}

/* Fds that are shared would be read by all of them at once: each gets one of its own that starts at the beginning. */
static int open_again(posix_spawn_file_actions_t *actions, int own[64])
{
	int n = 0;
	for (int fd = 3; fd < 64; fd++) {
		char path[32];
		if (lseek(fd, 0, SEEK_SET) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own[n] = open(path, O_RDONLY | O_CLOEXEC);
		if (own[n] < 0 || posix_spawn_file_actions_adddup2(actions, own[n], fd) != 0)
			exit(1);
		n++;
	}
	return n;
}

static int64_t run_many(char **command, int count)
{
	int64_t start = now();
	int status;

	for (int i = 0; i < count; i++) {
		posix_spawn_file_actions_t actions;
		pid_t pid;
		int own[64];
		posix_spawn_file_actions_init(&actions);
		int n = open_again(&actions, own);
		int error = posix_spawn(&pid, command[0], &actions, NULL, command, environ);
		posix_spawn_file_actions_destroy(&actions);
		while (n > 0)
			close(own[--n]);
		if (error == 0)
			continue;
		fprintf(stderr, "spawn: %s: %s\n", command[0], strerror(error));
		exit(1);
	}
	for (int i = 0; i < count; i++) {
		if (wait(&status) > 0 && status == 0)
			continue;
		fprintf(stderr, "spawn: %s: one of %d did not exit 0\n", command[0], count);
		exit(1);
	}
	return now() - start;
}

int main(int argc, char **argv)
{
	int parallel = 1;

	char **commands[MOST];
	int n = 0;
	static char self[16];

	bool is_first_told = false;
	for (; argc > 2 && strncmp(argv[1], "--", 2) == 0; argv++, argc--) {
		if (strcmp(argv[1], "--first") == 0) {
			is_first_told = true;
		} else if (strcmp(argv[1], "--miss") == 0) {
			is_miss = true;
		} else if (strcmp(argv[1], "--parallel") == 0) {
			parallel = atoi(argv[2]);
			argv++;
			argc--;
		} else {
			return 2;
		}
	}
	snprintf(self, sizeof(self), "%d", (int)getpid());
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], SEPARATOR) == 0) {
			argv[i] = NULL;
			if (n == MOST || i + 1 == argc)
				return 2;
			commands[n++] = argv + i + 1;
		} else if (strcmp(argv[i], "{ppid}") == 0) {
			argv[i] = self;
		}
	}
	if (n == 0)
		return 2;
	long rounds = strtol(argv[1], NULL, 10);
	for (long round = -WARM_UP; round < rounds; round++) {
		int64_t first[MOST], took[MOST];
		for (int turn = 0; turn < n; turn++) {
			int i = round % 2 == 0 ? turn : n - 1 - turn;
			took[i] = parallel > 1 ? run_many(commands[i], parallel) : run(commands[i], is_first_told ? &first[i] : NULL);
		}
		for (int i = 0; i < n && round >= 0; i++) {
			if (is_first_told)
				printf("%lld ", (long long)first[i]);
			printf("%lld%c", (long long)took[i], i + 1 < n ? ' ' : '\n');
		}
	}
	return 0;
}
