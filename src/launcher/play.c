/* Plays one script of the plan, call by call. */
#include "launcher.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static long argument(const struct launch *launch, const struct plan_entry *entry, uint32_t i)
{
	int loaded;

	if (i >= entry->argc)
		return 0;
	switch ((enum arg)entry->kind[i]) {
	case ARG_DATA:
		return (long)(launch->plan.data + entry->arg[i]);
	case ARG_SLOT:
		return (long)launch->slot[entry->arg[i]];
	case ARG_LOAD:
		memcpy(&loaded, launch->plan.data + entry->arg[i], sizeof(loaded));
		return loaded;
	case ARG_INT:
	default: /* plan_fault() lets no other kind pass */
		return (long)entry->arg[i];
	}
}

static bool is_tolerated(const struct plan_entry *entry, int error)
{
	for (uint32_t i = 0; i < entry->tolerated_n; i++)
		if (entry->tolerated[i] == error)
			return true;
	return false;
}

/* Returns 0 or an errno. */
static int await_call(const struct launch *launch, const struct plan_entry *entry)
{
	if ((entry->flags & ENTRY_AWAIT) == 0)
		return 0;
	return await(launch, (int)argument(launch, entry, 0), -1, (entry->flags & ENTRY_SOON) != 0 ? HELPER_MS : -1);
}

/* Whoever has the lock may be stopped. Returns 0 when the call is to be made again, or an errno. */
static int await_lock(const struct launch *launch, int *left)
{
	if (*left <= 0)
		return EAGAIN;
	*left -= LOCK_TICK_MS;
	int error = await(launch, -1, -1, LOCK_TICK_MS);
	return error == ETIMEDOUT ? 0 : error;
}

/* Returns 0 or an errno. A tolerated failure saves -1, which every later use of the slot turns into EBADF. */
static int play_call(struct launch *launch, const struct plan_entry *entry)
{
	int left = (entry->flags & ENTRY_LOCK) != 0 ? LOCK_MS : 0;
	int error;
	long result;

	for (;;) {
		if ((error = await_call(launch, entry)) != 0)
			return error;
		result = syscall((long)entry->nr, argument(launch, entry, 0), argument(launch, entry, 1),
				 argument(launch, entry, 2), argument(launch, entry, 3), argument(launch, entry, 4),
				 argument(launch, entry, 5));
		if (result >= 0 || (errno != EINTR && (errno != EAGAIN || (entry->flags & ENTRY_LOCK) == 0)))
			break;
		if (errno == EAGAIN && (error = await_lock(launch, &left)) != 0)
			return error;
	}
	if (result < 0 && !is_tolerated(entry, errno))
		return errno;
	if (result >= 0 && (entry->flags & ENTRY_EXACT) != 0 && result != argument(launch, entry, 2))
		return EIO;
	if (entry->save != PLAN_NO_SLOT)
		launch->slot[entry->save] = result;
	return 0;
}

/* The kernel answers some requests in memory, 0 or an errno below 0. Returns 0 or an errno. */
static int check(int answer, int expected)
{
	if (answer == expected)
		return 0;
	return answer < 0 && answer > -4096 ? -answer : EPROTO;
}

/* Returns 0 or an errno. */
int play_entry(struct launch *launch, const struct plan_entry *entry)
{
	switch ((enum op)entry->op) {
	case OP_CALL:
		return play_call(launch, entry);
	case OP_SPAWN:
		return spawn(launch, entry);
	case OP_HELPER:
		return run_helper(launch, entry);
	case OP_EXEC:
		become_command(launch, entry);
	case OP_STORE: {
		int value = (int)argument(launch, entry, 0);
		memcpy(launch->plan.data + entry->arg[1], &value, sizeof(value));
		return 0;
	}
	case OP_SERVICE:
		return start_service(launch, entry, (int)argument(launch, entry, 5));
	case OP_CHECK:
		return check((int)argument(launch, entry, 0), (int)argument(launch, entry, 1));
	case OP_SHARE:
		return share(launch, entry, (int)argument(launch, entry, 0));
	case OP_TELL: /* after.c */
	case OP_FIGURE:
	case OP_PRUNE:
	default:
		return ENOSYS;
	}
}

struct failure play(struct launch *launch, enum script script)
{
	const uint32_t *range = launch->plan.head->script[script];

	for (uint32_t i = range[0]; i < range[0] + range[1]; i++) {
		int error = play_entry(launch, &launch->plan.entry[i]);
		if (error != 0)
			return (struct failure){ .entry = i, .error = error };
	}
	return (struct failure){ 0 };
}
