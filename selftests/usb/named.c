// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modems that balenaOS names, from plug to the drivers that bind: usb-storage
 * first or usb-modeswitch first, or plugged in before either.
 */

#include "../lib/modeswitch.h"

#include "kselftest_harness.h"

#define HUAWEI_NEW \
	"USBC\x12\x34\x56\x78\0\0\0\0\0\0\0\x11\x06\x20\0\0\x01\x01\0\x01\0\0\0\0\0\0\0"

static const struct emu_config storage = { 1, { EMU_STORAGE } };
static const struct emu_config huawei_ncm = {
	1, { { 0xff, 0x02, 0x12, { { 0x81, 2 }, { 0x01, 2 } } }, EMU_HUAWEI_NCM(3),
	     { 0x08, 0x06, 0x50, { { 0x87, 2 }, { 0x07, 2 } } } },
};

static const struct emu_config huawei_ecm = { 1, { EMU_ECM(1), EMU_NET_DATA(2, 0) } };

FIXTURE(modem) {
	struct emu *emu;
	int log;
};

FIXTURE_VARIANT(modem) {
	struct emu_mode before, after;
	const char *method;
	const char *message;
	const char *drivers[2];		/* of the first interfaces */
};

#define HUAWEI(pid, ...) { 0x12d1, pid, "HUAWEI", "HUAWEI Mobile", .config = { __VA_ARGS__ } }

FIXTURE_VARIANT_ADD(modem, ms2131i_8) {
	.before = HUAWEI(0x14fe, storage), .after = HUAWEI(0x1506, huawei_ncm),
	.method = "huawei-new", .message = HUAWEI_NEW,
	.drivers = { "option", "huawei_cdc_ncm" },
};

FIXTURE_VARIANT_ADD(modem, ms2131_hilink) {
	.before = HUAWEI(0x1f01, storage), .after = HUAWEI(0x14dc, huawei_ecm),
	.method = "huawei-new", .message = HUAWEI_NEW, .drivers = { "cdc_ether", "cdc_ether" },
};

/* The same ID as the MS2131; Vodafone's has serial ports only. */
FIXTURE_VARIANT_ADD(modem, ms2372) {
	.before = HUAWEI(0x14fe, storage),
	.after = HUAWEI(0x1596, { 1, { { 0xff, 0x02, 0x12, { { 0x81, 2 }, { 0x01, 2 } } },
				       { 0xff, 0x02, 0x01, { { 0x83, 2 }, { 0x03, 2 } } } } }),
	.method = "huawei-new", .message = HUAWEI_NEW, .drivers = { "option", "option" },
};

FIXTURE_VARIANT_ADD(modem, ms2372_hilink) {
	.before = HUAWEI(0x1f01, storage), .after = HUAWEI(0x14db, huawei_ecm),
	.method = "huawei-new", .message = HUAWEI_NEW, .drivers = { "cdc_ether", "cdc_ether" },
};

FIXTURE_SETUP(modem)
{
	self->log = log_open();
	ASSERT_EQ(0, ums_unload());
	self->emu = emu_new(0);
	ASSERT_NE(NULL, self->emu);
	self->emu->mode[0] = variant->before;
	self->emu->mode[1] = variant->after;
	self->emu->modes = 2;
	self->emu->switch_after = 1;
	self->emu->away_ms = 300;
}

