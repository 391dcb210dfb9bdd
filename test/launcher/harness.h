/*
 * A fuzz target of decode(), for one of the launcher's decoders: any bytes are refused, or hold everything that the launcher
 * would read of them. Built by fuzz.test.ts with ASan and UBSan; with clang, -fsanitize=fuzzer -DFUZZER makes a libFuzzer
 * target of it.
 *
 *     fuzz FILE...                     each file once
 *     fuzz --mutate SEED COUNT FILE    COUNT mutations of the file, always the same for the same SEED
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the decoder takes the bytes. */
static bool decode(const uint8_t *bytes, size_t size);
/* Where the decoder looks. */
struct shape {
	uint32_t header;
	uint32_t size_at; /* of the field that tells the size */
	uint32_t tables;  /* end of what lies in front of the data */
};
struct shape shape_of(const uint8_t *bytes, uint32_t size);

/* In memory of exactly that size, so that ASan sees a byte too much; never empty, as a file of 0 bytes is not mapped. */
static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, size);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	decode(bytes, size);
	return 0;
}

#ifndef FUZZER
static uint64_t state;

/* xorshift64 */
static uint32_t next(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 32) % below);
}

/* Most of it where the decoder looks: the header, and the tables in front of the data. */
static uint32_t place(const uint8_t *bytes, uint32_t size)
{
	struct shape shape = shape_of(bytes, size);
	uint32_t kind = next(8);
	uint32_t tables = shape.tables > 0 && shape.tables < size ? shape.tables : size;

	return next(kind < 3 && size > shape.header ? shape.header : kind < 7 ? tables : size);
}

static uint32_t mutate(uint8_t *bytes, uint32_t size)
{
	const uint32_t telling[] = { 0, 1, 4, 7, 8, 63, 64, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff, size, size - 8 };
	uint32_t kind = next(16);

	if (kind == 0) {
		uint32_t shorter = next(size) + 1;
		uint32_t at = shape_of(bytes, size).size_at;
		if (next(2) == 0 && shorter >= at + sizeof(shorter))
			memcpy(bytes + at, &shorter, sizeof(shorter));
		return shorter;
	}
	uint32_t at = place(bytes, size);
	if (kind < 6) {
		bytes[at] = (uint8_t)next(256);
	} else if (size >= 8) {
		uint32_t value = kind < 12 ? telling[next(sizeof(telling) / sizeof(*telling))] : next(size);
		at = at / 4 * 4;
		memcpy(bytes + (at > size - 4 ? 0 : at), &value, sizeof(value));
	}
	return size;
}

static uint8_t *read_file(const char *path, uint32_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(1u << 24);

	if (file == NULL || bytes == NULL)
		exit(2);
	*size = (uint32_t)fread(bytes, 1, 1u << 24, file);
	fclose(file);
	return bytes;
}

int main(int argc, char **argv)
{
	uint32_t size;

	if (argc == 5 && strcmp(argv[1], "--mutate") == 0) {
		uint8_t *original = read_file(argv[4], &size);
		uint8_t *bytes = malloc(size);
		long count = strtol(argv[3], NULL, 10);
		long taken = 0;

		if (bytes == NULL || size == 0)
			return 2;
		state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
		for (long i = 0; i < count; i++) {
			uint32_t length = size;
			memcpy(bytes, original, size);
			for (uint32_t n = next(4) + 1; n > 0; n--)
				length = mutate(bytes, length);
			taken += decode(bytes, length);
		}
		free(bytes);
		free(original);
		printf("%ld mutations, %ld taken\n", count, taken);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		uint8_t *bytes = read_file(argv[i], &size);
		puts(decode(bytes, size) ? "taken" : "refused");
		free(bytes);
	}
	return 0;
}
#endif
