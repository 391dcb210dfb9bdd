/* The plan as it lies in memory: written by src/plan/encode.ts, read here, on one machine by one release. */
#ifndef TSBOX_PLAN_H
#define TSBOX_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define PLAN_MAGIC "tsboxpl1"
#define PLAN_SLOTS 64u
#define PLAN_ARGS 6u
#define SPAWN_JOINS 6u
#define PLAN_TOLERATED 8u
#define SERVICE_FDS 8u
/* Standard output and error, or both in one. */
#define PRINTED 2u
#define PLAN_NO_SLOT UINT32_MAX
#define PLAN_LIMIT (256u << 20)

/* One script for each process, and the supervisor's second one: what is left to do when the sandbox has ended. */
enum script { SCRIPT_HOST, SCRIPT_INIT, SCRIPT_PAYLOAD, SCRIPT_AFTER, SCRIPTS };

enum op {
	OP_CALL = 1, /* a raw system call */
	OP_SPAWN,    /* clone3 the process that plays script `nr`: flags, slots of pid, pidfd, cgroup or PLAN_NO_SLOT; init
	              * maybe in another network: slots of its user namespace and of itself */
	OP_HELPER,   /* run an established program and await exit 0: path, argv, envp, slot of a pid, text of that pid */
	OP_EXEC,     /* become the command: search path, envp */
	OP_STORE,    /* put a result into the plan's data as an int: value, place (a struct that holds an fd) */
	OP_TELL,     /* say that a call has found something to do: its result, note, name for the report, place of an int */
	OP_SERVICE,  /* start a program that stays: path, argv, envp, its fds 0, 1, 3, 4, … (-1: /dev/null), their
	              * number, fd that tells it is ready */
	OP_CHECK,    /* an int that a call wrote: must be the second argument; a negative one is an errno */
	OP_FIGURE,   /* read a number for the report: fd of a folder, path, line, key, name, place of an int64_t; figure.c */
	OP_PRUNE,    /* remove a cgroup with all that are in it: fd of a folder, name; prune.c */
	OP_SHARE,    /* from now on hand a message out: a listening socket, its struct msghdr; share.c */
};

enum arg {
	ARG_INT = 1, /* the value itself */
	ARG_DATA,    /* address of the plan's data at that offset */
	ARG_SLOT,    /* a saved result */
	ARG_LOAD,    /* the int that a call wrote into the plan's data at that offset (pipe2) */
};

/* The result must equal the third argument: read(2) and write(2) that may not be short. */
#define ENTRY_EXACT 1u
/* Of a service: it enters the user namespace that is its fd 3. */
#define ENTRY_ENTER_USER 2u
/* What is told is a limit that the sandbox came to. */
#define ENTRY_LIMIT 4u
/* Of a call of the host script: its first argument is an fd that is waited for before, as long as the run may last; await.c. */
#define ENTRY_AWAIT 8u
/* ... but not longer than a program may take to answer. */
#define ENTRY_SOON 16u
/* Of a service that enters a user namespace: its fd 4 is a mount namespace, of which it gets a copy of its own. */
#define ENTRY_ENTER_MOUNT 32u
/* Of a call of the last script: only when the command has not started. */
#define ENTRY_UNSTARTED 64u
/* Of a call of the host script: it takes a lock, and is made again while another has that (EAGAIN), for a while. */
#define ENTRY_LOCK 128u

struct plan_entry {
	uint8_t op;
	uint8_t flags;
	uint8_t argc;
	uint8_t tolerated_n;
	uint32_t step;
	uint32_t call; /* text: "mount_setattr(2)" */
	uint32_t nr;
	uint32_t save;
	uint8_t kind[PLAN_ARGS];
	uint8_t unused[2];
	uint8_t tolerated[PLAN_TOLERATED];
	uint32_t of; /* text: "/usr", or empty */
	uint64_t arg[PLAN_ARGS];
};

/* What to tell when a call of the step fails; all texts. */
struct plan_step {
	uint32_t what;
	uint32_t code;
	uint32_t from;
	uint32_t fix;
	uint32_t alternative; /* first */
	uint32_t alternative_n;
	uint32_t exit;
};

