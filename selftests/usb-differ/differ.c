// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same device, switched by Debian's usb_modeswitch and by the module: what both
 * put on the wire agrees, or a row of differs.tsv says why not. All devices are
 * emulated, from their rows of the table, some of them at a time.
 */

#include "../lib/modeswitch.h"

#include "kselftest_harness.h"

#define TABLE	"/opt/modeswitch/table"
#define PACK	"/opt/modeswitch/pack/"
#define UDEVD	"/usr/lib/systemd/systemd-udevd"
#define LOG	"/tmp/log.%u"
#define UNCONFIGURE	"control0 0009000000000000\n"
#define INQUIRY \
	"out2 55534243010000002400000080000612000000240000000000000000000000\n"
#define MAX_WIRE	4096
#define MAX_PAIRS	6
#define POLL_US		50000	/* polling is most of what a guest executes */

struct row {
	char name[64], kind[8], text[24], gate[12], method[24];
	unsigned int vid, pid, arg, ep, script;
};

struct reason {
	char name[24], text[224];
	unsigned int used;
};

/* A device, and what either side sends to it. */
struct pair {
	struct row row;
	struct emu *emu;
	char ours[MAX_WIRE], theirs[MAX_WIRE];
};

static struct pair pairs[MAX_PAIRS];
static unsigned int nr_pairs;
static unsigned int agree, purpose, differ, alone;

static struct reason reasons[64];
static unsigned int nr_reasons;

static void read_reasons(void)
{
	char line[320];
	FILE *in = fopen("differs.tsv", "re");

	while (in && nr_reasons < 64 && fgets(line, sizeof(line), in)) {
		struct reason *reason = &reasons[nr_reasons];

		if (line[0] != '#' &&
		    sscanf(line, "%23[^\t]\t%223[^\n]", reason->name, reason->text) == 2)
			nr_reasons++;
	}
	if (in)
		fclose(in);
}

/* Their last command asks for data, and only ours goes on after it. */
static bool is_cut_short(const char *ours, const char *theirs)
{
	const char *next, *cbw = NULL;

	for (next = theirs; (next = strstr(next, "55534243")); next++)
		cbw = next;

	return cbw && !strncmp(cbw + 24, "80", 2) && strncmp(cbw + 16, "00000000", 8) &&
	       !strncmp(ours, theirs, strlen(theirs));
}

/* One has a line more than the other, which is this one. */
static bool is_the_same_but(const char *more, const char *line, const char *less)
{
	const char *at = strstr(more, line);

	return at && !strncmp(more, less, at - more) &&
	       !strcmp(at + strlen(line), less + (at - more));
}

/* What the difference is, if it is one of those that are wanted. */
static const char *difference(const char *ours, const char *theirs)
{
	if (is_the_same_but(theirs, UNCONFIGURE, ours))
		return "configuration 0";
	if (is_the_same_but(ours, INQUIRY, theirs))
		return "INQUIRY";

	return is_cut_short(ours, theirs) ? "data" : "";
}

static bool has_reason(const char *ours, const char *theirs)
{
	const char *what = difference(ours, theirs);
	unsigned int i;

	for (i = 0; i < nr_reasons; i++) {
		if (!strcmp(reasons[i].name, what)) {
			reasons[i].used++;
			return true;
		}
	}

	return false;
}

static bool parse(const char *line, struct row *row)
{
	return sscanf(line, "%63[^\t]\t%x\t%x\t%7[^\t]\t%23[^\t]\t%11[^\t]\t%23[^\t]\t%u\t%x\t%u",
		      row->name, &row->vid, &row->pid, row->kind, row->text, row->gate,
		      row->method, &row->arg, &row->ep, &row->script) == 10;
}

static void emulate_configs(const struct row *row, struct emu_mode *mode)
{
	const struct emu_config storage = { 1, { EMU_STORAGE } };
	const struct emu_config mbim = { 3, { EMU_MBIM(1), EMU_NET_DATA(2, 2) } };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		mode->config[i] = storage;
		mode->config[i].number = i + 1;
	}
	if (!strcmp(row->method, "mbim")) {
		mode->config[2] = mbim;
	} else if (row->arg == 1) {
		mode->config[0].number = 2;
		mode->config[1].number = 1;
	} else if (row->arg > 3) {
		mode->config[2].number = row->arg;
	}
}

