// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB mode switcher: tests of what needs no device, each named after its rule
 */

#include "usb-modeswitch.h"

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/usb/ch9.h>

#define HUAWEI_NEW_HEX "55534243123456780000000000000011062000000101000100000000000000"

static struct ums_settings *settings_alloc(struct kunit *test)
{
	struct ums_settings *settings = kunit_kzalloc(test, sizeof(*settings), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, settings);

	return settings;
}

static struct ums_facts storage(u16 vid, u16 pid)
{
	return (struct ums_facts) {
		.vid = vid, .pid = pid, .nr_interfaces = 1, .nr_configs = 1,
		.classes = { USB_CLASS_MASS_STORAGE }, .config = 1,
		.configs = { BIT(1) },
	};
}

static enum ums_verdict decide(struct kunit *test, const struct ums_facts *facts,
			       struct ums_plan *plan)
{
	return ums_decide(facts, settings_alloc(test), true, plan);
}

static void table_is_sorted_test(struct kunit *test)
{
	unsigned int i;

	for (i = 1; i < ums_nr_rows; i++) {
		const struct ums_row *a = &ums_rows[i - 1], *b = &ums_rows[i];

		KUNIT_EXPECT_LE(test, (u32)a->vid << 16 | a->pid, (u32)b->vid << 16 | b->pid);
		/* Only the last row of an ID can do without a string. */
		if (a->vid == b->vid && a->pid == b->pid)
			KUNIT_EXPECT_NE_MSG(test, a->string, 0, "%04x:%04x", a->vid, a->pid);
	}
}

static void table_row_is_found_test(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ums_nr_rows; i++) {
		const struct ums_row *row = ums_find(ums_rows[i].vid, ums_rows[i].pid);

		KUNIT_ASSERT_NOT_NULL(test, row);
		KUNIT_EXPECT_EQ(test, row->vid, ums_rows[i].vid);
		KUNIT_EXPECT_EQ(test, row->pid, ums_rows[i].pid);
		KUNIT_EXPECT_TRUE(test, row == ums_rows || row[-1].vid != row->vid ||
				  row[-1].pid != row->pid);
	}
}

static void stranger_is_not_found_test(struct kunit *test)
{
	static const u16 ids[][2] = {
		{ 0, 0 }, { 0xffff, 0xffff }, { 0x12d1, 0x1506 }, { 0x2c7c, 0x0125 },
		{ 0x05c6, 0x9215 }, { 0x1e0e, 0x9001 }, { 0x03f0, 0x0029 }, { 0xed09, 0x1022 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++)
		KUNIT_EXPECT_PTR_EQ(test, (void *)ums_find(ids[i][0], ids[i][1]), NULL);
}

static void storage_is_switched_test(struct kunit *test)
{
	struct ums_facts facts = storage(0x12d1, 0x14fe);
	struct ums_plan plan;

	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_SWITCH);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "huawei-new");
}

static void other_interface_is_left_test(struct kunit *test)
{
	static const u8 classes[] = { USB_CLASS_COMM, USB_CLASS_HID, USB_CLASS_PRINTER,
				      USB_CLASS_VENDOR_SPEC, 0 };
	struct ums_facts facts = storage(0x12d1, 0x14fe);
	struct ums_plan plan;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		facts.classes[0] = classes[i];
		KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_NOT_THIS);
	}
	facts.nr_interfaces = 0;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_NOT_THIS);
}

/* 12d1:1001 is a modem, too; its storage then comes after the serial ports. */
static void modem_of_the_same_id_is_left_test(struct kunit *test)
{
	struct ums_facts facts = storage(0x12d1, 0x1001);
	struct ums_plan plan;

	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_SWITCH);
	facts.nr_interfaces = 2;
	facts.classes[1] = USB_CLASS_VENDOR_SPEC;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_DONE);
	facts.classes[0] = USB_CLASS_VENDOR_SPEC;
	facts.classes[1] = USB_CLASS_MASS_STORAGE;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_DONE);
}

