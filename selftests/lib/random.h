/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers that look random and are the same again from the same state (SplitMix64).
 */
#ifndef PACK_RANDOM_H
#define PACK_RANDOM_H

#include <linux/types.h>
#include <stdbool.h>

static inline __u64 random_next(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;

	return z ^ z >> 31;
}

static inline unsigned int random_below(__u64 *state, unsigned int end)
{
	return (random_next(state) >> 32) * end >> 32;
}

/* One of an array's elements. */
#define random_of(state, list) \
	((list)[random_below(state, sizeof(list) / sizeof((list)[0]))])

static inline bool random_one_in(__u64 *state, unsigned int n)
{
	return !random_below(state, n);
}

#endif /* PACK_RANDOM_H */
