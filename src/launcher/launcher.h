/*
 * tsbox's launcher: plays a plan. Theory of operation
 *
 * Three processes, each with a script of its own in the plan:
 *
 *  supervisor  the process that was started (main.c, run.c, start.c, supervise.c). Checks the whole plan, closes every fd that the plan
 *              does not name, plays the host script, which spawns init into new namespaces, and then waits: forwards
 *              signals, watches the time limit and its own parent, plays the script of what is left to do (after.c), tells
 *              how the run ended. Stays in the host's namespaces; holds no fd of the sandbox but the read end of the
 *              status pipe.
 *  init        PID 1 of the sandbox (init.c). Plays the set-up (id maps, mounts, pivot), spawns the payload, gives up its
 *              capabilities and its fds, then reaps and forwards signals. The kernel ends every process of the sandbox
 *              with it, and it ends with the supervisor (PR_SET_PDEATHSIG).
 *  payload     waits until both others have played their scripts, gives up everything (capabilities, no_new_privs, rlimits,
 *              seccomp) and becomes the command (exec.c).
 *
 * Before all of this the plan may be kept for later runs (keep.c); kept.h.
 *
 * The launcher knows no policy: what is called, in which order, and what a failure means to the user all comes with the
 * plan. After the first clone nothing allocates and nothing uses stdio; ends are _exit(2).
 */
#ifndef TSBOX_LAUNCHER_H
#define TSBOX_LAUNCHER_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <sys/types.h>
#include <termios.h>

#include "plan.h"

#define EXIT_SETUP 125
#define PID_TEXT 12u
#define HELPER_MS 10000
#define LOCK_MS 10000
#define LOCK_TICK_MS 10
#define STOP_MS 1000
#define TICK_MS 200
/* More than a pseudoterminal can hold: 64 KiB, and the line discipline's 4. */
#define REST_BYTES (128 << 10)
#define SERVICES 4u

/* What init and the payload tell the supervisor through the status pipe; smaller than PIPE_BUF, so never torn. */
enum record_kind {
	RECORD_FAILED, /* entry `entry` failed with errno `value` */
	RECORD_OUTCOME, /* the exec came to outcome `entry` with errno `value` */
	RECORD_STARTED, /* the exec comes next */
	RECORD_STOPPED, /* the command has stopped: on SIGTSTP, or by Ctrl-Z at its own terminal */
	RECORD_EXITED, /* the command ended with wait status `value`; `entry`: the sandbox's own files have no room left */
};

struct record {
	uint32_t kind;
	uint32_t entry;
	int32_t value;
};

/* What was read and is still to be written. */
struct buffer {
	uint8_t bytes[16384];
	uint32_t from, to;
};

/* Used only when the plan gives the command a terminal of its own. */
struct terminal {
	struct termios before; /* as the user's terminal was found */
	bool raw;              /* it is ours, and raw */
	pid_t guardian;
	int orders; /* pipe to the guardian */
	int in, out, master;
	struct buffer typed, printed;
	bool out_gone; /* nobody reads the output any more */
	bool hung; /* nobody had the command's end open when it was looked at last */
	bool suspends;   /* what was typed last has the key in it that suspends */
	bool interrupts; /* or the one that interrupts */
	int32_t rest; /* of what comes after the command's end, how many bytes are still taken */
};

/* A program beside the sandbox, which must not end before it. */
struct service {
	uint32_t entry;
	pid_t pid;
	int pidfd;
	int words; /* what it writes to stderr */
};

/* Used only when what the command prints is limited and goes to no terminal of its own. */
struct output {
	int from, to;
	struct buffer printed;
};

struct end;

struct launch {
	struct plan plan;
	char **command; /* argv of the payload */
	int signals;    /* signalfd of what is forwarded */
	int parent;     /* pidfd of the process that must live, or -1 */
	bool guarded;   /* the terminal was taken away */
	int64_t slot[PLAN_SLOTS];
	int status[2]; /* the status pipe */
	int set_up[2]; /* a byte each from the supervisor and init when their scripts are played */
	pid_t child;   /* the process that this one spawned */
	int child_pidfd;
	struct service service[SERVICES];
	uint32_t services;
	int share; /* socket by which the network is shared, or -1 */
	const struct msghdr *shared; /* what whoever connects to it gets */
	bool stopping; /* in init: the command is to stop, and has not yet */
	bool held;     /* paused by whoever steers it, until he lets it go on */
	struct terminal terminal;
	struct output output[PRINTED];
	uint64_t printed; /* bytes, when they are limited */
	bool overprinted; /* there were more */
	int64_t started_ns;
	int64_t cpu_seen_ns; /* when the processor time was looked at last */
};

