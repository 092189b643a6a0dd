/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the running system stands on: what is needed, and what that needs.
 */
#ifndef NEEDS_H
#define NEEDS_H

#include "swap.h"

#define KEEP "begin with this board's own tree, and see what differs with dtb-swap diff"

#define MOST_USERS 16	/* of a GPIO or a pin, that are held against each other */

/**
 * struct need - a device that is needed, while its suppliers are looked at
 * @swap: the run
 * @running: the tree of the running kernel
 * @fdt: the tree to check
 * @what: needs it, for people
 * @level: of what is said
 * @seen: by offset in @fdt, the nodes that were looked at
 * @stood: the same for the whole check, of what the system cannot be without
 * @depth: how many references lead here
 * @usb: it is behind a USB host now
 * @kept: the last reference was of a LINK_KEPT property, whose drivers change
 * @from: the node that refers
 * @prop: the property that refers
 */
struct need {
	struct swap *swap;
	const void *running;
	const void *fdt;
	const char *what;
	enum level level;
	unsigned char *seen;
	unsigned char *stood;
	int depth;
	bool usb;
	bool kept;
	int from;
	const char *prop;
};

/**
 * typedef disk_fn - is told of a device that a mount is on
 * @point: where it is mounted
 * @device: in sysfs, from the root, or NULL where there is none
 * @data: as given
 */
typedef void disk_fn(const char *point, const char *device, void *data);

void complain(struct need *need, const char *mend, const char *format, const char *a,
	      const char *b);
bool node_used(const void *fdt, int node);
int whole_device(struct need *need, int old, int *new);
void follow(struct need *need, int node);
void follow_from(struct need *need, int node);
void check_kept(struct need *need, int node, int old, bool above);
bool same_value(const struct need *need, const void *was, const void *is, int length);
void check_names(struct need *need, int node, int old, bool above);
void check_values(struct need *need, int node, int old, bool above);
void check_irqs(struct need *need, int old, int new, bool above);

int number_of(const char *device, const char *stem);
void check_alias(struct need *need, int old, int new, const char *stem, int number);
void check_wire(struct need *need, int old, int new);
bool is_itself(const struct need *need, int old, int new);
void check_polled(struct need *need, int phy, int old);
void follow_parts(struct need *need, int node, int old);
void check_role(struct need *need, int node, int old);
void check_soldered(struct need *need, int old, int new);
void check_kind(struct need *need, const char *device, int old);
void check_memory(struct need need);
bool read_line(const void *fdt, int node, int prop, struct link *line);
bool same_wire(const struct need *need, const struct link *old, const struct link *new);
bool is_reset_line(const struct need *need, const struct link *line);
int lane_port(struct need *need, int lane, int old);
bool is_fixed(const void *fdt, int node);
void check_rails(struct need need);
void check_iommu(struct need *need, int device);
bool read_used_lines(struct dtb_lines *lines, const void *fdt);
void check_lines(struct need need);
bool is_within(const void *fdt, int node, int other);
void check_pins(struct need need);
void check_partners(struct need need);
void check_limits(struct need need);
void check_reserved(struct need need);

void each_disk(struct swap *swap, disk_fn *fn, void *data);

#endif