static void emulate(const struct row *row, struct emu *emu)
{
	const struct emu_if hid = { 0x03, 0, 0, { { 0x81, 3 }, { 0x02, 3 } } };
	const struct emu_if vendor = { 0xff, 0, 0, { { 0x81, 2 }, { row->ep, 2 } } };
	const struct emu_if storage = EMU_STORAGE;
	const struct emu_if acm = EMU_ACM_CONTROL(1);
	struct emu_mode *mode = &emu->mode[0];

	memset(mode, 0, sizeof(*mode) * 2);
	mode->vid = row->vid;
	mode->pid = row->pid;
	snprintf(mode->manufacturer, 24, "%s", !strcmp(row->kind, "uMa") ? row->text : "Acme");
	snprintf(mode->product, 24, "%s", !strcmp(row->kind, "uPr") ? row->text : "Thing");
	snprintf(mode->scsi_vendor, 9, "%.8s", !strcmp(row->kind, "sVe") ? row->text : "Acme");
	snprintf(mode->scsi_model, 17, "%.16s", !strcmp(row->kind, "sMo") ? row->text : "Disk");
	mode->config[0].number = 1;
	mode->config[0].intf[0] = storage;
	if (!strcmp(row->gate, "HID"))
		mode->config[0].intf[0] = hid;
	else if (row->ep)
		mode->config[0].intf[0] = vendor;
	else if (!strcmp(row->method, "config") || !strcmp(row->method, "mbim"))
		emulate_configs(row, mode);

	emu->modes = 1;
	emu->switch_after = 0;
	if (!strcmp(row->method, "sony")) {
		/* It goes, and comes back as a modem with two configurations. */
		emu->mode[1] = *mode;
		emu->mode[1].config[0].intf[0] = acm;
		emu->mode[1].config[1] = emu->mode[1].config[0];
		emu->mode[1].config[1].number = row->arg;
		emu->modes = 2;
		emu->switch_after = 1;
		emu->away_ms = 500;
	}
}

/* What the host sent, in words. */
static void transcript(const struct emu *emu, char *wire)
{
	bool configured[8] = { false };
	unsigned int i, j;
	size_t at = 0;

	wire[0] = '\0';
	for (i = 0; i < emu->events && at < MAX_WIRE - 200; i++) {
		const struct emu_event *event = &emu->event[i];

		if (event->kind == EMU_SET_CONFIG && !configured[event->mode]) {
			configured[event->mode] = true;		/* the kernel's own */
			continue;
		}
		if (event->kind == EMU_IN || event->kind == EMU_PLUGGED)
			continue;
		at += sprintf(wire + at, "%s%u ", event->kind == EMU_OUT ? "out" : "control",
			      event->ep);
		for (j = 0; j < event->size; j++)
			at += sprintf(wire + at, "%02x", event->data[j]);
		at += sprintf(wire + at, "\n");
	}
}

/* Until a condition holds for all of them, or 20 s are over. */
#define wait_for_all(condition)						\
	do {								\
		long long __end = now_ms() + 20000;			\
		unsigned int __i = 0;					\
									\
		while (__i < nr_pairs && now_ms() < __end) {		\
			struct pair *pair = &pairs[__i];		\
									\
			if (condition)					\
				__i++;					\
			else						\
				usleep(POLL_US);			\
		}							\
	} while (0)

static void plug_all(void)
{
	unsigned int i;

	for (i = 0; i < nr_pairs; i++)
		emu_plug(pairs[i].emu);
	wait_for_all(usb_device_is(pair->emu->port, &pair->emu->mode[0]) || pair->emu->now);
}