static void strings_choose_the_row_test(struct kunit *test)
{
	struct ums_facts facts = storage(0x05c6, 0x1000);
	struct ums_plan plan;

	facts.manufacturer = "AnyDATA Corp";
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_SWITCH);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "eject");
	facts.manufacturer = "Option N.V.";
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_SWITCH);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "option");
	facts.manufacturer = "anydata";
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_ASK);
}

static void product_chooses_the_row_test(struct kunit *test)
{
	struct ums_facts facts = storage(0x19d2, 0x0083);
	struct ums_plan plan;

	facts.product = "ZTE WCDMA Technologies MSM";
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_SWITCH);
	facts.product = "ZTE CDMA";
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_UNKNOWN);
	facts.product = NULL;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_UNKNOWN);
}

static void scsi_strings_are_asked_for_test(struct kunit *test)
{
	struct ums_facts facts = storage(0x05c6, 0x1000);
	struct ums_plan plan;

	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_ASK);
	facts.scsi_known = true;
	strscpy(facts.scsi_vendor, "Generic", sizeof(facts.scsi_vendor));
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_UNKNOWN);
	strscpy(facts.scsi_vendor, "GT      ", sizeof(facts.scsi_vendor));
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_SWITCH);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "option");
}

static void underscore_is_a_blank_test(struct kunit *test)
{
	struct ums_facts facts = storage(0x1c9e, 0xf000);
	struct ums_plan with, without;

	facts.manufacturer = "My USB Modem";
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &with), UMS_SWITCH);
	facts.manufacturer = NULL;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &without), UMS_SWITCH);
	KUNIT_EXPECT_NE(test, with.script, without.script);
}

static void mbim_comes_first_test(struct kunit *test)
{
	struct ums_facts facts = storage(0x12d1, 0x14fe);
	struct ums_plan plan;

	facts.nr_configs = 3;
	facts.mbim = 3;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_NOT_THIS);
	facts.configs[0] = BIT(1) | BIT(2) | BIT(3);
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_SWITCH);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "mbim");
	KUNIT_EXPECT_EQ(test, plan.arg, 3);
	facts.config = 3;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_DONE);
	facts.config = 1;
	KUNIT_EXPECT_EQ(test, ums_decide(&facts, settings_alloc(test), false, &plan),
			UMS_SWITCH);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "huawei-new");
}

/* They are asked of storage only, and no configuration is chosen for what is no modem. */
static void mbim_comes_after_scsi_strings_test(struct kunit *test)
{
	struct ums_facts facts = storage(0x05c6, 0x1000);
	struct ums_plan plan;

	facts.nr_configs = 2;
	facts.mbim = 2;
	facts.configs[0] = BIT(1) | BIT(2);
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_ASK);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "option");
	facts.scsi_known = true;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_UNKNOWN);
	strscpy(facts.scsi_vendor, "GT      ", sizeof(facts.scsi_vendor));
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_SWITCH);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "mbim");
	facts.scsi_known = false;
	facts.classes[0] = USB_CLASS_VENDOR_SPEC;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_NOT_THIS);
}

static void only_mbim_is_chosen_without_a_method_test(struct kunit *test)
{
	struct ums_facts facts = storage(0x12d1, 0x15bb);
	struct ums_plan plan;

	facts.nr_configs = 3;
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_DONE);
	facts.mbim = 3;
	facts.configs[0] = BIT(1) | BIT(3);
	KUNIT_EXPECT_EQ(test, decide(test, &facts, &plan), UMS_SWITCH);
	KUNIT_EXPECT_EQ(test, ums_decide(&facts, settings_alloc(test), false, &plan),
			UMS_IGNORED);
}

