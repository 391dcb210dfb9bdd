/*
 * A plan that is kept for later runs, with its guards; written by src/plan/kept.ts. docs/decisions/0022-cached-plans.md.
 *
 * The file of a kept plan, and the end of a compiled program, are the same bytes: this header, the tables that it points to,
 * the plan. Nothing of it is interpreted but by offset, and it is read into memory whole before it is looked at.
 */
#ifndef TSBOX_KEPT_H
#define TSBOX_KEPT_H

#include "launcher.h"

#define KEPT_MAGIC "tsboxkp1"
#define KEPT_LIMIT (64u << 20)
/* Argument of GUARD_LINK, GUARD_STATUS and GUARD_IDS: only so many of the first numbers must be the same. */
#define GUARD_PREFIX 1
/* The longest answer: content of a file. */
#define ANSWER_BYTES (64u << 10)

/* GUARD of src/observe/recording.ts. Numbers in answers are doubles, as Node has them. */
enum guard_kind {
	GUARD_LINK = 1,  /* lstat(2): mode, uid, gid, rdev, dev, ino */
	GUARD_STATUS,    /* stat(2): the same */
	GUARD_FILE,      /* stat(2): besides, size, and when content and inode changed last, in milliseconds */
	GUARD_CONTENT,   /* the bytes of a file */
	GUARD_LINK_TEXT, /* readlink(2) */
	GUARD_REAL_PATH, /* realpath(3) */
	GUARD_ACCESS,    /* access(2) with `argument`: nothing, or the errno */
	GUARD_VARIABLE,  /* getenv(3) */
	GUARD_IS_SET,    /* nothing, or ENOENT */
	GUARD_IDS,       /* uid, euid, gid, egid, groups */
	GUARD_ACCOUNT,   /* the first line of a passwd(5) file whose uid is `argument` */
	GUARD_KERNEL,    /* uname(2) release */
	GUARD_LIMIT,     /* hard limit of resource `argument`; -1: none */
	GUARD_STREAM,    /* of fd `argument`: 0 pipe or socket; 1 read, 2 write, 3 both; 4 more: a terminal */
	GUARD_TERMINALS, /* 1: all of 0, 1 and 2 are terminals; else 0 */
	GUARD_LANDLOCK,  /* version of its ABI, or 0 */
	GUARD_PARENT,    /* 1: it can be seen; else 0 */
	GUARD_NODE,      /* realpath(3) of the first node along PATH */
	GUARD_DIRECTORY, /* getcwd(3) */
};

struct kept_header {
	char magic[8];
	uint32_t sum[2]; /* of all after it; put_sum() */
	uint32_t size;   /* of all */
	uint32_t key, key_n; /* what the plan is for; empty in a compiled program */
	uint32_t guard, guard_n;
	uint32_t value, value_n;
	uint32_t data, data_n; /* ends in a NUL */
	uint32_t plan, plan_n;
};

struct kept_guard {
	uint32_t kind;
	uint32_t error; /* errno that the question failed with; 0: there is an answer */
	int32_t argument;
	uint32_t what; /* text in data: a path or a name */
	uint32_t answer, answer_n; /* bytes in data */
};

/* A variable that the command gets as it is: a pointer to it goes to data + at of the plan. */
struct kept_value {
	uint32_t at;
	uint32_t name; /* text in data */
};

/* src/plan/kept.ts writes these by offset. */
_Static_assert(sizeof(struct kept_header) == 60 && sizeof(struct kept_guard) == 24 && sizeof(struct kept_value) == 8,
	       "layout of a kept plan");

struct kept {
	const uint8_t *base;
	const struct kept_header *head;
	const struct kept_guard *guard;
	const struct kept_value *value;
};

/* plans.c */
/* Whether it is of that type and none of these permission bits is set, and it is this user's; of a directory on the way, root's will do. */
bool is_own(int fd, mode_t type, mode_t forbidden);
/* The directory of the account's plans, which no variable moves. -1: there is none that only this user can write to. */
int open_plans(bool make);
/* FNV-1a, of more bytes of a key. */
#define NO_KEY UINT64_C(0xcbf29ce484222325)
uint64_t hash_key(uint64_t hash, const char *bytes, size_t n);
/* By the hash of its key; other keys may have the same. */
#define PLAN_NAME 17
void name_plan(uint64_t hash, char name[PLAN_NAME]);

/* keep.c */
/* Keeps what lies in the fd from there on, if anything does, for a later run. */
void keep_plan(int fd, size_t from);

/* kept.c */
/* Enters the sum. False: these are too few bytes. */
bool put_sum(uint8_t *base, size_t size);
/* Whether the bytes are a kept plan, every offset in it checked, the plan in it too. */
bool kept_at(const uint8_t *base, size_t size, struct kept *kept);
/* The first guard that does not hold, or NULL. */
const struct kept_guard *broken_guard(const struct kept *kept);
const char *guard_name(const struct kept *kept, const struct kept_guard *guard);
/*
 * Plays it. This process's words and environment, the key and the answers of guards are not left in memory: PID 1 of the sandbox
 * has a copy of that. `command` is one of `argv`.
 */
noreturn void play_kept(const struct kept *kept, char **argv, char **command, int64_t started_ns);

/* guard.c */
/* The answer as it is now; returns 0 or an errno. */
struct answer {
	size_t n;
	uint8_t bytes[ANSWER_BYTES + 1];
};
int ask(enum guard_kind kind, const char *what, int argument, struct answer *answer);
/* Of the account with that uid, without the end of the line. Returns 0 or an errno. */
int find_account(const char *path, unsigned uid, struct answer *answer);
/* What the stream is, as GUARD_STREAM has it. */
int stream_kind(int fd);
/* Path of the first node along PATH that may be executed. */
bool find_node(char path[4096]);

#endif