static void unplug_all(bool ours)
{
	unsigned int i;

	for (i = 0; i < nr_pairs; i++) {
		emu_unplug(pairs[i].emu);
		transcript(pairs[i].emu, ours ? pairs[i].ours : pairs[i].theirs);
	}
	/* The hub sees it later than the port; the next one may have the same ID. */
	wait_for_all(!usb_device_read(pair->emu->port, "idVendor")[0]);
}

static unsigned int events(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr_pairs; i++)
		n += pairs[i].emu->events;

	return n;
}

static bool all_are_over(void)
{
	unsigned int i;

	for (i = 0; i < nr_pairs; i++)
		if (ums_result_is(pairs[i].emu->port, "working"))
			return false;

	return true;
}

/* Some are told to wait first. */
static bool all_have_sent(void)
{
	unsigned int i;

	for (i = 0; i < nr_pairs; i++)
		if (ums_result_is(pairs[i].emu->port, "working") &&
		    !atoll(ums_result(pairs[i].emu->port, "delay_us")))
			return false;

	return true;
}

static void by_module(void)
{
	unsigned int before = 0, quiet = 0;

	ums_set("enable", "1");
	file_write(UMS "rescan", "1");
	plug_all();
	/* Until all are over, or nothing comes for longer than a command waits. */
	while (quiet < 18 && !(quiet > 2 && all_are_over())) {
		usleep(200000);
		quiet = events() == before && all_have_sent() ? quiet + 1 : 0;
		before = events();
	}
	if (pairs[0].emu->modes > 1)
		sleep(8);
	unplug_all(true);
	ums_set("enable", "0");
}

/* Its command line, in words */
static void program_command(const struct pair *pair, char *line, size_t size)
{
	unsigned int port = pair->emu->port;
	char config[128];

	/* What the dispatcher does before: MBIM by its number, Pantech by QMI. */
	if (!strcmp(pair->row.method, "mbim"))
		sprintf(config, "-f Configuration=%u", 3);
	else if (!strcmp(pair->row.method, "pantech"))
		sprintf(config, "-f PantechMode=%u", pair->row.arg);
	else
		snprintf(config, sizeof(config), "-c " PACK "%s", pair->row.name);
	snprintf(line, size, "usb_modeswitch -W -D %s-b %s -g %s -v %04x -p %04x %s",
		 pair->emu->mode[0].config[1].number ? "" : "-u -1 ",
		 usb_device_read(port, "busnum"), usb_device_read(port, "devnum"),
		 pair->row.vid, pair->row.pid, config);
}

/* Without a shell, of which a thousand are not for nothing. */
static pid_t switch_by_program(const struct pair *pair)
{
	char line[256], log[24], *args[20], *word;
	unsigned int n = 0;
	pid_t pid = fork();

	if (pid)
		return pid;
	program_command(pair, line, sizeof(line));
	for (word = strtok(line, " "); word && n < 19; word = strtok(NULL, " "))
		args[n++] = word;
	args[n] = NULL;
	snprintf(log, sizeof(log), LOG, pair->emu->port);
	if (freopen(log, "w", stdout) && dup2(1, 2) >= 0)
		execvp(args[0], args);
	_exit(127);
}

static void by_program(void)
{
	pid_t pids[MAX_PAIRS];
	char command[64];
	unsigned int i;
	int status;

	plug_all();
	for (i = 0; i < nr_pairs; i++)
		pids[i] = switch_by_program(&pairs[i]);
	for (i = 0; i < nr_pairs; i++) {
		waitpid(pids[i], &status, 0);
		if (!status)
			continue;
		ksft_print_msg("%s: usb_modeswitch failed (%x)\n", pairs[i].row.name, status);
		snprintf(command, sizeof(command), "tail -n 12 " LOG, pairs[i].emu->port);
		system(command);
	}
	unplug_all(false);
	/* A guest that says nothing for two minutes is taken for dead. */
	ksft_print_msg("switched by usb_modeswitch: up to %s\n", pairs[nr_pairs - 1].row.name);
}

