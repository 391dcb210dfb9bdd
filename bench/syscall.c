/*
 * Times getppid(2) under filters side by side: syscall ROUNDS CALLS FILTER...
 *
 * A FILTER is "-" (none), the file of a raw array of struct sock_filter (`tsbox seccomp --bpf`), with ":fast" behind it to
 * install it with SECCOMP_FILTER_FLAG_SPEC_ALLOW, or "dispatch": no filter, but prctl(PR_SET_SYSCALL_USER_DISPATCH) with a
 * range that lets every call pass, so that the kernel takes the same slow way into a call as it does for a filter. Each round runs every filter once, in turn, each in a process of its own
 * that makes CALLS calls; one line a round has for each the nanoseconds a call and those that installing it took. The first
 * line, "#", has for each what /proc/self/status says of Speculation_Store_Bypass.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FAST ":fast"
#define MOST BPF_MAXINSNS

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Returns the nanoseconds that it took the kernel. */
static double install(char *filter)
{
	static struct sock_filter program[MOST];
	char *fast = strstr(filter, FAST);
	unsigned int flags = 0;

	if (fast != NULL) {
		*fast = '\0';
		flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	}
	int fd = open(filter, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, program, sizeof(program));
	if (size <= 0)
		fail(filter);
	struct sock_fprog fprog = { .len = (unsigned short)((size_t)size / sizeof(program[0])), .filter = program };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail("PR_SET_NO_NEW_PRIVS");
	int64_t start = now();
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog) != 0)
		fail("seccomp");
	return (double)(now() - start);
}

struct told {
	double call, install;
	char speculation[64];
};

/* In the child: what it prints into `out` is read by the parent. */
static _Noreturn void measure(char *filter, long calls, int out)
{
	struct told told = { 0 };
	char status[4096] = "";
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	if (strcmp(filter, "dispatch") == 0) {
		if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0ul, ~0ul, 0ul) != 0)
			fail("PR_SET_SYSCALL_USER_DISPATCH");
	} else if (strcmp(filter, "-") != 0) {
		told.install = install(filter);
	}
	/* Read through an fd from before: a filter may refuse open(2), and the text is of the moment it is read. */
	if (read(fd, status, sizeof(status) - 1) > 0) {
		char *line = strstr(status, "Speculation_Store_Bypass:\t");
		if (line != NULL)
			sscanf(line, "Speculation_Store_Bypass:\t%63[^\n]", told.speculation);
	}
	for (long i = 0; i < calls / 10; i++)
		syscall(SYS_getppid);
	int64_t start = now();
	for (long i = 0; i < calls; i++)
		syscall(SYS_getppid);
	told.call = (double)(now() - start) / (double)calls;
	_exit(write(out, &told, sizeof(told)) == (ssize_t)sizeof(told) ? 0 : 1);
}

static struct told run(const char *filter, long calls)
{
	struct told told;
	int ends[2], status;

	if (pipe(ends) != 0)
		fail("pipe");
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0)
		measure(strdup(filter), calls, ends[1]);
	close(ends[1]);
	ssize_t size = read(ends[0], &told, sizeof(told));
	close(ends[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0 || size != (ssize_t)sizeof(told)) {
		fprintf(stderr, "syscall: %s: status 0x%x\n", filter, (unsigned int)status);
		exit(1);
	}
	return told;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fputs("usage: syscall ROUNDS CALLS FILTER...\n", stderr);
		return 2;
	}
	long rounds = atol(argv[1]), calls = atol(argv[2]);
	fputs("#", stdout);
	for (int i = 3; i < argc; i++)
		printf("%s%s", i == 3 ? "" : "; ", run(argv[i], calls).speculation);
	puts("");
	for (long round = 0; round < rounds; round++) {
		for (int i = 3; i < argc; i++) {
			struct told told = run(argv[i], calls);
			printf("%.2f %.0f%s", told.call, told.install, i == argc - 1 ? "\n" : " ");
		}
	}
	return 0;
}
