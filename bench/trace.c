/*
 * Linked into a launcher by the linker's --wrap: writes down when each call of syscall(2) began and how long it took, and when
 * each process began, became the command and ended. For bench/launcher.ts.
 *
 * TSBOX_TRACE names a file of zeros, which all processes of all runs map and append to; struct trace is its format. A reading
 * of the clock costs 30 ns, so that what is measured is what happens.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Numbers that no system call has. */
enum event { EVENT_START = 100000, EVENT_BEGIN, EVENT_EXEC, EVENT_EXIT };

struct record {
	uint32_t what;    /* number of the call, or an event */
	uint32_t process; /* 0 supervisor, 1 init, 2 payload */
	uint64_t from_ns, took_ns;
};

struct trace {
	_Atomic uint64_t n;
	struct record record[];
};

static struct trace *trace;
static uint64_t room;
static uint32_t process;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void put(uint32_t what, uint64_t from)
{
	uint64_t took = now() - from;
	uint64_t i = atomic_fetch_add(&trace->n, 1);

	if (i < room)
		trace->record[i] = (struct record){ what, process, from, took };
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("TSBOX_TRACE");
	uint64_t begin = now();
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < (off_t)sizeof(struct trace))
		abort();
	trace = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (trace == MAP_FAILED)
		abort();
	close(fd);
	room = ((uint64_t)size - sizeof(struct trace)) / sizeof(struct record);
	put(EVENT_START, begin);
}

long __real_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
	long arg[6];
	va_list rest;

	va_start(rest, number);
	for (unsigned i = 0; i < 6; i++)
		arg[i] = va_arg(rest, long);
	va_end(rest);
	uint64_t from = now();
	long result = __real_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	int error = errno;
	bool is_child = number == SYS_clone3 && result == 0;
	process += is_child;
	put(is_child ? EVENT_BEGIN : (uint32_t)number, from);
	errno = error;
	return result;
}

int __real_execve(const char *path, char *const argv[], char *const envp[]);

int __wrap_execve(const char *path, char *const argv[], char *const envp[])
{
	put(EVENT_EXEC, now());
	return __real_execve(path, argv, envp);
}

_Noreturn void __real__exit(int status);

_Noreturn void __wrap__exit(int status)
{
	put(EVENT_EXIT, now());
	__real__exit(status);
}