static void judge(const struct pair *pair)
{
	char command[64];

	if (!strcmp(pair->ours, pair->theirs) && pair->ours[0]) {
		agree++;
	} else if (has_reason(pair->ours, pair->theirs)) {
		purpose++;
	} else if (differ++ < 12) {
		ksft_print_msg("%s %s\nusb_modeswitch:\n%smodule:\n%s", pair->row.name,
			       pair->row.method, pair->theirs, pair->ours);
		snprintf(command, sizeof(command), "tail -n 25 " LOG, pair->emu->port);
		system(command);
	}
}

/* Both switch the devices that have come together. */
static void compare(void)
{
	bool returns = nr_pairs && pairs[0].emu->modes > 1;
	unsigned int i;

	if (!nr_pairs)
		return;
	/* Its library learns from udevd alone that a device has come back. */
	if (returns)
		system(UDEVD " --daemon");
	by_program();
	if (returns)
		system("killall systemd-udevd");
	by_module();
	for (i = 0; i < nr_pairs; i++)
		judge(&pairs[i]);
	ksft_print_msg("%u agree, %u differ on purpose, %u differ\n", agree, purpose, differ);
	nr_pairs = 0;
}

static void add(const struct row *row)
{
	bool returns = !strcmp(row->method, "sony");

	if (nr_pairs == MAX_PAIRS || (nr_pairs && returns == pairs[0].emu->modes == 1))
		compare();
	pairs[nr_pairs].row = *row;
	emulate(row, pairs[nr_pairs++].emu);
}

FIXTURE(wire) { };

FIXTURE_SETUP(wire)
{
	unsigned int i;

	for (i = 0; i < MAX_PAIRS; i++) {
		pairs[i].emu = emu_new(i);
		ASSERT_NE(NULL, pairs[i].emu);
	}
	ASSERT_EQ(0, ums_load("enable=0"));
}

FIXTURE_TEARDOWN(wire)
{
	unsigned int i;

	for (i = 0; i < MAX_PAIRS; i++)
		emu_delete(pairs[i].emu);
	EXPECT_EQ(0, ums_unload());
}

TEST_F_TIMEOUT(wire, is_that_of_usb_modeswitch, 50000)
{
	FILE *table = fopen(TABLE, "re");
	char line[256], path[128];
	const char *only = getenv("ONLY");	/* devices whose names begin so */
	unsigned int i;
	struct row row;

	if (!table)
		SKIP(return, "no usb_modeswitch and no data of it here");
	read_reasons();
	while (fgets(line, sizeof(line), table)) {
		ASSERT_TRUE(parse(line, &row));
		snprintf(path, sizeof(path), PACK "%s", row.name);
		if (access(path, F_OK))
			alone++;
		else if (!only || !strncmp(row.name, only, strlen(only)))
			add(&row);
	}
	compare();
	fclose(table);
	ksft_print_msg("of %u devices %u agree, %u differ on purpose, %u differ\n",
		       agree + purpose + differ, agree, purpose, differ);
	ksft_print_msg("%u more are not in the data\n", alone);
	for (i = 0; i < nr_reasons; i++) {
		ksft_print_msg("%u: %s\n", reasons[i].used, reasons[i].name);
		EXPECT_LT(0, reasons[i].used);
	}
	EXPECT_EQ(0, differ);
	EXPECT_LT(300, agree);
	EXPECT_LE(513, agree + purpose);
}

/* usb_modeswitch looks at all buses, of which vhci has 16. */
static void leave_one_controller(void)
{
	char name[16];
	int i;

	for (i = 1; i < 8; i++) {
		snprintf(name, sizeof(name), "vhci_hcd.%d", i);
		file_write("/sys/bus/platform/drivers/vhci_hcd/unbind", name);
	}
}

int main(int argc, char **argv)
{
	ums_test_begin();
	/* A thousand devices would fill a serial port for minutes. */
	file_write("/proc/sys/kernel/printk", "1");
	run_modprobe("-r usb-storage option cdc-mbim huawei-cdc-ncm cdc-ether cdc-acm");
	leave_one_controller();

	return test_harness_run(argc, argv);
}
