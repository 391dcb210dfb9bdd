/* Fuzz target of plans as Node hands them over. */
#include "../../src/launcher/check.c"
#include "../../src/launcher/load.c"
#include "harness.h"
#include "reads.h"

static bool decode(const uint8_t *bytes, size_t size)
{
	uint8_t *volatile base = copy_of(bytes, size);
	volatile bool taken = false;

	if (setjmp(refused) == 0) {
		struct plan plan = plan_at(base, size);
		read_plan(&plan);
		taken = true;
	}
	free(base);
	return taken;
}

struct shape shape_of(const uint8_t *bytes, uint32_t size)
{
	const struct plan_header *head = (const struct plan_header *)(const void *)bytes;

	return (struct shape){
		.header = sizeof(*head),
		.size_at = offsetof(struct plan_header, size),
		.tables = size < sizeof(*head) ? 0 : head->data,
	};
}
