/* Text put together without allocation. */
#include "text.h"

#include <errno.h>
#include <unistd.h>

/* Stands for the command's name in a text of the plan. */
#define COMMAND_MARK '\1'

void flush_text(struct text *text)
{
	uint32_t done = 0;

	while (done < text->n) {
		ssize_t n = write(text->fd, text->bytes + done, text->n - done);
		if (n < 0 && errno != EINTR)
			break; /* nobody is left to be told */
		done += n > 0 ? (uint32_t)n : 0;
	}
	text->n = 0;
}

void put(struct text *text, char c)
{
	if (text->n == sizeof(text->bytes))
		flush_text(text);
	text->bytes[text->n++] = c;
}

void put_raw(struct text *text, const char *string)
{
	while (*string != 0)
		put(text, *string++);
}

void put_char(struct text *text, char c)
{
	static const char hex[] = "0123456789abcdef";

	if (text->json && (unsigned char)c < 0x20) {
		put_raw(text, "\\u00");
		put(text, hex[c >> 4 & 15]);
		put(text, hex[c & 15]);
		return;
	}
	if (text->json && (c == '"' || c == '\\'))
		put(text, '\\');
	put(text, c);
}

/* The command's name is the caller's: bytes that a terminal could take for orders become \xNN. */
static void put_command(struct text *text, const char *name)
{
	static const char hex[] = "0123456789abcdef";

	for (; *name != 0; name++) {
		unsigned char c = (unsigned char)*name;
		if (c >= 0x20 && c < 0x7f) {
			put_char(text, *name);
			continue;
		}
		put_char(text, '\\');
		put_char(text, 'x');
		put_char(text, hex[c >> 4]);
		put_char(text, hex[c & 15]);
	}
}

void put_text(struct text *text, const struct launch *launch, const char *string)
{
	for (; *string != 0; string++) {
		if (*string == COMMAND_MARK)
			put_command(text, launch->command[0]);
		else
			put_char(text, *string);
	}
}

void put_number(struct text *text, int64_t number)
{
	char digits[20];
	uint32_t n = 0;
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

	if (number < 0)
		put(text, '-');
	do {
		digits[n++] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	while (n > 0)
		put(text, digits[--n]);
}
