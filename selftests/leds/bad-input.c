// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever is wrong with what is written to the identify LED: it is refused with
 * an error that fits, nothing changes by it, and the log has a line only where a
 * person needs one.
 */

#include "../lib/led.h"

#include "kselftest_harness.h"

#define NAME_63	"a23456789012345678901234567890123456789012345678901234567890123"
#define LIST_16	"a b c d e f g h i j k l m n o p"
#define STEPS_32 \
	"10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 " \
	"10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 60000"

struct refusal {
	const char *text;
	int error;
};

static const char * const files[] = { "leds", "blink_pattern", "hold_ms", "active",
				      "brightness", "trigger" };

FIXTURE(refused) {
	char before[ARRAY_SIZE(files)][4096];
	int log;
};

FIXTURE_VARIANT(refused) {
	const char *file;
	int lines;
	struct refusal refusals[16];
};

FIXTURE_VARIANT_ADD(refused, seconds) {
	.file = "identify",
	.refusals = {
		{ "\n", -EINVAL },
		{ "-1\n", -EINVAL },
		{ "ten\n", -EINVAL },
		{ "10s\n", -EINVAL },
		{ "1.5\n", -EINVAL },
		{ "0x10\n", -EINVAL },
		{ "1 2\n", -EINVAL },
		{ "86401\n", -ERANGE },
		{ "4294967297\n", -ERANGE },
		{ "99999999999999999999999999\n", -ERANGE },
	},
};

FIXTURE_VARIANT_ADD(refused, patterns) {
	.file = "blink_pattern",
	.refusals = {
		{ "\n", -EINVAL },
		{ "100\n", -EINVAL },
		{ "100 100 100\n", -EINVAL },
		{ STEPS_32 " 10 10\n", -EINVAL },
		{ "fast slow\n", -EINVAL },
		{ "100 100ms\n", -EINVAL },
		{ "100,100\n", -EINVAL },
		{ "100 -100\n", -EINVAL },
		{ "100 100.5\n", -EINVAL },
		{ "0 100\n", -ERANGE },
		{ "100 9\n", -ERANGE },
		{ "60001 100\n", -ERANGE },
		{ "4294967396 100\n", -ERANGE },
		{ "100 99999999999999999999\n", -ERANGE },
	},
};

FIXTURE_VARIANT_ADD(refused, times_to_hold) {
	.file = "hold_ms",
	.refusals = {
		{ "\n", -EINVAL },
		{ "long\n", -EINVAL },
		{ "-1\n", -EINVAL },
		{ "0\n", -ERANGE },
		{ "9\n", -ERANGE },
		{ "3600001\n", -ERANGE },
		{ "4294967396\n", -ERANGE },
	},
};

FIXTURE_VARIANT_ADD(refused, names) {
	.file = "leds",
	.lines = 1,
	.refusals = {
		{ "identify\n", -EINVAL },
		{ "a,identify b\n", -EINVAL },
		{ "a identify\n", -EINVAL },
		{ ",\n", -EINVAL },
		{ ",a\n", -EINVAL },
		{ "a,\n", -EINVAL },
		{ "a,,b\n", -EINVAL },
		{ NAME_63 "4\n", -ENAMETOOLONG },
		{ "a," NAME_63 "4\n", -ENAMETOOLONG },
		{ LIST_16 " q\n", -E2BIG },
	},
};

FIXTURE_VARIANT_ADD(refused, levels) {
	.file = "brightness",
	.refusals = {
		{ "\n", -EINVAL },
		{ "-1\n", -EINVAL },
		{ "on\n", -EINVAL },
	},
};

FIXTURE_VARIANT_ADD(refused, activity) {
	.file = "active",
	.refusals = {
		{ "1\n", -EACCES },
	},
};

