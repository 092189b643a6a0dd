// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a program that starts a kernel, as if the kernel that runs had kexec and a watchdog.
 *
 * usage: starter FOLDER FAIL PROGRAM [ARG...]
 *
 * What the program asks of kexec_load(), reboot() and a watchdog's ioctl() is not asked of the
 * kernel. FOLDER/calls gets a line for each, FOLDER/segmentN what was to be loaded. FAIL has the
 * names of those that fail, with EBUSY; with old, ioctl() does not know how to stop a watchdog,
 * and with long, that takes no such timeout.
 * A reboot that does not fail ends the program.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <linux/watchdog.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traced.h"

#ifndef __x86_64__
#error "this knows the registers of x86-64"
#endif

struct segment {
	void *data;
	size_t size;
	size_t at;
	size_t room;
};

static const char *folder, *failing;

static const char *name_of(const struct user_regs_struct *regs)
{
	if (regs->orig_rax == SYS_kexec_load)
		return regs->rsi ? "load" : "unload";
	if (regs->orig_rax == SYS_reboot)
		return "reboot";
	if (regs->orig_rax == SYS_ioctl && (unsigned int)regs->rsi == WDIOC_SETTIMEOUT)
		return "timeout";
	if (regs->orig_rax == SYS_ioctl && (unsigned int)regs->rsi == WDIOC_SETOPTIONS)
		return "disable";
	return NULL;
}

static FILE *open_in(const char *name, int number, const char *how)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), number < 0 ? "%s/%s" : "%s/%s%d", folder, name, number);
	file = fopen(path, how);
	if (!file)
		exit(2);
	return file;
}

static void read_from(pid_t child, void *to, void *from, size_t size)
{
	struct iovec local = { to, size }, remote = { from, size };

	if (process_vm_readv(child, &local, 1, &remote, 1, 0) != (ssize_t)size)
		exit(2);
}

static void keep_segments(pid_t child, const struct user_regs_struct *regs)
{
	size_t i;

	for (i = 0; i < regs->rsi; i++) {
		struct segment segment;
		FILE *file = open_in("segment", i, "w");
		char *data;

		read_from(child, &segment, (struct segment *)regs->rdx + i, sizeof(segment));
		data = malloc(segment.size);
		read_from(child, data, segment.data, segment.size);
		fwrite(data, 1, segment.size, file);
		fclose(file);
		free(data);
	}
}

/* The call is replaced by none, and its result is ours. */
static void answer(pid_t child, struct user_regs_struct *regs, const char *name)
{
	FILE *calls = open_in("calls", -1, "a");
	int status;

	fprintf(calls, "%s\n", name);
	fclose(calls);
	if (regs->orig_rax == SYS_kexec_load)
		keep_segments(child, regs);
	if (regs->orig_rax == SYS_reboot && !strstr(failing, name))
		kill(child, SIGKILL);
	regs->orig_rax = -1;
	ptrace(PTRACE_SETREGS, child, 0, regs);
	ptrace(PTRACE_SYSCALL, child, 0, 0);
	waitpid(child, &status, 0);
	ptrace(PTRACE_GETREGS, child, 0, regs);
	regs->rax = strstr(failing, name) ? -EBUSY : 0;
	if (!strcmp(name, "disable") && strstr(failing, "old"))
		regs->rax = -ENOTTY;
	if (!strcmp(name, "timeout") && strstr(failing, "long"))
		regs->rax = -EINVAL;
	ptrace(PTRACE_SETREGS, child, 0, regs);
}

static int follow(pid_t child)
{
	int status, entering = 1;

	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		struct user_regs_struct regs;
		const char *name = NULL;

		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			int other = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);

			ptrace(PTRACE_SYSCALL, child, 0, other);
			continue;
		}
		if (entering) {
			ptrace(PTRACE_GETREGS, child, 0, &regs);
			name = name_of(&regs);
		}
		if (name)
			answer(child, &regs, name);
		entering = name || !entering;
		ptrace(PTRACE_SYSCALL, child, 0, 0);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	pid_t child;

	if (argc < 4)
		return 2;
	folder = argv[1];
	failing = argv[2];
	child = traced(argv + 3);
	if (child < 0)
		return 2;
	return follow(child);
}
