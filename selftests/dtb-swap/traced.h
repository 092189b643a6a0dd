/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that stops before and after each of its system calls.
 */
#ifndef TRACED_H
#define TRACED_H

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns the program, on its way to its first system call, or -1. */
static inline pid_t traced(char **argv)
{
	pid_t child = fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(argv[0], argv);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return -1;
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	ptrace(PTRACE_SYSCALL, child, 0, 0);
	return child;
}

#endif