FIXTURE_TEARDOWN(modem)
{
	emu_delete(self->emu);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

static bool is_switched(const struct emu *emu, const struct _fixture_variant_modem *variant)
{
	const struct emu_event *sent = emu_find(emu, EMU_OUT, 0, 0);
	const struct emu_event *config = emu_find(emu, EMU_SET_CONFIG, 0, 0);

	if (!sent || !config || sent->size != 31 ||
	    memcmp(sent->data, variant->message, 31))
		return false;
	ksft_print_msg("command after %lld us, modem after %lld ms\n",
		       (long long)(sent->ns - config->ns) / 1000,
		       (long long)(emu_ns() - emu->event[0].ns) / 1000000);

	return emu_count(emu, EMU_OUT, 0) == 1 &&
	       !strcmp(ums_result(0, "method"), variant->method) &&
	       ums_count("switched") == 1 && ums_count("tries") == 1;
}

#define becomes_modem() \
	(wait_until(usb_device_is(0, &variant->after)) && \
	 wait_until(usb_driver_is(0, 0, variant->drivers[0])) && \
	 wait_until(usb_driver_is(0, 1, variant->drivers[1])) && \
	 wait_until(ums_result_is(0, "switched")) && is_switched(self->emu, variant))

TEST_F(modem, storage_driver_came_first)
{
	if (!storage_is_builtin())
		ASSERT_EQ(0, run_modprobe("-r usb-storage"));
	ASSERT_EQ(0, run_modprobe("usb-storage"));
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(becomes_modem());
}

TEST_F(modem, storage_driver_came_second)
{
	if (storage_is_builtin())
		SKIP(return, "usb-storage is built in");
	ASSERT_EQ(0, run_modprobe("-r usb-storage"));
	ASSERT_EQ(0, ums_load(""));
	ASSERT_EQ(0, run_modprobe("usb-storage"));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(becomes_modem());
}

TEST_F(modem, without_storage_driver)
{
	if (storage_is_builtin())
		SKIP(return, "usb-storage is built in");
	ASSERT_EQ(0, run_modprobe("-r usb-storage"));
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(becomes_modem());
	ASSERT_EQ(0, run_modprobe("usb-storage"));
}

/* usb-storage has asked all that it wants to know. */
TEST_F(modem, plugged_in_before_loading)
{
	ASSERT_EQ(0, run_modprobe("usb-storage"));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_driver_is(0, 0, "usb-storage")));
	ASSERT_TRUE(wait_until(self->emu->transfers >= 4));
	usleep(300000);
	ASSERT_EQ(0, ums_load(""));
	EXPECT_TRUE(wait_until(usb_device_is(0, &variant->after)));
	EXPECT_TRUE(wait_until(ums_result_is(0, "switched")));
}

FIXTURE(config) {
	struct emu *emu;
	int log;
};

FIXTURE_VARIANT(config) {
	__u16 pid;
};

FIXTURE_VARIANT_ADD(config, me909s_120) { .pid = 0x15c1 };
FIXTURE_VARIANT_ADD(config, me936) { .pid = 0x15bb };

FIXTURE_SETUP(config)
{
	self->log = log_open();
	ASSERT_EQ(0, ums_unload());
	self->emu = emu_new(0);
	ASSERT_NE(NULL, self->emu);
	self->emu->modes = 1;
	self->emu->mode[0] = (struct emu_mode){
		0x12d1, variant->pid, "Huawei Technologies", "HUAWEI Mobile", .config = {
			{ 1, { EMU_SERIAL(1), EMU_SERIAL(2) } },
			{ 2, { EMU_ECM(1), EMU_NET_DATA(2, 0), EMU_SERIAL(3) } },
			{ 3, { EMU_MBIM(1), EMU_NET_DATA(2, 2), EMU_SERIAL(3) } },
		},
	};
}

FIXTURE_TEARDOWN(config)
{
	emu_delete(self->emu);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

/* The kernel takes the second one; nothing but the third is asked for after that. */
#define becomes_mbim()							\
	(wait_until(usb_driver_is(0, 0, "cdc_mbim")) &&			\
	 wait_until(usb_driver_is(0, 1, "cdc_mbim")) &&			\
	 wait_until(ums_result_is(0, "switched")) &&			\
	 !strcmp(ums_result(0, "method"), "mbim") &&			\
	 emu_count(self->emu, EMU_SET_CONFIG, 0) == 2 &&		\
	 emu_find(self->emu, EMU_SET_CONFIG, 0, 0)->data[2] == 2 &&	\
	 emu_find(self->emu, EMU_SET_CONFIG, 0, 1)->data[2] == 3)

TEST_F(config, plugged_in)
{
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(becomes_mbim());
	EXPECT_TRUE(holds_for(2000, ums_count("tries") == 1));
}

TEST_F(config, there_before)
{
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_driver_is(0, 0, "cdc_ether")));
	ASSERT_EQ(0, ums_load(""));
	EXPECT_TRUE(becomes_mbim());
}

TEST_F(config, not_if_the_port_has_too_little_power)
{
	self->emu->mode[0].config[2].power = 251;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_driver_is(0, 0, "cdc_ether")));
	EXPECT_TRUE(holds_for(2000, emu_count(self->emu, EMU_SET_CONFIG, 0) == 1));
}

TEST_F(config, not_if_the_user_wants_none)
{
	ASSERT_EQ(0, ums_load("mbim=0"));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_driver_is(0, 0, "cdc_ether")));
	EXPECT_TRUE(holds_for(2000, usb_driver_is(0, 0, "cdc_ether") && !ums_count("tries")));
}

FIXTURE(ublox) {
	struct emu *emu;
	int log;
};

