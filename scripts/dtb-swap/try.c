// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start with a tree once, keep it if it is good, give it up if nobody says so.
 *
 * By kexec nothing that a cold start reads is changed until the commit. Where the kernel has no
 * kexec, a tree can be installed pending: the guard goes back at the next start.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/reboot.h>
#include <unistd.h>

#include "cli.h"
#include "install.h"
#include "try.h"

static char *find_kernel(struct swap *swap, size_t *size)
{
	static const char *const names[] = {
		"/mnt/sysroot/active/boot/Image", "/boot/Image",
		"/mnt/sysroot/active/boot/zImage", "/boot/zImage",
	};
	char *release = sys_line(swap, "/proc/sys/kernel/osrelease"), *path, *data = NULL;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names) && !data; i++)
		data = sys_read(swap, names[i], size);
	path = data ? NULL : format_text("/boot/vmlinuz-%s", release ? release : "");
	if (path)
		data = sys_read(swap, path, size);
	free(path);
	free(release);
	return data;
}

static void refuse_kernel(struct call *call, int error)
{
	if (!call->kernel)
		refuse(&call->swap, KIND_KERNEL, "name it with --kernel, or try --pending",
		       "the file of the running kernel was not found, or is broken");
	else
		refuse(&call->swap, KIND_KERNEL, "name a file that has a kernel", "%s: %s",
		       call->kernel, error ? strerror(error) : "it is broken");
}

/* A kernel that is packed with gzip is unpacked. */
static bool read_kernel(struct call *call, struct start *start)
{
	size_t size = 0, length;
	char *data = call->kernel ? sys_read(&call->swap, call->kernel, &size) :
				    find_kernel(&call->swap, &size), *image;
	int error = data ? 0 : errno;

	if (data && size > 2 && !memcmp(data, "\x1f\x8b", 2)) {
		image = inflate_gzip((unsigned char *)data, size, &length);
		free(data);
		data = image;
		size = length;
	}
	if (!data)
		refuse_kernel(call, error);
	start->kernel.data = data;
	start->kernel.size = size;
	return data;
}

/* The root file system may be mounted from there. */
static void initrd_traps(struct swap *swap)
{
	void *running = sys_tree(swap);
	int node = running ? fdt_path_offset(running, "/chosen") : -1;

	if (node >= 0 && fdt_getprop(running, node, "linux,initrd-start", NULL))
		say(&swap->report, LEVEL_WARNING, KIND_KERNEL, "name its initramfs with --initrd",
		    "the running kernel was started with an initramfs, this one has none");
	free(running);
}

static bool read_initrd(struct call *call, struct start *start)
{
	if (!call->initrd) {
		initrd_traps(&call->swap);
		return true;
	}
	start->initrd.data = sys_read(&call->swap, call->initrd, &start->initrd.size);
	if (!start->initrd.data)
		refuse(&call->swap, KIND_ERROR, "name a file that can be read", "%s: %s",
		       call->initrd, strerror(errno));
	return start->initrd.data;
}

/* Overlays go on here as there, but not what stands behind a filter, nor parameters. */
static void firmware_traps(const struct place *place)
{
	bool config = place->family && place->family->how == HOW_CONFIG;
	char *text = config && place->text ? strdup(place->text) : NULL, *next = text, *line;

	while (next && (line = strsep(&next, "\n"))) {
		line += strspn(line, " \t");
		if (strncmp(line, "dtparam=", 8) && strncmp(line, "include ", 8) &&
		    (strncmp(line, "dtoverlay=", 10) || !strpbrk(line, ",:")) && *line != '[')
			continue;
		if (!strncmp(line, "[all]", 5))
			continue;
		say(&place->swap->report, LEVEL_WARNING, KIND_OVERLAY,
		    "expect what it does only from the next cold start on",
		    "config.txt has \"%.*s\", which the firmware does, not this trial",
		    (int)strcspn(line, "\r"), line);
		break;
	}
	free(text);
}

/* Whether a reset is on a tree that has never run. */
static bool is_unproven(const struct place *place)
{
	struct state state;
	bool unproven;

	if (!place->family)
		return false;
	state_read(&state, place);
	unproven = never_ran(place, &state);
	state_free(&state);
	return unproven;
}

/* All that has to be in memory; nothing is loaded. */
static bool prepare(struct call *call, const struct place *place, const void *fdt,
		    const char *name, struct start *start)
{
	struct swap *swap = &call->swap;
	void *started = tree_started(swap, fdt);
	void *tree = start_tree(swap, started ? started : fdt, name);

	free(started);
	if (!tree)
		return false;
	if (is_unproven(place))	/* without room the trial goes on, and only that is forgotten */
		fdt_setprop_string(tree, fdt_path_offset(tree, "/chosen"), UNSTARTED, place->value);
	start->tree = (struct part){ .data = tree, .size = fdt_totalsize(tree) };
	start->tree.room = start->tree.size;
	return read_kernel(call, start) && read_initrd(call, start) && start_place(swap, start) &&
	       start_chosen(swap, tree, start);
}

/* The tree is kept for the commit; nothing selects it. */
static bool keep_tree(struct place *place, const void *fdt, const char *name)
{
	unsigned long writable;
	bool good;
	size_t size = fdt_totalsize(fdt);

	if (!place->family)
		return true;
	if (store_same(place->swap, place->trees, name, fdt, size))
		return true;
	if (!store_ready(place->swap, place->trees, size, &writable))
		return false;
	good = store_write(place->swap, place->trees, name, fdt, size);
	store_done(place->swap, place->trees, writable);
	return good;
}

