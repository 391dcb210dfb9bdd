/*
 * What `tsbox compile` makes programs of: this one, then one or two plans as they are kept, then struct trailer. Plays the first
 * plan whose guards hold. There is no Node to plan anew: what is not as it was is an error.
 */
#include "kept.h"
#include "text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRAILER_MAGIC "tsboxcp1"
#define MOST_PLANS 2

/* Written by src/plan/kept.ts. */
struct trailer {
	uint32_t size[MOST_PLANS]; /* of each plan, in their order; 0: there is none */
	char magic[8];
};

static const char *const NAMES[] = {
	[GUARD_VARIABLE] = "the variable ",
	[GUARD_IS_SET] = "whether there is a variable ",
	[GUARD_IDS] = "the user or group",
	[GUARD_ACCOUNT] = "the user's line in ",
	[GUARD_KERNEL] = "the kernel's release",
	[GUARD_LIMIT] = "the hard limit of ",
	[GUARD_TERMINALS] = "whether standard input, output and errors are all a terminal",
	[GUARD_LANDLOCK] = "the version of Landlock",
	[GUARD_PARENT] = "whether the parent process can be seen",
	[GUARD_DIRECTORY] = "the current directory",
};

static noreturn void refuse(const char *name, const char *what, const char *fix)
{
	struct text text = { .fd = STDERR_FILENO };

	put_raw(&text, "tsbox: cannot run this compiled sandbox: ");
	put_raw(&text, name);
	for (; *what != 0; what++)
		put_char(&text, (unsigned char)*what < ' ' || *what == 127 ? '?' : *what);
	put_raw(&text, " [E_COMPILED]\n  fix: ");
	put_raw(&text, fix);
	put_raw(&text, "\n");
	flush_text(&text);
	_exit(EXIT_SETUP);
}

static noreturn void refuse_change(const struct kept *kept, const struct kept_guard *guard)
{
	char what[4096] = { 0 };
	const char *name = guard->kind < sizeof(NAMES) / sizeof(NAMES[0]) ? NAMES[guard->kind] : NULL;
	static const char is_other[] = " is not what it was when this was compiled";

	strncpy(what, guard_name(kept, guard), sizeof(what) - sizeof(is_other));
	memcpy(what + strlen(what), is_other, sizeof(is_other));
	refuse(name == NULL ? "" : name, what, "make it as it was, or compile it here and now: tsbox compile");
}

static noreturn void refuse_file(void)
{
	refuse("", "its file is damaged or cut short", "compile it again");
}

int main(int argc, char **argv)
{
	int64_t started_ns = clock_ns();
	struct trailer trailer;
	struct stat at;
	struct kept kept, told = { 0 };
	const struct kept_guard *broken = NULL;
	char **command = argv + 1;

	if (argc > 1 && strcmp(*command, "--") == 0)
		command++;
	if (argc < 1 || *command == NULL || **command == 0)
		refuse("", "there is no command to run", "write one after the name of this program");
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			fill_standard_fds();
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0 || fstat(self, &at) != 0 || at.st_size < (off_t)sizeof(trailer))
		refuse("", "/proc/self/exe cannot be read", "mount /proc");
	size_t end = (size_t)at.st_size - sizeof(trailer);
	if (pread(self, &trailer, sizeof(trailer), (off_t)end) != (ssize_t)sizeof(trailer) ||
	    memcmp(trailer.magic, TRAILER_MAGIC, sizeof(trailer.magic)) != 0)
		refuse_file();
	for (int i = MOST_PLANS - 1; i >= 0; i--) {
		if (trailer.size[i] > end)
			refuse_file();
		end -= trailer.size[i];
	}
	for (int i = 0; i < MOST_PLANS && trailer.size[i] != 0; end += trailer.size[i++]) {
		uint8_t *base = read_all(self, end, trailer.size[i]);
		if (base == NULL || !kept_at(base, trailer.size[i], &kept))
			refuse_file();
		const struct kept_guard *guard = broken_guard(&kept);
		if (guard == NULL) {
			close(self);
			/* What the other plan was made from is not the sandbox's either. */
			if (broken != NULL)
				munmap((void *)(uintptr_t)told.base, told.head->size);
			play_kept(&kept, argv, command, started_ns);
		}
		/* Which plan it is says little; what else has changed says more. */
		if (broken == NULL || broken->kind == GUARD_TERMINALS) {
			told = kept;
			broken = guard;
		}
	}
	if (broken == NULL)
		refuse_file();
	refuse_change(&told, broken);
}