FIXTURE_SETUP(refused)
{
	unsigned int i;

	ASSERT_TRUE(led_session_end());
	ASSERT_EQ(0, led_write(ID, "leds", "no-such-led\n"));
	ASSERT_EQ(0, led_write(ID, "blink_pattern", "300 70\n"));
	for (i = 0; i < ARRAY_SIZE(files); i++)
		memcpy(self->before[i], led_read(ID, files[i]), sizeof(self->before[i]));
	self->log = log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(refused)
{
	led_write(ID, "identify", "0\n");
	close(self->log);
}

TEST_F(refused, at_rest)
{
	const struct refusal *refusal;
	unsigned int i;

	for (refusal = variant->refusals; refusal->text; refusal++) {
		EXPECT_EQ(refusal->error, led_write(ID, variant->file, refusal->text))
			TH_LOG("text %s", refusal->text);
		EXPECT_EQ(variant->lines, log_count(self->log, "identify: "))
			TH_LOG("text %s", refusal->text);
		EXPECT_STREQ("0", led_read(ID, "identify"));
		for (i = 0; i < ARRAY_SIZE(files); i++)
			EXPECT_STREQ(self->before[i], led_read(ID, files[i]))
				TH_LOG("text %s", refusal->text);
	}
}

TEST_F(refused, while_it_blinks)
{
	const struct refusal *refusal;

	EXPECT_EQ(0, led_write(ID, "identify", "86400\n"));
	for (refusal = variant->refusals; refusal->text; refusal++) {
		EXPECT_EQ(refusal->error, led_write(ID, variant->file, refusal->text))
			TH_LOG("text %s", refusal->text);
		EXPECT_LT(80000, atoi(led_read(ID, "identify")));
		EXPECT_STREQ("no-such-led", led_read(ID, "leds"));
		EXPECT_STREQ("300 70", led_read(ID, "blink_pattern"));
		EXPECT_STREQ("1", led_read(ID, "active"));
	}
}

/* The last value inside each limit. */
TEST(limits_are_accepted)
{
	static const struct {
		const char *file;
		const char *text;
		const char *then;
	} accepted[] = {
		{ "blink_pattern", "500 600", "500 600" },
		{ "blink_pattern", " 20\t30\n\n", "20 30" },
		{ "blink_pattern", "10 10\n", "10 10" },
		{ "blink_pattern", "60000 60000\n", "60000 60000" },
		{ "blink_pattern", STEPS_32 "\n", STEPS_32 },
		{ "hold_ms", "10\n", "10" },
		{ "hold_ms", "3600000\n", "3600000" },
		{ "leds", LIST_16 "\n", LIST_16 },
		{ "leds", NAME_63 "\n", NAME_63 },
		{ "leds", " a\tb,c\n\n d\n", "a b,c d" },
		{ "leds", "a a,b\n", "a a,b" },
		{ "leds", "identify2 ident\n", "identify2 ident" },
		{ "identify", "86400\n", "86400" },
		{ "identify", "0\n", "0" },
		{ "brightness", "256\n", "255" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(accepted); i++) {
		EXPECT_EQ(0, led_write(ID, accepted[i].file, accepted[i].text))
			TH_LOG("text %s", accepted[i].text);
		EXPECT_STREQ(accepted[i].then, led_read(ID, accepted[i].file));
		EXPECT_EQ(0, led_write(ID, "identify", "0\n"));
	}
}

/* What is wrong with a parameter keeps the module from loading, with a word. */
TEST(parameters_are_refused)
{
	static const struct refusal refusals[] = {
		{ "hold_ms=9", -ERANGE },
		{ "hold_ms=3600001", -ERANGE },
		{ "hold_ms=-1", -EINVAL },
		{ "hold_ms=long", -EINVAL },
		{ "leds=identify", -EINVAL },
		{ "leds=a,", -EINVAL },
		{ "leds=" NAME_63 "4", -ENAMETOOLONG },
		{ "leds=\"" LIST_16 " q\"", -E2BIG },
	};
	unsigned int i;
	int log;

	ASSERT_EQ(0, led_unload());
	log = log_open();
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		EXPECT_EQ(refusals[i].error, led_load(refusals[i].text))
			TH_LOG("parameter %s", refusals[i].text);
		EXPECT_EQ(1, log_count(log, "identify: "))
			TH_LOG("parameter %s", refusals[i].text);
		EXPECT_FALSE(led_exists(ID));
		EXPECT_FALSE(led_is_loaded());
	}
	if (T1)
		EXPECT_FALSE(!!strstr(led_read(T1, "trigger"), ID));
	close(log);

	EXPECT_EQ(0, led_load("leds=\" a,b  c\" hold_ms=10"));
	EXPECT_STREQ("a,b c", led_read(ID, "leds"));
	EXPECT_STREQ("10", led_read(ID, "hold_ms"));
}

/* More than any file can take must not be read beyond its end. */
TEST(a_page_of_one_character)
{
	static const char * const text[] = { "identify", "blink_pattern", "hold_ms",
					     "brightness" };
	char page[4097];
	unsigned int i;

	memset(page, '1', 4096);
	page[4096] = '\0';
	for (i = 0; i < ARRAY_SIZE(text); i++)
		EXPECT_NE(0, led_write(ID, text[i], page));
	EXPECT_EQ(-ENAMETOOLONG, led_write(ID, "leds", page));
	memset(page, ',', 4096);
	EXPECT_EQ(-EINVAL, led_write(ID, "leds", page));
}

TEST(names_that_are_not_there_are_in_the_log_once)
{
	int log = log_open(), lines = 0;

	ASSERT_LE(0, log);
	EXPECT_EQ(0, led_write(ID, "leds", "absent-1,absent-2 absent-3\n"));
	EXPECT_EQ(0, log_count(log, "absent"));
	EXPECT_EQ(0, led_write(ID, "identify", "60\n"));
	EXPECT_TRUE(wait_until(lines += log_count(log, "absent-1,absent-2 absent-3")));
	EXPECT_EQ(0, led_write(ID, "identify", "0\n"));
	EXPECT_EQ(0, led_write(ID, "identify", "60\n"));
	EXPECT_EQ(0, led_write(ID, "identify", "0\n"));
	EXPECT_EQ(1, lines + log_count(log, "absent"));
	close(log);
}

static const char *load(void)
{
	return led_load("leds=no-such-led") ? "the module takes no parameter" : NULL;
}

int main(int argc, char **argv)
{
	led_test_begin(load);

	return test_harness_run(argc, argv);
}