/* run.c: plays a plan that has been checked, to the end of this process. `parent`: who must live; 0: nobody. */
noreturn void run_plan(struct launch *launch, char **command, pid_t parent);

/* start.c */
/* Before anything is opened: what is closed becomes /dev/null, and a directory is refused. */
void fill_standard_fds(void);
void start_clean(struct launch *launch, pid_t parent);
bool is_in_background(void);
/* Whether one of the standard streams is the terminal that this session is controlled by. */
bool is_at_terminal(void);

/* terminal.c */
bool has_terminal(const struct launch *launch);
/* Before anything is made: what the user's terminal is like, and who restores it if all else fails. */
void terminal_start(struct launch *launch);
/* Before the command runs. */
void terminal_begin(struct launch *launch);
/* Makes the user's terminal raw if this process is in its foreground, else lets go of it. */
void terminal_take(struct launch *launch);
/* The same after a stop: a shell may have set its own modes meanwhile. */
void terminal_retake(struct launch *launch);
void terminal_give_back(struct launch *launch);
/* The command's terminal, when the user's has been. */
void terminal_hang_up(struct terminal *terminal);
void terminal_resize(const struct launch *launch);
void terminal_end(struct launch *launch);

/* guardian.c */
void guardian_start(struct terminal *terminal);
/* What to do should this process be killed from now on. */
void guardian_tell(const struct terminal *terminal, bool is_raw);
void guardian_end(const struct terminal *terminal);
/* Of the user's terminal; whether that worked. */
bool set_modes(const struct termios *modes);

/* Opens it anew, as a description that is not shared, where that is possible. */
int reopen(int fd, int access);

/* relay.c */
#define AT_TERMINAL 3
bool is_empty(const struct buffer *buffer);
/* Whether the other end is still there. */
bool fill(struct buffer *buffer, int fd);
bool empty(struct buffer *buffer, int fd);
void relay_watch(const struct terminal *terminal, struct pollfd fds[AT_TERMINAL]);
/* False when the one who reads the output has just gone. */
bool relay(struct launch *launch, const struct pollfd fds[AT_TERMINAL]);
/* After the command's end. */
void relay_watch_rest(const struct terminal *terminal, struct pollfd fds[AT_TERMINAL]);
/* Whether something that was printed is still to be written. */
bool relay_rest(struct launch *launch);

/* output.c */
bool has_outputs(const struct launch *launch);
/* Before the command runs. */
void outputs_begin(struct launch *launch);
void outputs_watch(const struct launch *launch, struct pollfd fds[2 * PRINTED]);
void outputs_relay(struct launch *launch, const struct pollfd fds[2 * PRINTED]);
/* Whether something that was printed is still to be written. */
bool outputs_rest(struct launch *launch);

/* relayed.c */
#define RELAYED 4
/* Init waits then until all that was printed is taken. */
bool is_relayed(const struct launch *launch);
void relayed_watch(const struct launch *launch, const struct end *end, struct pollfd fds[RELAYED]);
/* `told`: init has something to tell. */
void relayed_attend(struct launch *launch, struct end *end, const struct pollfd fds[RELAYED], bool told);
void relayed_drain(struct launch *launch, struct end *end);

/* limit.c */
enum verdict {
	VERDICT_NONE,
	VERDICT_TIMEOUT,
	VERDICT_CPU_TIME,
	VERDICT_PRINTED,
};
/* Which limit the sandbox has come to. */
enum verdict limit_verdict(struct launch *launch);
/* How long that need not be looked at; -1: for ever. */
int limit_patience_ms(const struct launch *launch);
/* By the profile's key: the limit that the run came to, besides those that the last script tells of; or NULL. */
const char *limit_name(const struct end *end);
/* Counts what has just been printed, and cuts off what may not. */
void limit_printed(struct launch *launch, struct buffer *buffer);

/* play.c */
struct failure {
	uint32_t entry;
	int error; /* 0: none */
};
struct failure play(struct launch *launch, enum script script);
int play_entry(struct launch *launch, const struct plan_entry *entry);
int64_t clock_ns(void);

