/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may happen to RTCs, to the memory and to the clock: anything.
 */
#ifndef HOSTILE_MEDDLE_H
#define HOSTILE_MEDDLE_H

#include "../lib/clock.h"
#include "../lib/random.h"

#define MEMORY		"/sys/bus/platform/drivers/memory-fake/"
#define FAILS		"/sys/module/memory_fake/parameters/"
#define CELL		"/sys/bus/nvmem/devices/memory-fake0/nvmem"

static inline long long any_time(__u64 *random)
{
	static const long long times[] = {
		RIGHT, Y2000, Y2037, Y2099, 0, -1, 1000, -(1LL << 31), (1LL << 31) - 1,
		1LL << 31, 1LL << 32, 1LL << 33, 253402300799LL, 9223372036LL, -9223372037LL,
	};

	switch (random_below(random, 4)) {
	case 0:
		return random_of(random, times);
	case 1:
		return seed_number("floor") - 2 + random_below(random, 5);
	case 2:
		return seed_number("ceiling") - 2 + random_below(random, 5);
	default:
		return (long long)random_next(random) >> (22 + random_below(random, 42));
	}
}

static inline void spoil(int n, __u64 *random)
{
	static const int errors[] = { EIO, EINVAL, ENXIO, ETIMEDOUT, ENODATA, ERANGE, EAGAIN };

	switch (random_below(random, 4)) {
	case 0:
		fake_write(n, "time", any_time(random));
		break;
	case 1:
		fake_write(n, "error", random_one_in(random, 8) ?
			   200LL - random_below(random, 800) : -random_of(random, errors));
		fake_write(n, "errors_left", random_one_in(random, 2) ?
			   (int)random_below(random, 6) : -1);
		fake_write(n, "after", random_below(random, 3));
		break;
	case 2:
		fake_write(n, "garbage", random_one_in(random, 2) ? random_next(random) >> 32 : 0);
		break;
	default:
		fake_write(n, "delay", random_below(random, 300));
		break;
	}
}

static inline void spoil_memory(__u64 *random)
{
	char number[16], bytes[9];
	int i;

	switch (random_below(random, 4)) {
	case 0:
		file_write(MEMORY "unbind", "memory-fake");
		for (i = 0; i < 8; i++)
			bytes[i] = 1 + random_below(random, 255);
		bytes[8] = '\0';
		file_write(MEMORY "bind", "memory-fake");
		file_write(CELL, bytes);
		break;
	case 1:
		file_write(MEMORY "bind", "memory-fake");
		break;
	default:
		snprintf(number, sizeof(number), "%d", -(int)random_below(random, 40));
		file_write(random_one_in(random, 2) ? FAILS "read_error" : FAILS "write_error",
			   random_one_in(random, 2) ? number : "0");
		break;
	}
}

static inline void meddle(__u64 *random)
{
	int n = random_below(random, FAKES);
	char text[32];

	switch (random_below(random, 12)) {
	case 0:
		snprintf(text, sizeof(text), "%lld", any_time(random));
		seed_write("floor", text);
		break;
	case 1:
		if (random_one_in(random, 3))
			clock_set(any_time(random));
		break;
	case 2:
		if (random_one_in(random, 4))
			seed_write("disciplined", "1");
		break;
	case 3:
		spoil_memory(random);
		break;
	case 4:
		usleep(random_below(random, 3000000));
		break;
	case 5:
	case 6:
		fake_unplug(n);
		break;
	case 7:
	case 8:
		spoil(n, random);
		break;
	default:
		if (random_one_in(random, 2))
			spoil(n, random);
		fake_plug(n, any_time(random));
		break;
	}
}

#endif /* HOSTILE_MEDDLE_H */
