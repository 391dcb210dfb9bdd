/* The payload becomes the command: PATH search inside the new root, as execvp(3) does it but without a shell. */
#include "launcher.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096u

static noreturn void end(const struct launch *launch, enum outcome outcome, int error)
{
	send_record(launch, (struct record){ .kind = RECORD_OUTCOME, .entry = outcome, .value = error });
	_exit(EXIT_SETUP);
}

/* Why execve(2) of a path failed, in the user's terms; OUTCOME_NOT_FOUND lets the search go on. */
static enum outcome judge(const char *path, int error)
{
	struct stat status;
	bool exists = stat(path, &status) == 0;

	if ((error == ENOENT || error == ENOTDIR || error == ELOOP) && !exists)
		return OUTCOME_NOT_FOUND;
	if (error == ENOENT)
		return OUTCOME_INTERPRETER;
	if (error == ENOEXEC)
		return OUTCOME_FORMAT;
	if (exists && S_ISDIR(status.st_mode))
		return OUTCOME_DIRECTORY;
	return error == EACCES || error == EPERM ? OUTCOME_NOT_EXECUTABLE : OUTCOME_EXEC;
}

static enum outcome try(const struct launch *launch, const struct plan_entry *entry, const char *path)
{
	execve(path, launch->command, (char **)(void *)(launch->plan.data + entry->arg[1]));
	int error = errno;
	enum outcome outcome = judge(path, error);
	errno = error;
	return outcome;
}

void become_command(struct launch *launch, const struct plan_entry *entry)
{
	const char *name = launch->command[0];
	const char *search = plan_text(&launch->plan, (uint32_t)entry->arg[0]);
	size_t length = strlen(name);
	enum outcome outcome = OUTCOME_NOT_FOUND;
	int error = ENOENT;

	send_record(launch, (struct record){ .kind = RECORD_STARTED });
	if (length > 0 && strchr(name, '/') != NULL) {
		outcome = try(launch, entry, name);
		end(launch, outcome, errno);
	}
	while (length > 0 && *search != 0) {
		char path[PATH_BYTES];
		size_t n = strcspn(search, ":");
		/* An empty element would mean the current directory, which holds what is not trusted. */
		if (n > 0 && n + 1 + length < sizeof(path)) {
			memcpy(path, search, n);
			path[n] = '/';
			memcpy(path + n + 1, name, length + 1);
			enum outcome found = try(launch, entry, path);
			/* A directory or a file without x bit does not end the search, but is told if nothing better comes. */
			if (found != OUTCOME_NOT_FOUND) {
				outcome = found;
				error = errno;
			}
			if (found != OUTCOME_NOT_FOUND && found != OUTCOME_DIRECTORY && found != OUTCOME_NOT_EXECUTABLE)
				break;
		}
		search += n;
		search += *search == ':';
	}
	end(launch, outcome, error);
}
