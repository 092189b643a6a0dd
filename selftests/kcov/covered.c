// SPDX-License-Identifier: GPL-2.0-only
/*
 * KCOV sees the pack's code: what a program does with a module's file is traced, and
 * addresses inside of the module are among what was run.
 */

#include "../lib/pack.h"

#include <linux/kcov.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#define KCOV	"/sys/kernel/debug/kcov"
#define ENTRIES	(64UL << 10)

FIXTURE(covered) {
	unsigned long *area;
	int fd;
};

FIXTURE_VARIANT(covered) {
	const char *module;
	const char *file;
	const char *text;	/* to be written; NULL: the file is read */
};

FIXTURE_VARIANT_ADD(covered, leds_identify) {
	.module = "leds_identify",
	.file = "/sys/class/leds/identify/brightness",
	.text = "1",
};

FIXTURE_VARIANT_ADD(covered, rtc_seed) {
	.module = "rtc_seed",
	.file = "/sys/class/misc/rtc-seed/state",
};

FIXTURE_VARIANT_ADD(covered, usb_modeswitch) {
	.module = "usb_modeswitch",
	.file = "/sys/module/usb_modeswitch/parameters/ignore",
};

FIXTURE_SETUP(covered)
{
	ASSERT_EQ(0, run_modprobe(variant->module));
	self->fd = open(KCOV, O_RDWR | O_CLOEXEC);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ioctl(self->fd, KCOV_INIT_TRACE, ENTRIES));
	self->area = mmap(NULL, ENTRIES * sizeof(*self->area), PROT_READ | PROT_WRITE,
			  MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->area);
}

FIXTURE_TEARDOWN(covered)
{
	char command[64];

	munmap(self->area, ENTRIES * sizeof(*self->area));
	close(self->fd);
	snprintf(command, sizeof(command), "-r %s", variant->module);
	EXPECT_EQ(0, run_modprobe(command));
}

/* The lowest and the highest function of a module. */
static void module_text(const char *module, unsigned long *first, unsigned long *last)
{
	char line[512], name[64], tag[72], type;
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long at;

	*first = ULONG_MAX;
	*last = 0;
	snprintf(tag, sizeof(tag), "[%s]", module);
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %c %*s %63s", &at, &type, name) != 3 ||
		    (type | 0x20) != 't' || strcmp(name, tag))
			continue;
		*first = at < *first ? at : *first;
		*last = at > *last ? at : *last;
	}
	if (file)
		fclose(file);
}

TEST_F(covered, its_code_is_traced)
{
	unsigned long first, last, count, i, inside = 0;

	ASSERT_EQ(0, ioctl(self->fd, KCOV_ENABLE, KCOV_TRACE_PC));
	__atomic_store_n(self->area, 0, __ATOMIC_RELAXED);
	if (variant->text)
		file_write(variant->file, variant->text);
	else
		file_read(variant->file);
	count = __atomic_load_n(self->area, __ATOMIC_RELAXED);
	ASSERT_EQ(0, ioctl(self->fd, KCOV_DISABLE, 0));

	module_text(variant->module, &first, &last);
	ASSERT_LT(0, first);
	ASSERT_LT(first, last);
	for (i = 1; i <= count; i++)
		inside += self->area[i] >= first && self->area[i] <= last;
	EXPECT_LT(0, inside)
		TH_LOG("%lu places, none from %#lx to %#lx", count, first, last);
}

int main(int argc, char **argv)
{
	if (access(KCOV, F_OK))
		ksft_exit_skip("this kernel has no KCOV\n");

	return test_harness_run(argc, argv);
}
