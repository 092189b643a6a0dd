// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever is wrong with what is written to the identify LED: it is refused with
 * an error that fits, nothing changes by it, and the log has a line only where a
 * person needs one.
 */

#include "../lib/led.h"

#include "kselftest_harness.h"

#define ID	"identify"
#define NAME_63	"a23456789012345678901234567890123456789012345678901234567890123"
#define LIST_16	"a b c d e f g h i j k l m n o p"
#define STEPS_32 \
	"10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 " \
	"10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 60000"

static const char * const files[] = { "leds", "blink_pattern", "hold_ms", "active",
				      "brightness", "trigger" };

FIXTURE(refused) {
	char before[ARRAY_SIZE(files)][4096];
	int log;
};

FIXTURE_VARIANT(refused) {
	const char *file;
	const char *text;
	int error;
	int lines;
};

FIXTURE_VARIANT_ADD(refused, seconds_empty) { "identify", "\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, seconds_negative) { "identify", "-1\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, seconds_letters) { "identify", "ten\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, seconds_unit) { "identify", "10s\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, seconds_fraction) { "identify", "1.5\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, seconds_hexadecimal) { "identify", "0x10\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, seconds_two) { "identify", "1 2\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, seconds_above_a_day) { "identify", "86401\n", -ERANGE };
FIXTURE_VARIANT_ADD(refused, seconds_32_bits) { "identify", "4294967297\n", -ERANGE };
FIXTURE_VARIANT_ADD(refused, seconds_huge) { "identify", "99999999999999999999999999\n", -ERANGE };

FIXTURE_VARIANT_ADD(refused, pattern_empty) { "blink_pattern", "\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, pattern_of_one) { "blink_pattern", "100\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, pattern_odd) { "blink_pattern", "100 100 100\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, pattern_of_34) { "blink_pattern", STEPS_32 " 10 10\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, pattern_letters) { "blink_pattern", "fast slow\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, pattern_letter_at_end) { "blink_pattern", "100 100ms\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, pattern_commas) { "blink_pattern", "100,100\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, pattern_negative) { "blink_pattern", "100 -100\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, pattern_fraction) { "blink_pattern", "100 100.5\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, pattern_zero) { "blink_pattern", "0 100\n", -ERANGE };
FIXTURE_VARIANT_ADD(refused, pattern_too_short) { "blink_pattern", "100 9\n", -ERANGE };
FIXTURE_VARIANT_ADD(refused, pattern_too_long) { "blink_pattern", "60001 100\n", -ERANGE };
FIXTURE_VARIANT_ADD(refused, pattern_32_bits) { "blink_pattern", "4294967396 100\n", -ERANGE };
FIXTURE_VARIANT_ADD(refused, pattern_huge) { "blink_pattern", "100 99999999999999999999\n", -ERANGE };

FIXTURE_VARIANT_ADD(refused, hold_empty) { "hold_ms", "\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, hold_letters) { "hold_ms", "long\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, hold_negative) { "hold_ms", "-1\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, hold_zero) { "hold_ms", "0\n", -ERANGE };
FIXTURE_VARIANT_ADD(refused, hold_too_short) { "hold_ms", "9\n", -ERANGE };
FIXTURE_VARIANT_ADD(refused, hold_too_long) { "hold_ms", "3600001\n", -ERANGE };
FIXTURE_VARIANT_ADD(refused, hold_32_bits) { "hold_ms", "4294967396\n", -ERANGE };

FIXTURE_VARIANT_ADD(refused, leds_itself) { "leds", "identify\n", -EINVAL, 1 };
FIXTURE_VARIANT_ADD(refused, leds_itself_as_second_choice) { "leds", "a,identify b\n", -EINVAL, 1 };
FIXTURE_VARIANT_ADD(refused, leds_itself_as_second_target) { "leds", "a identify\n", -EINVAL, 1 };
FIXTURE_VARIANT_ADD(refused, leds_comma) { "leds", ",\n", -EINVAL, 1 };
FIXTURE_VARIANT_ADD(refused, leds_comma_first) { "leds", ",a\n", -EINVAL, 1 };
FIXTURE_VARIANT_ADD(refused, leds_comma_last) { "leds", "a,\n", -EINVAL, 1 };
FIXTURE_VARIANT_ADD(refused, leds_comma_twice) { "leds", "a,,b\n", -EINVAL, 1 };
FIXTURE_VARIANT_ADD(refused, leds_name_of_64) { "leds", NAME_63 "4\n", -ENAMETOOLONG, 1 };
FIXTURE_VARIANT_ADD(refused, leds_choice_of_64) { "leds", "a," NAME_63 "4\n", -ENAMETOOLONG, 1 };
FIXTURE_VARIANT_ADD(refused, leds_17) { "leds", LIST_16 " q\n", -E2BIG, 1 };

FIXTURE_VARIANT_ADD(refused, brightness_empty) { "brightness", "\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, brightness_negative) { "brightness", "-1\n", -EINVAL };
FIXTURE_VARIANT_ADD(refused, brightness_letters) { "brightness", "on\n", -EINVAL };

FIXTURE_VARIANT_ADD(refused, active_is_not_for_writing) { "active", "1\n", -EACCES };

FIXTURE_SETUP(refused)
{
	unsigned int i;

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

TEST_F(refused, and_nothing_changes)
{
	unsigned int i;

	EXPECT_EQ(variant->error, led_write(ID, variant->file, variant->text));
	EXPECT_EQ(variant->lines, log_count(self->log, "identify: "));
	EXPECT_STREQ("0", led_read(ID, "identify"));
	for (i = 0; i < ARRAY_SIZE(files); i++)
		EXPECT_STREQ(self->before[i], led_read(ID, files[i]));

	EXPECT_EQ(0, led_write(ID, "identify", "86400\n"));
	EXPECT_EQ(variant->error, led_write(ID, variant->file, variant->text));
	EXPECT_LT(80000, atoi(led_read(ID, "identify")));
	EXPECT_STREQ("no-such-led", led_read(ID, "leds"));
	EXPECT_STREQ("300 70", led_read(ID, "blink_pattern"));
	EXPECT_STREQ("1", led_read(ID, "active"));
}

/* The last value inside each limit. */

FIXTURE(accepted) {};

FIXTURE_SETUP(accepted) {}

FIXTURE_TEARDOWN(accepted) {}

FIXTURE_VARIANT(accepted) {
	const char *file;
	const char *text;
	const char *then;
};

FIXTURE_VARIANT_ADD(accepted, no_newline) { "blink_pattern", "500 600", "500 600" };
FIXTURE_VARIANT_ADD(accepted, pattern_with_other_space) { "blink_pattern", " 20\t30\n\n", "20 30" };
FIXTURE_VARIANT_ADD(accepted, pattern_shortest) { "blink_pattern", "10 10\n", "10 10" };
FIXTURE_VARIANT_ADD(accepted, pattern_longest) { "blink_pattern", "60000 60000\n", "60000 60000" };
FIXTURE_VARIANT_ADD(accepted, pattern_of_32) { "blink_pattern", STEPS_32 "\n", STEPS_32 };
FIXTURE_VARIANT_ADD(accepted, hold_shortest) { "hold_ms", "10\n", "10" };
FIXTURE_VARIANT_ADD(accepted, hold_longest) { "hold_ms", "3600000\n", "3600000" };
FIXTURE_VARIANT_ADD(accepted, leds_16) { "leds", LIST_16 "\n", LIST_16 };
FIXTURE_VARIANT_ADD(accepted, leds_name_of_63) { "leds", NAME_63 "\n", NAME_63 };
FIXTURE_VARIANT_ADD(accepted, leds_with_other_space) { "leds", " a\tb,c\n\n d\n", "a b,c d" };
FIXTURE_VARIANT_ADD(accepted, leds_same_twice) { "leds", "a a,b\n", "a a,b" };
FIXTURE_VARIANT_ADD(accepted, leds_like_itself) { "leds", "identify2 ident\n", "identify2 ident" };
FIXTURE_VARIANT_ADD(accepted, seconds_of_a_day) { "identify", "86400\n", "86400" };
FIXTURE_VARIANT_ADD(accepted, seconds_none) { "identify", "0\n", "0" };
FIXTURE_VARIANT_ADD(accepted, brightness_above_maximum) { "brightness", "256\n", "255" };

TEST_F(accepted, is)
{
	EXPECT_EQ(0, led_write(ID, variant->file, variant->text));
	EXPECT_STREQ(variant->then, led_read(ID, variant->file));
	EXPECT_EQ(0, led_write(ID, "identify", "0\n"));
}

/* The parameters of the module: what is wrong there keeps it from loading. */

FIXTURE(parameters) {
	int log;
};

FIXTURE_VARIANT(parameters) {
	const char *text;
	int error;
};

FIXTURE_VARIANT_ADD(parameters, hold_too_short) { "hold_ms=9", -ERANGE };
FIXTURE_VARIANT_ADD(parameters, hold_too_long) { "hold_ms=3600001", -ERANGE };
FIXTURE_VARIANT_ADD(parameters, hold_negative) { "hold_ms=-1", -EINVAL };
FIXTURE_VARIANT_ADD(parameters, hold_letters) { "hold_ms=long", -EINVAL };
FIXTURE_VARIANT_ADD(parameters, leds_itself) { "leds=identify", -EINVAL };
FIXTURE_VARIANT_ADD(parameters, leds_comma) { "leds=a,", -EINVAL };
FIXTURE_VARIANT_ADD(parameters, leds_name_of_64) { "leds=" NAME_63 "4", -ENAMETOOLONG };
FIXTURE_VARIANT_ADD(parameters, leds_17) { "leds=\"" LIST_16 " q\"", -E2BIG };

FIXTURE_SETUP(parameters)
{
	ASSERT_EQ(0, led_unload());
	self->log = log_open();
}

FIXTURE_TEARDOWN(parameters)
{
	close(self->log);
	if (!led_exists(ID))
		led_load("leds=no-such-led");
}

TEST_F(parameters, refused_and_nothing_left)
{
	EXPECT_EQ(variant->error, led_load(variant->text));
	EXPECT_EQ(1, log_count(self->log, "identify: "));
	EXPECT_FALSE(led_exists(ID));
	EXPECT_NE(0, access("/sys/module/leds_identify", F_OK));
	EXPECT_EQ(NULL, strstr(led_read(led_target(), "trigger"), ID));
}

TEST(parameters_accepted)
{
	ASSERT_EQ(0, led_unload());
	EXPECT_EQ(0, led_load("leds=\" a,b  c\" hold_ms=10"));
	EXPECT_STREQ("a,b c", led_read(ID, "leds"));
	EXPECT_STREQ("10", led_read(ID, "hold_ms"));
	EXPECT_EQ(0, led_unload());
	EXPECT_EQ(0, led_load("leds= hold_ms=3600000"));
	EXPECT_STREQ("3600000", led_read(ID, "hold_ms"));
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

int main(int argc, char **argv)
{
	int ret;

	if (led_load("leds=no-such-led"))
		ksft_exit_skip("the module leds-identify cannot be loaded\n");
	ret = test_harness_run(argc, argv);
	led_unload();

	return ret;
}
