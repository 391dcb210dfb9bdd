/*
 * What the supervisor does on signals: hands them on; stops and goes on together with the command, as a job of a shell; or is
 * steered by whoever started it, a caller of the library.
 */
#include "launcher.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void send_signal(const struct launch *launch, int number)
{
	/* ESRCH: init has just ended, which the next poll tells. */
	syscall(SYS_pidfd_send_signal, launch->child_pidfd, number, NULL, 0u);
}

/* Writes one character to a file of the sandbox's cgroup, where there is one. */
static void control(const struct launch *launch, uint32_t slot, const char *value)
{
	/* What it is for is done by signals as well. */
	if (slot != PLAN_NO_SLOT && launch->slot[slot] >= 0 && write((int)launch->slot[slot], value, 1) != 1)
		return;
}

static void freeze(const struct launch *launch, bool frozen)
{
	control(launch, launch->plan.head->freeze, frozen ? "1" : "0");
}

void kill_sandbox(struct launch *launch)
{
	if (launch->child <= 0)
		return;
	control(launch, launch->plan.head->kill, "1");
	send_signal(launch, SIGKILL);
}

/* Waits until the command has stopped, but not for ever: it may be in a sleep that cannot be interrupted. */
static void await_stop(const struct launch *launch, struct end *end)
{
	struct pollfd status = { .fd = launch->status[0], .events = POLLIN };

	while (poll(&status, 1, STOP_MS) == 1 && (status.revents & POLLIN) != 0 && !read_records(launch, end))
		continue;
}

/* All of the sandbox. */
static void halt(const struct launch *launch, struct end *end)
{
	/* What an earlier stop told too late. */
	read_records(launch, end);
	send_signal(launch, SIGTSTP);
	await_stop(launch, end);
	/* Whatever was not stopped by signals, as a process that is in an exec. */
	freeze(launch, true);
}

static void unhalt(const struct launch *launch, struct end *end)
{
	/* Told too late, it would stop this process again. */
	read_records(launch, end);
	freeze(launch, false);
	send_signal(launch, SIGCONT);
}

static void go_on(struct launch *launch, struct end *end)
{
	uint64_t go_on = signal_bit(SIGCONT);

	/* Let go on in the background it could read what is typed; it stays stopped, as if by SIGTTIN. */
	while (!has_terminal(launch) && !launch->guarded && is_in_background())
		kill(getpid(), SIGSTOP);
	/* The signal that ended the stop is still pending, and is not to be forwarded once more. */
	syscall(SYS_rt_sigtimedwait, &go_on, NULL, &(struct timespec){ 0 }, sizeof(go_on));
	if (has_terminal(launch))
		terminal_retake(launch);
	if (!launch->held)
		unhalt(launch, end);
}

/* With effect only where a shell is there that could continue this process, as at any Ctrl-Z. */
static void stop(pid_t whom)
{
	uint64_t stop = signal_bit(SIGTSTP);

	kill(whom, SIGTSTP);
	/* Here the own one takes effect. */
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &stop, NULL, sizeof(stop));
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &stop, NULL, sizeof(stop));
}

static void pause_with_sandbox(struct launch *launch, struct end *end, bool by_terminal)
{
	if (!launch->held)
		halt(launch, end);
	if (has_terminal(launch))
		terminal_give_back(launch);
	if (by_terminal)
		stop(getpid());
	else
		kill(getpid(), SIGSTOP); /* whoever sent it waits for that */
	go_on(launch, end);
}

/*
 * With the key that suspends the user means the whole group, as at any terminal: in a pipeline all of a job have to stop. A
 * command that stops for another reason does not get to stop the user's other processes.
 */
void stop_job(struct launch *launch, struct end *end)
{
	bool suspends = launch->terminal.suspends;

	launch->terminal.suspends = false;
	terminal_give_back(launch);
	stop(suspends ? 0 : getpid());
	go_on(launch, end);
}

void interrupt_job(const struct launch *launch)
{
	uint64_t interrupt = signal_bit(SIGINT);

	/* With the key the user means the whole group, as at any terminal; his own has sent nothing, being raw. */
	kill(launch->terminal.interrupts ? 0 : getpid(), SIGINT);
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &interrupt, NULL, sizeof(interrupt));
	_exit(128 + SIGINT);
}

void tell_steering(const struct launch *launch)
{
	const struct plan_header *head = launch->plan.head;

	if ((head->flags & PLAN_STEERED) == 0 || head->report == PLAN_NO_SLOT)
		return;
	/* His end is seen by other means. */
	if (write((int)launch->slot[head->report], "\n", 1) != 1)
		return;
}

/* Unlike a job's supervisor this one does not stop: SIGTERM, the time limit and the caller's end count as ever. */
static void hold(struct launch *launch, struct end *end, bool held)
{
	if (held != launch->held && !end->reaped && held)
		halt(launch, end);
	else if (held != launch->held && !end->reaped)
		unhalt(launch, end);
	launch->held = held;
	tell_steering(launch);
}

/* Whether that was a signal to steer by, and not for the command. */
static bool steer(struct launch *launch, struct end *end, uint32_t number)
{
	if ((launch->plan.head->flags & PLAN_STEERED) == 0)
		return false;
	if (number == SIGTERM)
		kill_sandbox(launch); /* what is left to do is still done, as it is not after SIGKILL */
	else if (number == SIGUSR1 || number == SIGUSR2)
		hold(launch, end, number == SIGUSR1);
	else
		return false;
	return true;
}

void attend_signals(struct launch *launch, struct end *end)
{
	struct signalfd_siginfo signal;

	while (read(launch->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
		if (steer(launch, end, signal.ssi_signo))
			continue;
		if (signal.ssi_signo == SIGTSTP)
			pause_with_sandbox(launch, end, signal.ssi_code == SI_KERNEL);
		else if (signal.ssi_signo == SIGCONT)
			go_on(launch, end);
		else if (signal.ssi_signo == SIGWINCH && has_terminal(launch))
			terminal_resize(launch);
		else if (end->reaped)
			kill_sandbox(launch); /* whoever should read the rest of what was printed does not */
		else
			send_signal(launch, (int)signal.ssi_signo);
	}
}
