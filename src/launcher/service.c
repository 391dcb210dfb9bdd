/* Programs that stay beside the sandbox (its network): started by the host script, ended with the sandbox. */
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_BYTES 600u
#define MOVED_FDS 64
#define USER_FD 3
#define MOUNT_FD 4

/* Makes the plan's fds 0, 1, 3, 4, … of this process, in their order, and closes all others. 2 takes its words. */
static bool take_fds(const int32_t *given, int n, int null, int words)
{
	int moved[SERVICE_FDS];

	/* Out of the way first: one of them may have a number that another is to get. */
	for (int i = 0; i < n; i++)
		if ((moved[i] = fcntl(given[i] < 0 ? null : given[i], F_DUPFD, MOVED_FDS)) < 0)
			return false;
	if (dup2(words, 2) < 0)
		return false;
	for (int i = 0; i < n; i++)
		if (dup2(moved[i], i < 2 ? i : i + 1) < 0)
			return false;
	return syscall(SYS_close_range, (unsigned)n + 1, ~0u, 0u) == 0;
}

static noreturn void become_service(const struct launch *launch, const struct plan_entry *entry, int words, pid_t parent)
{
	const int32_t *given = (const int32_t *)(const void *)(launch->plan.data + entry->arg[3]);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* A session of its own: what is typed at the terminal to end the command must not take its network away first. */
	if (null < 0 || setsid() < 0 || !take_fds(given, (int)entry->arg[4], null, words) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    ((entry->flags & ENTRY_ENTER_USER) != 0 && setns(USER_FD, CLONE_NEWUSER) != 0) ||
	    ((entry->flags & ENTRY_ENTER_MOUNT) != 0 &&
	     (setns(MOUNT_FD, CLONE_NEWNS) != 0 || unshare(CLONE_NEWNS) != 0)))
		_exit(EXIT_SETUP);
	become_program(launch, entry, parent);
}

/* Returns 0 when it says that it is ready; ECHILD when it ends before, or as await(). */
int start_service(struct launch *launch, const struct plan_entry *entry, int ready)
{
	struct service *service = &launch->service[launch->services];
	pid_t parent = getpid();
	int words[2];

	if (launch->services == SERVICES)
		return E2BIG;
	/* Not blocking: a program that writes more than the pipe holds goes on. */
	if (syscall(SYS_pipe2, words, O_CLOEXEC | O_NONBLOCK) != 0)
		return errno;
	*service = (struct service){ .entry = (uint32_t)(entry - launch->plan.entry), .words = words[0] };
	service->pid = clone3(0, &service->pidfd, NO_CGROUP);
	if (service->pid == 0)
		become_service(launch, entry, words[1], parent);
	int error = errno;
	close(words[1]);
	if (service->pid < 0)
		return error;
	launch->services++;

	error = await(launch, ready, service->pidfd, HELPER_MS);
	if (error != 0)
		return error;
	return has_ended(service->pidfd, 0) ? ECHILD : 0;
}

void stop_services(struct launch *launch)
{
	for (; launch->services > 0; launch->services--) {
		const struct service *service = &launch->service[launch->services - 1];
		syscall(SYS_pidfd_send_signal, service->pidfd, SIGKILL, NULL, 0u);
		while (waitpid(service->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
}

/*
 * Reads what a service has written to stderr to its end; only the last of it is kept. Returns how many bytes of `words` that
 * are. What comes when the pipe is full is lost (64 KiB, pipe(7)).
 */
static size_t last_words(int fd, char words[2 * WORDS_BYTES])
{
	size_t n = 0;
	ssize_t more;

	while ((more = read(fd, words + n, 2 * WORDS_BYTES - n)) > 0) {
		n += (size_t)more;
		if (n <= WORDS_BYTES)
			continue;
		memmove(words, words + n - WORDS_BYTES, WORDS_BYTES);
		n = WORDS_BYTES;
	}
	return n;
}

/* What a program that ended by itself said last, before the error that it is the reason of. */
void tell_service_words(const struct launch *launch, uint32_t entry)
{
	struct text text = { .fd = STDERR_FILENO };
	char words[2 * WORDS_BYTES];

	for (uint32_t i = 0; i < launch->services; i++) {
		const struct service *service = &launch->service[i];
		size_t n = service->entry == entry ? last_words(service->words, words) : 0;
		for (size_t at = 0; at < n; at++) {
			char c = words[at];
			put(&text, (c >= 0x20 && c < 0x7f) || c == '\n' ? c : '?');
		}
		if (n > 0 && words[n - 1] != '\n')
			put(&text, '\n');
	}
	flush_text(&text);
}