static void user_has_the_last_word_test(struct kunit *test)
{
	struct ums_settings *settings = settings_alloc(test);
	struct ums_facts facts = storage(0x12d1, 0x14fe);
	struct ums_plan plan;

	KUNIT_ASSERT_EQ(test, ums_parse_override("12d1:*:eject,12d1:14fe:huawei-alt", settings), 0);
	KUNIT_EXPECT_EQ(test, ums_decide(&facts, settings, true, &plan), UMS_SWITCH);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "huawei-alt");
	facts.pid = 0x1506;
	KUNIT_EXPECT_EQ(test, ums_decide(&facts, settings, true, &plan), UMS_SWITCH);
	KUNIT_EXPECT_STREQ(test, ums_method(plan.script), "eject");
	facts.classes[0] = USB_CLASS_COMM;
	KUNIT_EXPECT_EQ(test, ums_decide(&facts, settings, true, &plan), UMS_NOT_THIS);
	facts.classes[0] = USB_CLASS_MASS_STORAGE;
	KUNIT_ASSERT_EQ(test, ums_parse_ignore("12d1:1506", settings), 0);
	KUNIT_EXPECT_EQ(test, ums_decide(&facts, settings, true, &plan), UMS_IGNORED);
	KUNIT_ASSERT_EQ(test, ums_parse_override("12d1:14fe:none", settings), 0);
	facts.pid = 0x14fe;
	KUNIT_EXPECT_EQ(test, ums_decide(&facts, settings, true, &plan), UMS_IGNORED);
}

struct text_case {
	const char *text;
	int ret;
	const char *printed;
};

static const struct text_case ignore_cases[] = {
	{ "", 0, "\n" },
	{ "\n", 0, "\n" },
	{ "12d1:1f01", 0, "12d1:1f01\n" },
	{ " 12D1:1F01,\t05c6:*\n", 0, "12d1:1f01,05c6:*\n" },
	{ "12d1", -EINVAL }, { "12d1:", -EINVAL }, { "12d1:1f0", -EINVAL },
	{ "12d1:1f011", -EINVAL }, { "2d1:1f01", -EINVAL }, { "12d1:1f01:x", -EINVAL },
	{ "0x12d1:1f01", -EINVAL }, { "12d1-1f01", -EINVAL }, { "12d1:**", -EINVAL },
	{ "*:*", -EINVAL }, { "12d1:1f01;05c6:*", -EINVAL }, { "\xff\xff\xff\xff:1f01", -EINVAL },
	{ "12d1:1f01,12d1:", -EINVAL },
};

static void ignore_text_test(struct kunit *test)
{
	struct ums_settings *settings = settings_alloc(test);
	unsigned int i;
	char buf[64];

	for (i = 0; i < ARRAY_SIZE(ignore_cases); i++) {
		const struct text_case *c = &ignore_cases[i];

		KUNIT_ASSERT_EQ(test, ums_parse_ignore("aaaa:bbbb", settings), 0);
		KUNIT_EXPECT_EQ_MSG(test, ums_parse_ignore(c->text, settings), c->ret, "%s",
				    c->text);
		ums_print_ignore(buf, sizeof(buf), settings);
		KUNIT_EXPECT_STREQ(test, buf, c->printed ?: "aaaa:bbbb\n");
	}
}