/* A truer reason than the errno's own words, for one errno of one step. */
struct plan_alternative {
	uint32_t error;
	uint32_t why;
	uint32_t fix;
};

/* Add the data's address to the 8 bytes at data + at. */
struct plan_relocation {
	uint32_t at;
	uint32_t to;
};

/* Steps that tell how a run ended; they stand in the step table. */
enum outcome {
	OUTCOME_NOT_FOUND,
	OUTCOME_NOT_EXECUTABLE,
	OUTCOME_DIRECTORY,
	OUTCOME_FORMAT,
	OUTCOME_INTERPRETER,
	OUTCOME_EXEC,
	OUTCOME_TIMEOUT,
	OUTCOME_CPU_TIME,
	OUTCOME_PRINTED,
	OUTCOME_SIGSYS,
	OUTCOME_SIGXCPU,
	OUTCOME_SIGXFSZ,
	OUTCOMES,
};

#define PLAN_DIE_WITH_PARENT 1u
/* No notes on how the command ended. */
#define PLAN_QUIET 2u
/* No errors either: they are in the report. */
#define PLAN_SILENT 4u
#define PLAN_TIMEOUT 8u
/* A line of figures at the end, whatever else is told. */
#define PLAN_STATS 16u
/* Whoever started tsbox steers it: SIGTERM ends all, SIGUSR1 pauses, SIGUSR2 resumes; none of them is for the command. */
#define PLAN_STEERED 32u
/* What the command may print is limited. */
#define PLAN_PRINTED 64u

struct plan_header {
	char magic[8];
	uint32_t size;
	uint32_t arch; /* AUDIT_ARCH_*, linux/audit.h */
	uint32_t entry, entry_n;
	uint32_t step, step_n;
	uint32_t alternative, alternative_n;
	uint32_t relocation, relocation_n;
	uint32_t data, data_n;
	uint32_t script[SCRIPTS][2]; /* first entry, number */
	uint32_t outcome[OUTCOMES];
	uint32_t flags;
	uint32_t keep, keep_n; /* ints in data, ascending: fds not to close */
	uint32_t report;       /* slot of the report's fd */
	uint32_t in_force;     /* text: a JSON object for the report */
	uint32_t terminal;     /* slot of the master end of the command's own terminal */
	uint32_t freeze, kill; /* slots of the files of the sandbox's cgroup that stop and end all in it */
	uint32_t cpu_stat;     /* slot of the one that counts their processor time, when that is limited */
	uint32_t printed[PRINTED]; /* slots of the pipes that carry what the command prints, when the supervisor relays it */
	uint32_t unused;
	uint64_t timeout_ms;
	uint64_t cpu_us;
	uint64_t printed_max; /* bytes */
	uint64_t forwarded; /* signal n is bit n - 1 */
	uint64_t to_group;  /* of these, the ones that a terminal sends to a whole process group */
};

/* src/plan/encode.ts writes these by offset. */
_Static_assert(sizeof(struct plan_header) == 224 && sizeof(struct plan_entry) == 88, "layout of the plan");
_Static_assert(sizeof(struct plan_step) == 28 && sizeof(struct plan_alternative) == 12, "layout of the plan");

struct plan {
	uint8_t *base;
	const struct plan_header *head;
	const struct plan_entry *entry;
	const struct plan_step *step;
	const struct plan_alternative *alternative;
	uint8_t *data;
};

/* Maps the plan in `fd`, checks every offset in it and applies the relocations; ends the process if it is not valid. */
struct plan plan_load(int fd);
/* So many bytes of an open file from `from` on, or NULL; the memory is this process's own. */
uint8_t *read_all(int fd, size_t from, size_t size);

/* The same for a plan that lies in memory of this process's own, at a multiple of 8. */
struct plan plan_at(uint8_t *base, size_t size);

/* Why `size` bytes at `base` are no valid plan, or NULL; writes nothing. */
const char *plan_fault(const uint8_t *base, size_t size);

static inline const char *plan_text(const struct plan *plan, uint32_t offset)
{
	return (const char *)(plan->data + offset);
}

#endif
