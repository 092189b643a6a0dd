// SPDX-License-Identifier: GPL-2.0-only
/*
 * The best that a program can do to blink an LED through its brightness file:
 * edges are due at times counted from the start, so that being late once does
 * not make all that follow late.
 */

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SEC	1000000000L
#define STEP		200000000L

static int set(const char *path, const char *level)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, level, 1) != 1) {
		perror(path);
		return -1;
	}

	return close(fd);
}

int main(int argc, char *argv[])
{
	struct timespec due;
	int on = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s BRIGHTNESS-FILE\n", argv[0]);
		return 2;
	}

	clock_gettime(CLOCK_MONOTONIC, &due);
	for (;;) {
		on = !on;
		if (set(argv[1], on ? "1" : "0"))
			return 1;

		due.tv_nsec += STEP;
		if (due.tv_nsec >= NS_PER_SEC) {
			due.tv_nsec -= NS_PER_SEC;
			due.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	}
}
