/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rounds of something random, each by itself: seed and number are all that it is made of.
 *
 * HOSTILE_SEED=	what the rounds are made of
 * HOSTILE_ROUNDS=	how many there are
 * HOSTILE_ROUND=	the first; without the other the only one
 */
#ifndef PACK_HOSTILE_H
#define PACK_HOSTILE_H

#include "pack.h"
#include "random.h"

#define HOSTILE_LEAK	"/sys/kernel/debug/kmemleak"
#define HOSTILE_SCAN	25	/* rounds; what two scans miss is a leak */

static inline unsigned long long hostile_number(const char *name, unsigned long long usual)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : usual;
}

/* In the kernel's log: whatever the kernel says next, it is known whose fault that is. */
static inline void hostile_mark(const char *what, unsigned long long seed, unsigned int round)
{
	char text[96];

	snprintf(text, sizeof(text), "<6>hostile: %s %llu:%u", what, seed, round);
	file_write("/dev/kmsg", text);
}

/* Each round says what is wrong, or NULL. Ends with the first that does, and returns that. */
static inline const char *hostile_rounds(const char *what, unsigned int usual,
					 const char *(*round)(__u64 *random))
{
	unsigned long long seed = hostile_number("HOSTILE_SEED", 1);
	unsigned int first = hostile_number("HOSTILE_ROUND", 0), i = first ?: 1;
	unsigned int last = i - 1 + hostile_number("HOSTILE_ROUNDS", first ? 1 : usual);
	static char said[512];
	int log = log_open();

	for (; i <= last; i++) {
		__u64 random = seed << 32 | i;
		const char *why;

		hostile_mark(what, seed, i);
		why = round(&random);
		if (!(i % HOSTILE_SCAN))
			file_write(HOSTILE_LEAK, "scan");
		if (!why && log_reports(log))
			why = "the kernel reports something";
		if (!why)
			continue;
		snprintf(said, sizeof(said), "HOSTILE_SEED=%llu HOSTILE_ROUND=%u: %s", seed, i,
			 why);
		break;
	}
	close(log);

	return said;
}

#endif /* PACK_HOSTILE_H */