static const struct text_case override_cases[] = {
	{ "", 0, "\n" },
	{ "12d1:1f01:huawei-alt", 0, "12d1:1f01:huawei-alt\n" },
	{ "12d1:15c1:config:2, 12d1:15bb:mbim\n", 0, "12d1:15c1:config:2,12d1:15bb:mbim\n" },
	{ "05c6:*:none", 0, "05c6:*:none\n" },
	{ "12d1:1f01:message:" HUAWEI_NEW_HEX, 0, "12d1:1f01:message:" HUAWEI_NEW_HEX "\n" },
	{ "12d1:1f01:message:" HUAWEI_NEW_HEX "+" HUAWEI_NEW_HEX, 0,
	  "12d1:1f01:message:" HUAWEI_NEW_HEX "+" HUAWEI_NEW_HEX "\n" },
	{ "12d1:1f01", -EINVAL }, { "12d1:1f01:", -EINVAL }, { "12d1:1f01:huawei", 0,
	  "12d1:1f01:huawei\n" },
	{ "12d1:1f01:huawei-", -EINVAL }, { "12d1:1f01:nothing", -EINVAL },
	{ "12d1:1f01:eject:1", -EINVAL }, { "12d1:15c1:config", -EINVAL },
	{ "12d1:15c1:config:", -EINVAL }, { "12d1:15c1:config:x", -EINVAL },
	{ "12d1:15c1:config:0", -ERANGE }, { "12d1:15c1:config:256", -ERANGE },
	{ "12d1:15c1:config:99999999999999999999", -ERANGE },
	{ "12d1:15c1:config:-1", -EINVAL }, { "12d1:15c1:config:2x", -EINVAL },
	{ "12d1:1f01:message", -EINVAL }, { "12d1:1f01:message:", -EINVAL },
	{ "12d1:1f01:message:5553", -EINVAL },
	{ "12d1:1f01:message:" HUAWEI_NEW_HEX "0", -EINVAL },
	{ "12d1:1f01:message:" HUAWEI_NEW_HEX "+", -EINVAL },
	{ "12d1:1f01:message:" HUAWEI_NEW_HEX "+" HUAWEI_NEW_HEX "+" HUAWEI_NEW_HEX "+"
	  HUAWEI_NEW_HEX "+" HUAWEI_NEW_HEX, -E2BIG },
	{ "12d1:1f01:message:00000000123456780000000000000011062000000101000100000000000000",
	  -EINVAL },
	{ "12d1:1f01:message:5x534243123456780000000000000011062000000101000100000000000000",
	  -EINVAL },
};

static void override_text_test(struct kunit *test)
{
	struct ums_settings *settings = settings_alloc(test);
	char *buf = kunit_kzalloc(test, 512, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < ARRAY_SIZE(override_cases); i++) {
		const struct text_case *c = &override_cases[i];

		KUNIT_EXPECT_EQ_MSG(test, ums_parse_override(c->text, settings), c->ret, "%s",
				    c->text);
		ums_print_override(buf, 512, settings);
		KUNIT_EXPECT_STREQ(test, buf, c->printed ?: "\n");
	}
}

static void too_many_are_refused_test(struct kunit *test)
{
	struct ums_settings *settings = settings_alloc(test);
	char *text = kunit_kzalloc(test, 65 * 15 + 1, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < 65; i++)
		strcat(text, "1234:5678 ");
	KUNIT_EXPECT_EQ(test, ums_parse_ignore(text, settings), -E2BIG);
	text[64 * 10] = '\0';
	KUNIT_EXPECT_EQ(test, ums_parse_ignore(text, settings), 0);
	text[0] = '\0';
	for (i = 0; i < 33; i++)
		strcat(text, "1234:5678:mbim ");
	KUNIT_EXPECT_EQ(test, ums_parse_override(text, settings), -E2BIG);
	text[32 * 15] = '\0';
	KUNIT_EXPECT_EQ(test, ums_parse_override(text, settings), 0);
	KUNIT_EXPECT_EQ(test, settings->nr_overrides, 32);
}

static void csw_is_judged_test(struct kunit *test)
{
	static const u8 cbw[UMS_CBW_SIZE] = "USBC\x12\x34\x56\x78";
	u8 csw[UMS_CSW_SIZE + 1] = "USBS\x12\x34\x56\x78";

	KUNIT_EXPECT_EQ(test, ums_csw_judge(csw, 13, cbw), UMS_CSW_GOOD);
	KUNIT_EXPECT_EQ(test, ums_csw_judge(csw, 12, cbw), UMS_CSW_SIZE_WRONG);
	KUNIT_EXPECT_EQ(test, ums_csw_judge(csw, 14, cbw), UMS_CSW_SIZE_WRONG);
	KUNIT_EXPECT_EQ(test, ums_csw_judge(csw, 0, cbw), UMS_CSW_SIZE_WRONG);
	csw[12] = 1;
	KUNIT_EXPECT_EQ(test, ums_csw_judge(csw, 13, cbw), UMS_CSW_FAILED);
	csw[12] = 2;
	KUNIT_EXPECT_EQ(test, ums_csw_judge(csw, 13, cbw), UMS_CSW_PHASE);
	csw[12] = 3;
	KUNIT_EXPECT_EQ(test, ums_csw_judge(csw, 13, cbw), UMS_CSW_STATUS);
	csw[7] = 0;
	KUNIT_EXPECT_EQ(test, ums_csw_judge(csw, 13, cbw), UMS_CSW_TAG);
	csw[3] = 'C';
	KUNIT_EXPECT_EQ(test, ums_csw_judge(csw, 13, cbw), UMS_CSW_SIGNATURE);
}

