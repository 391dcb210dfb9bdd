/* Text put together without allocation, for a terminal or for a JSON string. */
#ifndef TSBOX_TEXT_H
#define TSBOX_TEXT_H

#include "launcher.h"

struct text {
	int fd;
	bool json; /* escape as inside a JSON string */
	uint32_t n;
	char bytes[4096];
};

void put(struct text *text, char c);
void put_raw(struct text *text, const char *string);
/* Escaped for JSON where that is asked for; the others above are not. */
void put_char(struct text *text, char c);
/* A text of the plan: the mark in it becomes the command's name, safe to print. */
void put_text(struct text *text, const struct launch *launch, const char *string);
void put_number(struct text *text, int64_t number);
void flush_text(struct text *text);

/* message.c: a failed step or another end in words. */
struct message {
	const struct plan_step *step;
	const char *why; /* NULL: what the errno means */
	const char *fix;
	const struct plan_entry *entry; /* NULL: no call to name */
	int error;
};

struct message step_message(const struct launch *launch, uint32_t entry, int error);
struct message outcome_message(const struct launch *launch, enum outcome outcome, int error);
void put_why(struct text *text, const struct launch *launch, const struct message *message);
void put_call(struct text *text, const struct launch *launch, const struct plan_entry *entry);

#endif
