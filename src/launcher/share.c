/* The sandbox's network shared with other sandboxes of the user: whoever connects to its socket is handed the namespaces. */
#include "launcher.h"

#include <sys/socket.h>
#include <unistd.h>

int share(struct launch *launch, const struct plan_entry *entry, int socket)
{
	launch->share = socket;
	launch->shared = (const struct msghdr *)(const void *)(launch->plan.data + entry->arg[1]);
	return 0;
}

/* Never waits: one that does not read its answer does without. */
void attend_share(const struct launch *launch)
{
	int other = accept4(launch->share, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (other < 0)
		return;
	(void)sendmsg(other, launch->shared, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(other);
}