static void cbw_tells_of_its_data_test(struct kunit *test)
{
	u8 cbw[UMS_CBW_SIZE] = "USBC\x12\x34\x56\x78\x24\0\0\0\x80";

	KUNIT_EXPECT_EQ(test, ums_cbw_data_in(cbw), 36);
	cbw[12] = 0;
	KUNIT_EXPECT_EQ(test, ums_cbw_data_in(cbw), 0);
	cbw[12] = 0x80;
	memset(cbw + 8, 0xff, 4);
	KUNIT_EXPECT_EQ(test, ums_cbw_data_in(cbw), U32_MAX);
}

static void fourth_try_in_a_minute_is_refused_test(struct kunit *test)
{
	struct ums_guard guard = { };

	KUNIT_EXPECT_TRUE(test, ums_guard_try(&guard, 0));
	KUNIT_EXPECT_TRUE(test, ums_guard_try(&guard, 10));
	KUNIT_EXPECT_TRUE(test, ums_guard_try(&guard, 20));
	KUNIT_EXPECT_FALSE(test, ums_guard_try(&guard, 30));
	KUNIT_EXPECT_FALSE(test, ums_guard_try(&guard, 59));
	KUNIT_EXPECT_TRUE(test, ums_guard_try(&guard, 60));
	KUNIT_EXPECT_FALSE(test, ums_guard_try(&guard, 69));
	KUNIT_EXPECT_TRUE(test, ums_guard_try(&guard, 70));
}

static void slow_loop_is_refused_test(struct kunit *test)
{
	struct ums_guard guard = { };
	time64_t now = 0;

	while (guard.returns < UMS_GUARD_TRIES) {
		KUNIT_EXPECT_TRUE(test, ums_guard_try(&guard, now));
		guard.returns++;
		now += 1000;
	}
	KUNIT_EXPECT_FALSE(test, ums_guard_try(&guard, now));
	guard.returns = 0;
	KUNIT_EXPECT_TRUE(test, ums_guard_try(&guard, now));
}

static struct kunit_case ums_cases[] = {
	KUNIT_CASE(table_is_sorted_test),
	KUNIT_CASE(table_row_is_found_test),
	KUNIT_CASE(stranger_is_not_found_test),
	KUNIT_CASE(storage_is_switched_test),
	KUNIT_CASE(other_interface_is_left_test),
	KUNIT_CASE(modem_of_the_same_id_is_left_test),
	KUNIT_CASE(strings_choose_the_row_test),
	KUNIT_CASE(product_chooses_the_row_test),
	KUNIT_CASE(scsi_strings_are_asked_for_test),
	KUNIT_CASE(underscore_is_a_blank_test),
	KUNIT_CASE(mbim_comes_first_test),
	KUNIT_CASE(mbim_comes_after_scsi_strings_test),
	KUNIT_CASE(only_mbim_is_chosen_without_a_method_test),
	KUNIT_CASE(user_has_the_last_word_test),
	KUNIT_CASE(ignore_text_test),
	KUNIT_CASE(override_text_test),
	KUNIT_CASE(too_many_are_refused_test),
	KUNIT_CASE(csw_is_judged_test),
	KUNIT_CASE(cbw_tells_of_its_data_test),
	KUNIT_CASE(fourth_try_in_a_minute_is_refused_test),
	KUNIT_CASE(slow_loop_is_refused_test),
	{ }
};

static struct kunit_suite ums_suite = {
	.name = "usb-modeswitch",
	.test_cases = ums_cases,
};

kunit_test_suite(ums_suite);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("KUnit tests for the USB mode switcher");
MODULE_LICENSE("GPL");
