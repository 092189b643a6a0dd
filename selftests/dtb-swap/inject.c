// SPDX-License-Identifier: GPL-2.0-only
/*
 * Let one system call of a program fail, or kill it there.
 *
 * usage: inject N ERROR PROGRAM [ARG...]
 *
 * N counts from 1 after exec; ERROR is a number of errno, or 0 to kill, or -1 for a write that
 * is said to be done, or -2 for a call that is made after the shell has run $INTRUDER. A call
 * that fails is not made, and such a write neither; but close() is, as by the kernel. With N 0
 * nothing is done; the last line on standard error is always the number of calls. Exit status:
 * the program's, or 128 + signal.
 */

#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traced.h"

#ifndef __x86_64__
#error "this knows the registers of x86-64"
#endif

/* What cannot fail, and what the C library makes before main(), which nobody can catch. */
static int spared(long number)
{
	static const long calls[] = {
		SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_brk, SYS_arch_prctl,
		SYS_set_tid_address, SYS_set_robust_list, SYS_rseq, SYS_mprotect,
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i] == number)
			return 1;
	return 0;
}

/* Whether a call is one to fail in that way. */
static int is_meant(long number, long error)
{
	return !error || error == -2 || (error > 0 ? !spared(number) : number == SYS_write);
}

static int end_of(int status, long count)
{
	fprintf(stderr, "%ld\n", count);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The call is replaced by none, and its result by the error, or by the length of the write. */
static void fail_call(pid_t child, long error)
{
	struct user_regs_struct regs;
	long length;
	int status;

	ptrace(PTRACE_GETREGS, child, 0, &regs);
	length = regs.rdx;
	if (regs.orig_rax != SYS_close)
		regs.orig_rax = -1;
	ptrace(PTRACE_SETREGS, child, 0, &regs);
	ptrace(PTRACE_SYSCALL, child, 0, 0);
	waitpid(child, &status, 0);
	ptrace(PTRACE_GETREGS, child, 0, &regs);
	regs.rax = error > 0 ? -error : length;
	ptrace(PTRACE_SETREGS, child, 0, &regs);
}

static void intrude(void)
{
	const char *command = getenv("INTRUDER");

	if (!command || system(command))
		exit(2);
}

static int follow(pid_t child, long wanted, long error)
{
	int status, entering = 1;
	long count = 0;

	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		struct user_regs_struct regs;

		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			int other = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);

			ptrace(PTRACE_SYSCALL, child, 0, other);
			continue;
		}
		if (entering)
			ptrace(PTRACE_GETREGS, child, 0, &regs);
		if (entering && ++count == wanted && is_meant(regs.orig_rax, error)) {
			if (!error)
				kill(child, SIGKILL);
			else if (error == -2)
				intrude();
			else
				fail_call(child, error);
			entering = error == -2;
		}
		entering = !entering;
		ptrace(PTRACE_SYSCALL, child, 0, 0);
	}
	return end_of(status, count);
}

int main(int argc, char **argv)
{
	pid_t child;

	if (argc < 4)
		return 2;
	child = traced(argv + 3);
	if (child < 0)
		return 2;
	return follow(child, strtol(argv[1], NULL, 10), strtol(argv[2], NULL, 10));
}
