/* The launcher as Node starts it: plays the plan in a sealed memfd, and keeps what lies behind it there. */
#include "kept.h"

#include <string.h>

/* A non-negative decimal of at most nine digits, or -1. */
static int decimal(const char *text)
{
	int number = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 9)
		return -1;
	for (; *text != 0; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number;
}

/* argv: "tsbox", fd of the plan, pid of the parent that must live (0: nobody), the command and its arguments. */
int main(int argc, char **argv)
{
	static struct launch launch; /* its buffers are memory only when they are used */

	launch.started_ns = clock_ns();
	if (argc < 4)
		die_early("there are too few arguments");
	int plan = decimal(argv[1]);
	int parent = decimal(argv[2]);
	if (parent < 0)
		die_early("the pid of the parent is no number");
	/* Init inherits these, and the command can read /proc/1/cmdline: pids of the host are no business of its. */
	memset(argv[1], '-', strlen(argv[1]));
	memset(argv[2], '-', strlen(argv[2]));
	fill_standard_fds();
	launch.plan = plan_load(plan);
	keep_plan(plan, launch.plan.head->size);
	run_plan(&launch, argv + 3, parent);
}
