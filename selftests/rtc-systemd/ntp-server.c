// SPDX-License-Identifier: GPL-2.0-only
/*
 * An NTP server (RFC 5905) on the loopback interface, whose time is its own: it
 * follows the raw hardware clock, whatever happens to the clock of the system,
 * and is faster by as much as a crystal may be slow. A guest's clock is exact,
 * so that a client would have nothing to correct but noise.
 *
 * usage: ntp-server PORT SECONDS	what the time is when it starts, since 1970
 */

#include <arpa/inet.h>
#include <endian.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define NTP_1970	2208988800ULL	/* seconds from 1900 */
#define NTP_SERVER	0x24		/* no leap second, version 4, mode server */
#define NTP_PRECISION	0xec		/* 2^-20 s */
#define FASTER		100000		/* 10 ppm */

struct ntp_packet {
	__u8 mode, stratum, poll, precision;
	__u32 root_delay, root_dispersion;
	char reference[4];
	__u64 referenced, origin, received, sent;
};

static __s64 raw_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);

	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Seconds and their fraction, 32 bits each. */
static __u64 ntp_time(__s64 ns)
{
	__u64 sec = ns / 1000000000 + NTP_1970;
	__u64 fraction = ((__u64)(ns % 1000000000) << 32) / 1000000000;

	return htobe64(sec << 32 | fraction);
}

static void answer(struct ntp_packet *packet, __s64 ns)
{
	packet->mode = NTP_SERVER;
	packet->stratum = 1;
	packet->precision = NTP_PRECISION;
	packet->root_delay = 0;
	packet->root_dispersion = 0;
	memcpy(packet->reference, "TEST", sizeof(packet->reference));
	packet->origin = packet->sent;
	packet->referenced = ntp_time(ns);
	packet->received = packet->referenced;
	packet->sent = packet->referenced;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct sockaddr_in client;
	struct ntp_packet packet;
	socklen_t length;
	__s64 start = raw_ns(), ahead, since;
	int fd;

	if (argc != 3)
		return EXIT_FAILURE;
	ahead = atoll(argv[2]) * 1000000000;
	address.sin_port = htons(atoi(argv[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		perror("ntp-server");
		return EXIT_FAILURE;
	}

	for (;;) {
		length = sizeof(client);
		if (recvfrom(fd, &packet, sizeof(packet), 0,
			     (struct sockaddr *)&client, &length) != sizeof(packet))
			continue;
		since = raw_ns() - start;
		answer(&packet, ahead + since + since / FASTER);
		sendto(fd, &packet, sizeof(packet), 0,
		       (struct sockaddr *)&client, length);
	}
}
