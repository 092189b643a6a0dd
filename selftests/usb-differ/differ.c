// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same device, switched by Debian's usb_modeswitch and by the module: what both
 * put on the wire agrees, or a row of differs.tsv says why not. The devices are
 * emulated from their rows of the table: one of each kind, or all of them if the
 * file "all" is there, which takes half an hour.
 */

#include "../lib/modeswitch.h"

#include "kselftest_harness.h"

#define TABLE	"/opt/modeswitch/table"
#define PACK	"/opt/modeswitch/pack/"
#define ALL	"/opt/modeswitch/all"
#define MAX_WIRE	4096

struct row {
	char name[64], kind[8], text[24], gate[12], method[24];
	unsigned int vid, pid, arg, ep, script;
};

struct reason {
	char name[64], text[224];
	bool used;
};

static struct reason reasons[64];
static unsigned int nr_reasons;

static void read_reasons(void)
{
	char line[320];
	FILE *in = fopen("differs.tsv", "re");

	while (in && nr_reasons < 64 && fgets(line, sizeof(line), in)) {
		struct reason *reason = &reasons[nr_reasons];

		if (line[0] != '#' &&
		    sscanf(line, "%63[^\t]\t%223[^\n]", reason->name, reason->text) == 2)
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

/* By the device's name, its method, or what it is about. */
static const char *reason_for(const struct row *row, const char *ours, const char *theirs)
{
	const char *about = is_cut_short(ours, theirs) ? "data" :
			    row->kind[0] == 's' ? "scsi-strings" : "";
	unsigned int i;

	for (i = 0; i < nr_reasons; i++) {
		if (!strcmp(reasons[i].name, row->name) || !strcmp(reasons[i].name, about) ||
		    !strcmp(reasons[i].name, row->method)) {
			reasons[i].used = true;
			return reasons[i].text;
		}
	}

	return NULL;
}

static bool parse(const char *line, struct row *row)
{
	return sscanf(line, "%63[^\t]\t%x\t%x\t%7[^\t]\t%23[^\t]\t%11[^\t]\t%23[^\t]\t%u\t%x\t%u",
		      row->name, &row->vid, &row->pid, row->kind, row->text, row->gate,
		      row->method, &row->arg, &row->ep, &row->script) == 10;
}

/* What decides about the wire, on either side. */
static bool is_first_of_its_kind(const struct row *row)
{
	static struct row seen[600];
	static unsigned int n;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (seen[i].script == row->script && seen[i].arg == row->arg &&
		    seen[i].ep == row->ep && !strcmp(seen[i].kind, row->kind))
			return false;
	if (n < ARRAY_SIZE(seen))
		seen[n++] = *row;

	return true;
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

static void by_module(struct emu *emu, char *wire)
{
	unsigned int before = 0, quiet = 0;
	long long tries;

	ums_set("enable", "1");
	file_write(UMS "rescan", "1");
	tries = ums_count("tries");
	emu_plug(emu);
	wait_until(usb_device_is(0, &emu->mode[0]) || emu->now);
	usleep(50000);
	/* Until it is over, or something was sent and nothing has come since for 1.5 s. */
	while (ums_count("tries") > tries && ums_result_is(0, "working") && quiet < 15) {
		usleep(100000);
		quiet = emu->events == before && atoll(ums_result(0, "delay_us")) ? quiet + 1 : 0;
		before = emu->events;
	}
	if (emu->modes > 1)
		sleep(8);
	emu_unplug(emu);
	transcript(emu, wire);
}

static void by_program(const struct row *row, struct emu *emu, char *wire)
{
	char command[512], config[128];

	ums_set("enable", "0");
	emu_plug(emu);
	wait_until(usb_device_is(0, &emu->mode[0]));
	usleep(100000);
	/* What the dispatcher does before: MBIM by its number, Pantech by QMI. */
	snprintf(config, sizeof(config), "-c '" PACK "%s'", row->name);
	if (!strcmp(row->method, "mbim"))
		sprintf(config, "-f Configuration=%u", 3);
	else if (!strcmp(row->method, "pantech"))
		sprintf(config, "-f PantechMode=%u", row->arg);
	snprintf(command, sizeof(command),
		 "usb_modeswitch -W -D %s -b %s -g %s -v %04x -p %04x %s >/tmp/theirs.log 2>&1",
		 emu->mode[0].config[1].number ? "" : "-u -1", usb_device_read(0, "busnum"),
		 usb_device_read(0, "devnum"), row->vid, row->pid, config);
	if (system(command)) {
		ksft_print_msg("%s: usb_modeswitch failed\n", row->name);
		system("tail -n 12 /tmp/theirs.log");
	}
	emu_unplug(emu);
	transcript(emu, wire);
}

FIXTURE(wire) { };

FIXTURE_SETUP(wire) { }

FIXTURE_TEARDOWN(wire) { }

TEST_F_TIMEOUT(wire, is_that_of_usb_modeswitch, 50000)
{
	static char ours[MAX_WIRE], theirs[MAX_WIRE];
	unsigned int agree = 0, purpose = 0, differ = 0, alone = 0, devices = 0;
	bool all = !access(ALL, F_OK);
	struct emu *emu = emu_new(0);
	FILE *table = fopen(TABLE, "re");
	char line[256];
	struct row row;

	ASSERT_NE(NULL, emu);
	if (!table)
		SKIP(return, "no usb_modeswitch and no data of it here");
	read_reasons();
	ASSERT_EQ(0, ums_load("enable=0"));
	while (fgets(line, sizeof(line), table)) {
		char path[128];

		ASSERT_TRUE(parse(line, &row));
		snprintf(path, sizeof(path), PACK "%s", row.name);
		if (access(path, F_OK)) {
			alone++;
			continue;
		}
		devices++;
		if (!is_first_of_its_kind(&row) && !all)
			continue;
		/* A guest that says nothing for two minutes is taken for dead. */
		if (!((agree + purpose + differ) % 10))
			ksft_print_msg("%s, after %u\n", row.name, agree + purpose + differ);
		emulate(&row, emu);
		by_program(&row, emu, theirs);
		by_module(emu, ours);
		if (!strcmp(ours, theirs) && ours[0]) {
			agree++;
		} else if (reason_for(&row, ours, theirs)) {
			purpose++;
		} else {
			differ++;
			if (differ < 12)
				ksft_print_msg("%s %s\nusb_modeswitch:\n%smodule:\n%s",
					       row.name, row.method, theirs, ours);
		}
	}
	ksft_print_msg("%u agree, %u differ on purpose, %u differ, of %u of %u devices\n",
		       agree, purpose, differ, agree + purpose + differ, devices);
	ksft_print_msg("%u more are not in the data\n", alone);
	EXPECT_EQ(0, differ);
	EXPECT_GT(agree, 40);
	EXPECT_GT(devices, 500);
	for (agree = 0; agree < nr_reasons; agree++)
		if (!reasons[agree].used)
			ksft_print_msg("no device needs the reason for %s\n",
				       reasons[agree].name);
	emu_delete(emu);
	EXPECT_EQ(0, ums_unload());
}

int main(int argc, char **argv)
{
	ums_test_begin();
	/* A thousand devices would fill a serial port for minutes. */
	file_write("/proc/sys/kernel/printk", "1");
	run_modprobe("-r usb-storage option cdc-mbim huawei-cdc-ncm cdc-ether cdc-acm");

	return test_harness_run(argc, argv);
}