FIXTURE_SETUP(ublox)
{
	self->log = log_open();
	ASSERT_EQ(0, ums_unload());
	self->emu = emu_new(0);
	ASSERT_NE(NULL, self->emu);
	self->emu->mode[0] = (struct emu_mode){
		0x1546, 0x1146, "u-blox", "TOBY-L2", .config = {
			{ 1, { EMU_RNDIS(1), EMU_ACM_DATA(2), EMU_ACM_CONTROL(3),
			       EMU_ACM_DATA(4) } } } };
	self->emu->mode[1] = (struct emu_mode){
		0x1546, 0x1143, "u-blox", "TOBY-L2", .config = {
			{ 1, { EMU_ECM(1), EMU_NET_DATA(2, 0) } } } };
	self->emu->modes = 2;
	self->emu->switch_after = 1;
	self->emu->modem_ms = 2500;
}

FIXTURE_TEARDOWN(ublox)
{
	emu_delete(self->emu);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

/* How often something was sent to an endpoint. */
static unsigned int sent(const struct emu *emu, __u8 ep, const char *text)
{
	const struct emu_event *event;
	unsigned int i, n = 0;

	for (i = 0; (event = emu_find(emu, EMU_OUT, 0, i)); i++)
		n += event->ep == ep && event->size == strlen(text) &&
		     !memcmp(event->data, text, event->size);

	return n;
}

static unsigned int requests(const struct emu *emu, const char *setup)
{
	const struct emu_event *event;
	unsigned int i, n = 0;

	for (i = 0; (event = emu_find(emu, EMU_CONTROL, 0, i)); i++)
		n += !memcmp(event->data, setup, 8);

	return n;
}

/* The port is that of ACM, not of RNDIS; only "AT" is repeated until it is heard. */
TEST_F(ublox, is_told_by_at)
{
	run_modprobe("-r rndis-host cdc-acm");
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(wait_until(usb_device_is(0, &self->emu->mode[1])));
	EXPECT_TRUE(wait_until(ums_result_is(0, "switched")));
	EXPECT_EQ(1, requests(self->emu, "\x21\x22\x03\0\x02\0\0"));
	EXPECT_LT(1, sent(self->emu, 4, "AT\r"));
	EXPECT_EQ(1, sent(self->emu, 4, "AT+UUSBCONF=2,\"ECM\"\r"));
	EXPECT_EQ(1, sent(self->emu, 4, "AT+CFUN=1,1\r"));
	EXPECT_EQ(0, sent(self->emu, 2, "AT\r"));
	EXPECT_TRUE(wait_until(usb_driver_is(0, 0, "cdc_ether")));
}

/* What it has to say by itself may be longer than an answer, and come with it. */
TEST_F(ublox, is_heard_behind_what_nobody_asked_for)
{
	run_modprobe("-r rndis-host cdc-acm");
	self->emu->chatter = 200;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(wait_until(ums_result_is(0, "switched")));
	EXPECT_EQ(1, sent(self->emu, 4, "AT+CFUN=1,1\r"));
}

/* Others may have data interfaces, too, and nearer ones. */
TEST_F(ublox, is_told_where_its_descriptors_say)
{
	run_modprobe("-r rndis-host cdc-acm");
	self->emu->mode[0].config[0] = (struct emu_config){
		1, { EMU_ACM_CONTROL(3), EMU_ACM_DATA(2), EMU_ACM_DATA(4) } };
	self->emu->mode[0].config[0].intf[0].data = 2;
	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	EXPECT_TRUE(wait_until(ums_result_is(0, "switched")));
	EXPECT_EQ(1, sent(self->emu, 4, "AT+CFUN=1,1\r"));
	EXPECT_EQ(0, sent(self->emu, 2, "AT\r"));
}

/* As ModemManager has it, which learns that the port is gone. */
TEST_F(ublox, is_taken_from_a_program)
{
	char answer[64];
	int fd;

	run_modprobe("-r rndis-host");
	run_modprobe("cdc-acm");
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(usb_driver_is(0, 2, "cdc_acm")));
	ASSERT_TRUE(wait_until((fd = open("/dev/ttyACM0", O_RDWR | O_NOCTTY | O_NONBLOCK)) >= 0));
	EXPECT_EQ(3, write(fd, "AT\r", 3));
	ASSERT_EQ(0, ums_load(""));
	EXPECT_TRUE(wait_until(usb_device_is(0, &self->emu->mode[1])));
	EXPECT_TRUE(wait_until(ums_result_is(0, "switched")));
	while (read(fd, answer, sizeof(answer)) > 0)
		;
	EXPECT_EQ(-1, write(fd, "AT\r", 3));
	EXPECT_EQ(EIO, errno);
	close(fd);
	EXPECT_EQ(1, sent(self->emu, 4, "AT+CFUN=1,1\r"));
}

int main(int argc, char **argv)
{
	ums_test_begin();

	return test_harness_run(argc, argv);
}
