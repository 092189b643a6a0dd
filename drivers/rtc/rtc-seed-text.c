// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clock seeder: times as text and as bytes
 */

#include "rtc-seed.h"

#include <linux/bitops.h>
#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/rtc.h>
#include <linux/string.h>

#define SEED_STAMP_DIGITS	14	/* YYYYMMDDhhmmss */
#define SEED_SECONDS_BITS	40	/* of the 64 of the memory */

static int seed_digits(const char *text, unsigned int n)
{
	int value = 0;

	while (n--)
		value = value * 10 + *text++ - '0';

	return value;
}

static int seed_stamp_parse(const char *text, time64_t *time)
{
	struct rtc_time tm = {
		.tm_year = seed_digits(text, 4) - 1900,
		.tm_mon = seed_digits(text + 4, 2) - 1,
		.tm_mday = seed_digits(text + 6, 2),
		.tm_hour = seed_digits(text + 8, 2),
		.tm_min = seed_digits(text + 10, 2),
		.tm_sec = seed_digits(text + 12, 2),
	};

	if (rtc_valid_tm(&tm))
		return -EINVAL;
	*time = rtc_tm_to_time64(&tm);

	return 0;
}

/**
 * seed_time_parse() - read a time
 * @text: seconds since 1970, or YYYYMMDDhhmmss; a newline may follow
 * @time: where to put it; not touched if there is an error
 *
 * Return: 0 or a negative error code.
 */
int seed_time_parse(const char *text, time64_t *time)
{
	size_t len = strcspn(text, "\n");
	s64 seconds;
	size_t i;
	int ret;

	if (!len || (text[len] && text[len + 1]))
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!isdigit(text[i]))
			return -EINVAL;

	/* As seconds 14 digits would be hundreds of thousands of years. */
	if (len == SEED_STAMP_DIGITS)
		return seed_stamp_parse(text, time);

	ret = kstrtos64(text, 10, &seconds);
	if (ret)
		return ret;
	*time = seconds;

	return 0;
}
EXPORT_SYMBOL_FOR_TEST(seed_time_parse);

/**
 * seed_time_print() - write a time for people
 * @time: the time
 * @buf: SEED_TIME_TEXT bytes
 *
 * The form is that of %ptR, which kernels before 5.0 do not have.
 *
 * Return: @buf.
 */
const char *seed_time_print(time64_t time, char *buf)
{
	struct rtc_time tm;

	rtc_time64_to_tm(time, &tm);
	scnprintf(buf, SEED_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d",
		  tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		  tm.tm_min, tm.tm_sec);

	return buf;
}
EXPORT_SYMBOL_FOR_TEST(seed_time_print);

/* Differs for times that share some of their bytes, and is not 0 for 0. */
static u64 seed_memory_check(u64 seconds)
{
	return (((seconds ^ 0x5eed) * 0x9e3779b97f4a7c15ULL) >> 40) &
	       GENMASK(63 - SEED_SECONDS_BITS, 0);
}

/**
 * seed_memory_pack() - make bytes of a time, for a memory
 * @time: the time
 * @bytes: where to put SEED_MEMORY_SIZE of them
 */
void seed_memory_pack(time64_t time, u8 *bytes)
{
	u64 seconds = (u64)time & GENMASK_ULL(SEED_SECONDS_BITS - 1, 0);
	u64 word = seconds | seed_memory_check(seconds) << SEED_SECONDS_BITS;
	unsigned int i;

	for (i = 0; i < SEED_MEMORY_SIZE; i++)
		bytes[i] = word >> (8 * i);
}
EXPORT_SYMBOL_FOR_TEST(seed_memory_pack);

/**
 * seed_memory_unpack() - make a time of the bytes of a memory
 * @bytes: the bytes
 * @time: where to put it
 *
 * Return: true if the bytes hold a time.
 */
bool seed_memory_unpack(const u8 *bytes, time64_t *time)
{
	u64 word = 0, seconds;
	unsigned int i;

	for (i = 0; i < SEED_MEMORY_SIZE; i++)
		word |= (u64)bytes[i] << (8 * i);
	seconds = word & GENMASK_ULL(SEED_SECONDS_BITS - 1, 0);
	if (word >> SEED_SECONDS_BITS != seed_memory_check(seconds))
		return false;
	*time = seconds;

	return true;
}
EXPORT_SYMBOL_FOR_TEST(seed_memory_unpack);
