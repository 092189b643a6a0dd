// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module goes at any moment, while devices come and go; and it copes with many
 * devices at once.
 */

#include "../lib/modeswitch.h"

#include "kselftest_harness.h"

#define CROWD	50

static void make_modem(struct emu *emu)
{
	emu->mode[0] = (struct emu_mode){
		0x12d1, 0x14fe, "HUAWEI", "HUAWEI Mobile", .config = { { 1, { EMU_STORAGE } } },
	};
	emu->mode[1] = (struct emu_mode){
		0x12d1, 0x1506, "HUAWEI", "HUAWEI Mobile",
		.config = { { 1, { EMU_SERIAL(1) } } },
	};
	emu->modes = 2;
	emu->switch_after = 1;
}

/* A kernel that checks all that it does takes minutes for 50. */
static unsigned int ports(void)
{
	unsigned int n = 0, wanted = access("/sys/kernel/debug/kmemleak", F_OK) ? CROWD : 15;
	bool free;

	while (n < wanted && emu_port_number(n, &free) >= 0)
		n++;

	return n;
}

FIXTURE(crowd) {
	struct emu *emu[CROWD];
	unsigned int n;
	int log;
};

FIXTURE_SETUP(crowd)
{
	unsigned int i;

	self->log = log_open();
	ASSERT_EQ(0, ums_unload());
	run_modprobe("usb-storage");
	self->n = ports();
	ASSERT_GE(self->n, 2);
	for (i = 0; i < self->n; i++) {
		self->emu[i] = emu_new(i);
		ASSERT_NE(NULL, self->emu[i]);
		make_modem(self->emu[i]);
	}
}