/*
 * Of who hangs up, or interrupts a trial. systemctl itself can be interrupted, but goes on where
 * the system that goes down for the trial closes the terminal before it has answered. Not
 * SIGTERM, by which such a system ends who would undo it.
 */
static void hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	if (how == SIG_BLOCK)
		sigaddset(&set, SIGHUP);
	sigprocmask(how, &set, NULL);
}

/**
 * systemctl() - ask systemd for something
 * @verb: what
 *
 * Return: its exit status, 127 where it is not there, 128 where it was killed
 */
int systemctl(const char *verb)
{
	int status = 127 << 8;
	pid_t child = fork();

	if (!child) {
		hold_signals(SIG_UNBLOCK);
		execlp("systemctl", "systemctl", verb, NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void start_now(struct call *call)
{
	struct swap *swap = &call->swap;
	int status;

	tell(call);
	sync();
	status = sys_exists(swap, "/run/systemd/system") ? systemctl("kexec") : 127;
	if (!status)
		return;
	if (status != 127) {
		refuse(swap, KIND_KERNEL, "see the system's log: journalctl -e",
		       "systemctl kexec: exit status %d", status);
		return;
	}
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	refuse(swap, KIND_KERNEL, "see the kernel's log", "kexec: %s", strerror(errno));
}

/* Without the guard a pending tree just stays, and a trial goes on until something resets it. */
static void guard_traps(struct swap *swap, enum level level)
{
	if (!guard_starts(swap))
		say(&swap->report, level, KIND_NOTHING,
		    "systemctl enable dtb-swap-guard, or start dtb-swap guard in each start",
		    "nothing is known to start the guard, without which nothing goes back");
}

/* What happens next, and where it ends otherwise. */
static void tell_next(struct call *call, const struct place *place, const char *name)
{
	struct report *report = &call->swap.report;
	const char *old = place->value ? place->value : "the bootloader's own tree";

	fact(report, "tried", "%s, by kexec", name);
	fact(report, "next", "%s%s; a reset is on %s",
	     call->load ? "systemctl kexec starts it" : "it is started now",
	     place->family ? ", commit in time (guard: 300 s)" : "", old);
	if (call->load && call->watchdog)
		say(report, LEVEL_WARNING, KIND_KERNEL, "systemctl kexec, at once",
		    "%s runs, and resets the device", call->watchdog);
	if (is_unproven(place))
		say(report, LEVEL_WARNING, KIND_NOTHING,
		    "dtb-swap rollback, or start the device with it first",
		    "a reset is on %s, which has not run", old);
}

/*
 * What fails leaves nothing behind: a loaded kernel would be started by any kexec to come. From
 * here to the end, which is near, who interrupts it does not keep that from being undone and told.
 */
static void arm_and_start(struct call *call, const struct start *start,
			  const struct place *place, const char *name)
{
	struct swap *swap = &call->swap;
	bool loaded;
	int dog;

	hold_signals(SIG_BLOCK);
	dog = watchdog_arm(call);
	loaded = !verdict(&swap->report) && start_load(swap, start);
	if (loaded)
		tell_next(call, place, name);
	if (loaded && !call->load && !verdict(&swap->report))
		start_now(call);
	if (loaded && verdict(&swap->report))
		start_unload();
	watchdog_close(call, dog, verdict(&swap->report));
}

/* What may be refused comes first, then what is written, then what would have to be undone. */
static void try_now(struct call *call, struct place *place, const void *fdt, const char *name)
{
	struct start start = { 0 };

	if (prepare(call, place, fdt, name, &start) && keep_tree(place, fdt, name)) {
		guard_traps(&call->swap, LEVEL_WARNING);
		firmware_traps(place);
		arm_and_start(call, &start, place, name);
	}
	free((void *)start.kernel.data);
	free((void *)start.initrd.data);
	free((void *)start.tree.data);
}

/* By kexec a tree can be tried also where the bootloader cannot be told. */
static bool find_place(struct call *call, struct place *place)
{
	if (place_open(place, &call->swap))
		return true;
	if (!call->pending && !place->family)
		soften(&call->swap.report);
	return !verdict(&call->swap.report);
}

/**
 * run_try() - the verb try
 * @call: the tree, or the overlays
 */
void run_try(struct call *call)
{
	struct swap *swap = &call->swap;
	struct place place = { 0 };
	struct lock lock;
	bool alone = lock_take(&lock, swap);
	char *name = NULL;
	void *fdt = NULL;

	if (alone && find_place(call, &place))
		fdt = wanted_tree(call, &place, &name);
	if (fdt && call->pending) {
		guard_traps(swap, LEVEL_REFUSAL);
		if (!verdict(&swap->report) && install_tree(&place, fdt, name, true))
			guard_forget(swap);
	} else if (fdt) {
		if (place.family) {
			select_traps(&place, name, fdt_totalsize(fdt));
			taken_try(&place);
		}
		watchdog_check(call);
		if (place.family && !verdict(&swap->report))
			place_overlays(&place, fdt);
		if (!verdict(&swap->report))
			try_now(call, &place, fdt, name);
	}
	free(name);
	free(fdt);
	place_close(&place);
	lock_drop(&lock);
}