/* await.c */
/* What is left of the time limit; -1: there is none. */
int remaining_ms(const struct launch *launch);
/*
 * Waits until one of two fds (-1: none) can be read or is hung up, at most `limit_ms` (-1: for ever). Returns 0, or an errno:
 * ETIMEDOUT, or EINTR when the run is to end by a signal, the time limit or the parent's end.
 */
int await(const struct launch *launch, int fd, int other, int limit_ms);
/* Whether a process has, or does within that time. */
bool has_ended(int pidfd, int limit_ms);

/* spawn.c */
#define NO_CGROUP (-1)
pid_t clone3(uint64_t flags, int *pidfd, int cgroup);
noreturn void begin(struct launch *launch, const struct plan_entry *entry);
int spawn(struct launch *launch, const struct plan_entry *entry);
/* In a child of `parent`: the program of a helper or a service, which ends with it. */
noreturn void become_program(const struct launch *launch, const struct plan_entry *entry, pid_t parent);
int run_helper(struct launch *launch, const struct plan_entry *entry);

/* join.c */
pid_t clone_joined(struct launch *launch, const struct plan_entry *entry, int *pidfd, int cgroup);

/* share.c */
int share(struct launch *launch, const struct plan_entry *entry, int socket);
void attend_share(const struct launch *launch);

/* service.c */
int start_service(struct launch *launch, const struct plan_entry *entry, int ready);
void stop_services(struct launch *launch);
void tell_service_words(const struct launch *launch, uint32_t entry);

/* init.c, exec.c: what the spawned processes do; see the theory of operation. */
noreturn void init_main(struct launch *launch);
noreturn void payload_main(struct launch *launch);
noreturn void become_command(struct launch *launch, const struct plan_entry *entry);
void send_record(const struct launch *launch, struct record record);
noreturn void give_up(const struct launch *launch, struct failure failure);
int tell_set_up(const struct launch *launch);
int await_set_up(const struct launch *launch);

/* supervise.c */
struct end {
	int exit;    /* of tsbox */
	int status;  /* wait status of the command, when it ran */
	bool started;
	bool ran; /* and came to an end of its own */
	bool full; /* the sandbox's own files had no room left then */
	bool reaped; /* init has told its end, also of one that did not run */
	enum verdict verdict;
	bool orphaned; /* tsbox's parent died */
	int interrupted; /* the signal that ended the set-up, or 0 */
	struct record failure;
	bool failed;
};
struct end supervise(struct launch *launch, struct failure failure);
/* await.c: what has ended a wait with EINTR. */
void tell_interruption(const struct launch *launch, struct end *end);
/* Takes in all that was told until now; whether the command has told that it stopped. */
bool read_records(const struct launch *launch, struct end *end);

/* job.c */
void send_signal(const struct launch *launch, int number);
void kill_sandbox(struct launch *launch);
void attend_signals(struct launch *launch, struct end *end);
/* To whoever steers it, where its report goes: that it can be steered, and that what he last asked for is done. */
void tell_steering(const struct launch *launch);
/* The command has stopped at its own terminal: what Ctrl-Z at the user's would have stopped stops too. */
void stop_job(struct launch *launch, struct end *end);
/* The command has died of SIGINT at a terminal, and so does this process: a shell ends its loop or script only then. */
noreturn void interrupt_job(const struct launch *launch);

/* after.c */
void play_after(struct launch *launch, struct end *end);
bool is_due(const struct launch *launch, const struct plan_entry *entry);
bool has_told(const struct launch *launch, const struct plan_entry *entry);
/* Whether the last script has told of a limit. */
bool is_limited(const struct launch *launch);

/* figure.c */
void read_figure(struct launch *launch, const struct plan_entry *entry);
/* Negative: it could not be read. */
int64_t figure_of(const struct launch *launch, const struct plan_entry *entry);

/* The sum of the numbers after `key` in the lines of a file that begin with `start`, or a negative number. */
int64_t sum_file(int fd, const char *start, const char *key);

/* prune.c */
int prune(const struct launch *launch, const struct plan_entry *entry);

/* message.c */
void tell_note(const char *note);
void tell_error(const char *what, const char *why);
noreturn void die_early(const char *why);
void tell_failure(const struct launch *launch, uint32_t entry, int error);
void tell_outcome(const struct launch *launch, enum outcome outcome, int error);

/* report.c */
void tell_stats(const struct launch *launch);
void write_report(const struct launch *launch, const struct end *end);

static inline uint64_t signal_bit(int number)
{
	return UINT64_C(1) << (number - 1);
}

#endif
