/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel tells of devices, for tests in C.
 */
#ifndef PACK_UEVENT_H
#define PACK_UEVENT_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* Returns what uevents_have() reads from, from now on, or -1. */
static inline int uevents_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT);

	return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -1 : fd;
}

/* Whether there has been one with both texts since the last look. */
static inline bool uevents_have(int fd, const char *event, const char *words)
{
	char buf[8192];
	ssize_t len, i;
	bool found = false;

	while ((len = recv(fd, buf, sizeof(buf) - 1, 0)) > 0) {
		for (i = 0; i < len; i++)
			if (!buf[i])
				buf[i] = ' ';
		buf[len] = '\0';
		found |= strstr(buf, event) && strstr(buf, words);
	}

	return found;
}

#endif /* PACK_UEVENT_H */
