// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system hibernates: its image goes to the disk, the machine is reset, and
 * this program, which runs again then, has the image restored, in which it goes on.
 */

#include "../lib/clock.h"

#include "kselftest_harness.h"

#define DISK		"/dev/vda"
#define SIGNATURE	(sysconf(_SC_PAGESIZE) - 10)

static bool disk_has_image(void)
{
	int fd = open(DISK, O_RDONLY | O_CLOEXEC);
	char text[10] = "";

	if (fd >= 0) {
		pread(fd, text, sizeof(text), SIGNATURE);
		close(fd);
	}

	return !memcmp(text, "S1SUSPEND", 9);
}

FIXTURE(hibernate) {
	int log;
};

FIXTURE_SETUP(hibernate)
{
	self->log = log_open();
}

FIXTURE_TEARDOWN(hibernate)
{
	EXPECT_EQ(0, log_reports(self->log));
	close(self->log);
}

TEST_F_TIMEOUT(hibernate, clock_and_module_go_on, 240)
{
	ASSERT_EQ(0, system("mkswap " DISK " >/dev/null && swapon " DISK));
	ASSERT_EQ(0, seed_load("interval=1"));
	ASSERT_EQ(0, clock_set(RIGHT));
	ASSERT_EQ(0, seed_write("disciplined", "1"));
	ASSERT_EQ(0, file_write("/sys/power/disk", "reboot"));
	/* This returns 0 in the restored image, and nowhere else. */
	ASSERT_EQ(0, file_write("/sys/power/state", "disk"));

	EXPECT_GE(clock_sec(), RIGHT);
	EXPECT_LT(clock_sec(), RIGHT + 600);
	EXPECT_TRUE(seed_reads("state", "disciplined"));
	ASSERT_EQ(0, seed_unload());
	EXPECT_EQ(0, system("swapoff " DISK));
}

int main(int argc, char **argv)
{
	clock_test_in_bench("virt-sleep");
	if (access(DISK, F_OK) || access("/sys/power/disk", W_OK))
		ksft_exit_skip("no disk to hibernate to, or a kernel that does not\n");
	if (disk_has_image()) {
		file_write("/sys/power/resume", file_read("/sys/block/vda/dev"));
		ksft_exit_fail_msg("the image was not restored\n");
	}

	return test_harness_run(argc, argv);
}
