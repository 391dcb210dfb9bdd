/*
 * Times commands side by side: spawn ROUNDS ::: COMMAND... ::: COMMAND...
 *
 * Runs the commands in turn, ROUNDS times, and prints one line a round with the nanoseconds of each, from before
 * posix_spawn(3) (vfork and exec: no page tables are copied) until it has been reaped. Before each run every fd from 3 on
 * that can be rewound is, as bubblewrap reads its filter and files from fds. A word {ppid} becomes this process's id. Each
 * command must exit 0.
 */
#define _GNU_SOURCE
#include <spawn.h>
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

static int64_t run(char **command)
{
	pid_t pid;
	int status;

	for (int fd = 3; fd < 64; fd++)
		lseek(fd, 0, SEEK_SET);
	int64_t start = now();
	int error = posix_spawn(&pid, command[0], NULL, NULL, command, environ);
	if (error == 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return now() - start;
	fprintf(stderr, "spawn: %s: %s\n", command[0], error != 0 ? strerror(error) : "did not exit 0");
	exit(1);
}

int main(int argc, char **argv)
{
	char **commands[MOST];
	int n = 0;
	static char self[16];

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
		for (int i = 0; i < n; i++) {
			int64_t took = run(commands[i]);
			if (round >= 0)
				printf("%lld%c", (long long)took, i + 1 < n ? ' ' : '\n');
		}
	}
	return 0;
}
