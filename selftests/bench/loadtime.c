// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a module takes to load: from the call of finit_module() to its
 * return, several times, in nanoseconds.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);

	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char *argv[])
{
	long long start;
	int fd, i;

	if (argc != 4) {
		fprintf(stderr, "usage: %s FILE MODULE TIMES\n", argv[0]);
		return 2;
	}

	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	for (i = 0; i < atoi(argv[3]); i++) {
		start = now();
		if (syscall(SYS_finit_module, fd, "", 0)) {
			perror(argv[1]);
			return 1;
		}
		printf("load %s %lld\n", argv[2], now() - start);
		fflush(stdout);
		syscall(SYS_delete_module, argv[2], O_NONBLOCK);
	}

	return 0;
}