FIXTURE_TEARDOWN(crowd)
{
	unsigned int i;

	for (i = 0; i < self->n; i++)
		emu_delete(self->emu[i]);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

static unsigned int switched(struct emu *const *emu, unsigned int n)
{
	unsigned int i, count = 0;

	for (i = 0; i < n; i++)
		count += emu[i]->now == 1;

	return count;
}

TEST_F_TIMEOUT(crowd, is_switched_at_once, 200)
{
	unsigned int i;

	ASSERT_EQ(0, ums_load(""));
	for (i = 0; i < self->n; i++)
		ASSERT_TRUE(emu_plug(self->emu[i]));
	for (i = 0; i < 4; i++)
		if (wait_until(switched(self->emu, self->n) == self->n))
			break;
	EXPECT_EQ(self->n, switched(self->emu, self->n));
	EXPECT_EQ(self->n, ums_count("tries"));
	ksft_print_msg("%u devices\n", self->n);
}

/* All of them were there before; the silent ones do not keep the others waiting. */
TEST_F_TIMEOUT(crowd, is_switched_next_to_silent_ones, 200)
{
	unsigned int i;

	/* It would wait for the silent ones itself, and who takes them from it, too. */
	run_modprobe("-r usb-storage");
	for (i = 0; i < self->n; i++) {
		if (i % 2)
			self->emu[i]->fault = EMU_NAK_OUT;
		ASSERT_TRUE(emu_plug(self->emu[i]));
	}
	for (i = 0; i < self->n; i++)
		ASSERT_TRUE(wait_until(self->emu[i]->events > 1));
	ASSERT_EQ(0, ums_load(""));
	EXPECT_TRUE(wait_until(switched(self->emu, self->n) == (self->n + 1) / 2));
}

TEST_F_TIMEOUT(crowd, module_goes_at_any_moment, 250)
{
	int i, n = self->n < 4 ? self->n : 4;

	for (i = 0; i < 30; i++) {
		struct emu *emu = self->emu[i % n];

		emu->fault = i % 5 == 4 ? EMU_NAK_IN : EMU_GOOD;
		emu->returns = i % 3 == 0;
		ASSERT_TRUE(emu_unplug(emu));
		ASSERT_TRUE(emu_plug(emu));
		ASSERT_EQ(0, ums_load(""));
		usleep(i * i * 500);
		EXPECT_EQ(0, ums_unload());
	}
}

/* Two modules come and go, while devices do. */
TEST_F_TIMEOUT(crowd, storage_driver_goes_too, 250)
{
	int i, n = self->n < 4 ? self->n : 4;
	pid_t pid = fork();

	if (!pid) {
		for (;;) {
			run_modprobe("-r usb-storage");
			run_modprobe("usb-storage");
		}
	}
	for (i = 0; i < 20; i++) {
		struct emu *emu = self->emu[i % n];

		ASSERT_TRUE(emu_unplug(emu));
		ASSERT_TRUE(emu_plug(emu));
		ASSERT_EQ(0, ums_load(""));
		usleep(i * i * 1000);
		EXPECT_EQ(0, ums_unload());
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	usleep(300000);
	run_modprobe("usb-storage");
}

/* The module goes in each state that a device can be in, at once, and comes again. */
FIXTURE(state) {
	struct emu *emu;
	int log;
};

FIXTURE_VARIANT(state) {
	__u16 vid, pid;
	enum emu_fault fault;
	unsigned int switch_after;
	bool returns;
	const char *result;	/* of the port, in that state */
	unsigned int transfers;	/* so many, at least */
	const char *driver;	/* that has the first interface afterwards */
};

FIXTURE_VARIANT_ADD(state, delayed) {
	.vid = 0x1c9e, .pid = 0xf000, .result = "working", .driver = "usb-storage",
};

FIXTURE_VARIANT_ADD(state, command_waits) {
	.vid = 0x12d1, .pid = 0x14fe, .fault = EMU_NAK_OUT, .result = "working", .transfers = 1,
	.driver = "usb-storage",
};

FIXTURE_VARIANT_ADD(state, status_waits) {
	.vid = 0x12d1, .pid = 0x14fe, .fault = EMU_NAK_IN, .result = "working", .transfers = 2,
	.driver = "usb-storage",
};

FIXTURE_VARIANT_ADD(state, request_waits) {
	.vid = 0x1199, .pid = 0x0fff, .fault = EMU_NAK_CONTROL, .result = "working",
	.transfers = 1, .driver = NULL,		/* its own probe is kept waiting */
};

FIXTURE_VARIANT_ADD(state, asked_for_strings) {
	.vid = 0x05c6, .pid = 0x1000, .fault = EMU_NAK_IN, .result = "working", .transfers = 2,
	.driver = NULL,
};

FIXTURE_VARIANT_ADD(state, is_to_go) {
	.vid = 0x12d1, .pid = 0x14fe, .result = "working", .transfers = 4,
	.driver = "usb-storage",
};

FIXTURE_VARIANT_ADD(state, failed) {
	.vid = 0x12d1, .pid = 0x14fe, .fault = EMU_STALL_OUT, .result = "failed",
	.driver = "usb-storage",
};

FIXTURE_VARIANT_ADD(state, sent) {
	.vid = 0x12d1, .pid = 0x14fe, .switch_after = 1, .result = "sent", .driver = NULL,
};

FIXTURE_VARIANT_ADD(state, switched) {
	.vid = 0x12d1, .pid = 0x14fe, .switch_after = 1, .result = "switched",
	.driver = "option",
};

FIXTURE_VARIANT_ADD(state, guarded) {
	.vid = 0x12d1, .pid = 0x14fe, .switch_after = 1, .returns = true, .result = "guarded",
	.driver = "usb-storage",
};

FIXTURE_SETUP(state)
{
	self->log = log_open();
	ASSERT_EQ(0, ums_unload());
	run_modprobe(variant->driver ? "usb-storage" : "-r usb-storage");
	self->emu = emu_new(0);
	ASSERT_NE(NULL, self->emu);
	make_modem(self->emu);
	self->emu->mode[0].vid = variant->vid;
	self->emu->mode[0].pid = variant->pid;
	self->emu->fault = variant->fault;
	self->emu->switch_after = variant->switch_after;
	self->emu->returns = variant->returns;
	self->emu->modes = variant->returns ? 1 : 2;
	self->emu->away_ms = 200;
}

FIXTURE_TEARDOWN(state)
{
	emu_delete(self->emu);
	EXPECT_EQ(0, ums_unload());
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F(state, module_goes)
{
	long long begin;

	ASSERT_EQ(0, ums_load(""));
	ASSERT_TRUE(emu_plug(self->emu));
	ASSERT_TRUE(wait_until(ums_result_is(0, variant->result) &&
			       self->emu->transfers >= variant->transfers));
	begin = now_ms();
	EXPECT_EQ(0, ums_unload());
	EXPECT_LT(now_ms() - begin, 3000);
	if (variant->driver)
		EXPECT_TRUE(wait_until(usb_driver_is(0, 0, variant->driver)));
	EXPECT_EQ(0, ums_load(""));
}

static bool device_sleeps(void)
{
	return !usb_device_write(0, "power/autosuspend_delay_ms", "0") &&
	       !usb_device_write(0, "power/control", "auto") &&
	       wait_until(!strcmp(usb_device_read(0, "power/runtime_status"), "suspended"));
}

/* Woken by its job, which is over before the delay that begins by that. */
TEST(module_goes_after_it_woke_a_device)
{
	struct emu *emu = emu_new(0);
	int log = log_open();

	ASSERT_NE(NULL, emu);
	run_modprobe("-r usb-storage");
	emu->mode[0] = (struct emu_mode){
		0x2020, 0x2030, "Olicard", "600", .config = { { 1, { { 0x08, 0x06, 0x50 } } } },
	};
	emu->modes = 1;
	EXPECT_EQ(0, ums_unload() ?: ums_load("enable=0"));
	EXPECT_TRUE(emu_plug(emu));
	EXPECT_TRUE(wait_until(usb_device_is(0, &emu->mode[0])));
	EXPECT_TRUE(device_sleeps());
	EXPECT_EQ(0, ums_set("enable", "1"));
	EXPECT_TRUE(wait_until(ums_result_is(0, "failed")));
	EXPECT_EQ(0, ums_unload());
	usleep(2500000);
	EXPECT_EQ(0, log_reports(log));
	emu_delete(emu);
	close(log);
}

int main(int argc, char **argv)
{
	ums_test_begin();

	return test_harness_run(argc, argv);
}
