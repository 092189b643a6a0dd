// SPDX-License-Identifier: GPL-2.0-only

static const struct of_device_id bad_match[] = {
	{ .compatible = "balena,demo" },
	{ }
};
