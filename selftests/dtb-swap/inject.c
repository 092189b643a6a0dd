// SPDX-License-Identifier: GPL-2.0-only
/*
 * Let one system call of a program fail, or kill it there.
 *
 * usage: inject N ERROR PROGRAM [ARG...]
 *
 * N counts from 1 after exec; ERROR is a number of errno, or 0 to kill, or -1 for a write that
 * is said to be done, or -2 for a call that is made after the shell has run $INTRUDER. A call
 * that fails is not made, and such a write neither; but close() is, as by the kernel. With N 0
 * nothing is done, and the last two lines on standard error are the calls where that ERROR makes
 * a difference, and the number of all calls. Exit status: the program's, or 128 + signal.
 */

#include <fcntl.h>
#include <sched.h>
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

static int is_one_of(const long *calls, size_t count, long number)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (calls[i] == number)
			return 1;
	return 0;
}

/* What cannot fail, and what the C library makes before main(), which nobody can catch. */
static int spared(long number)
{
	static const long calls[] = {
		SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_brk, SYS_arch_prctl,
		SYS_set_tid_address, SYS_set_robust_list, SYS_rseq, SYS_mprotect,
	};

	return is_one_of(calls, sizeof(calls) / sizeof(*calls), number);
}

/* Whether a call leaves all files as they are. */
static int only_looks(const struct user_regs_struct *regs)
{
	static const long calls[] = {
		SYS_read, SYS_pread64, SYS_readlink, SYS_readlinkat, SYS_stat, SYS_lstat, SYS_fstat,
		SYS_newfstatat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_access, SYS_faccessat,
		SYS_faccessat2, SYS_getdents64, SYS_lseek, SYS_fadvise64, SYS_fcntl, SYS_flock,
		SYS_close, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_brk, SYS_uname,
		SYS_getrandom,
	};

	if (regs->orig_rax == SYS_openat)
		return !(regs->rdx & (O_ACCMODE | O_CREAT | O_TRUNC));
	return is_one_of(calls, sizeof(calls) / sizeof(*calls), regs->orig_rax);
}

/* Whether a call is one to fail in that way. */
static int is_meant(long number, long error)
{
	return !error || error == -2 || (error > 0 ? !spared(number) : number == SYS_write);
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

/* What happens to the call that is meant. */
static void meet(pid_t child, long error)
{
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, child, 0, &regs);
	if (!is_meant(regs.orig_rax, error))
		return;
	if (!error)
		kill(child, SIGKILL);
	else if (error == -2)
		intrude();
	else
		fail_call(child, error);
}

/* Note a call that is meant; those to kill it only where a file may be another than before. */
static void note(FILE *notes, pid_t child, long count, long error)
{
	static int changed = 1;
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, child, 0, &regs);
	if (is_meant(regs.orig_rax, error) && (error || changed))
		fprintf(notes, "%ld ", count);
	changed = !only_looks(&regs);
}

static int follow(pid_t child, long wanted, long error)
{
	int status, entering = 1, how = PTRACE_SYSCALL;
	char *text = NULL;
	size_t length;
	FILE *notes = open_memstream(&text, &length);
	long count = 0;

	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
		int other = 0;

		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (entering && ++count == wanted) {
				meet(child, error);
				how = PTRACE_CONT;
			} else if (entering && !wanted) {
				note(notes, child, count, error);
			}
			entering = !entering;
		} else if (WSTOPSIG(status) != SIGTRAP) {
			other = WSTOPSIG(status);
		}
		ptrace(how, child, 0, other);
	}
	fclose(notes);
	if (!wanted)
		fprintf(stderr, "%s\n%ld\n", text, count);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Of two processes that take turns neither waits for another processor to wake up. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

int main(int argc, char **argv)
{
	pid_t child;

	if (argc < 4)
		return 2;
	stay_here();
	child = traced(argv + 3);
	if (child < 0)
		return 2;
	return follow(child, strtol(argv[1], NULL, 10), strtol(argv[2], NULL, 10));
}
