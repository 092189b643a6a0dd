// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memory that fails when a test says so, for a node "boardpack,memory-fake". What
 * it holds stays while it is unbound.
 */

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/nvmem-provider.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/string.h>

static int read_error;
module_param(read_error, int, 0644);
MODULE_PARM_DESC(read_error, "what reading returns");

static int write_error;
module_param(write_error, int, 0644);
MODULE_PARM_DESC(write_error, "what writing returns");

static bool blank;
module_param(blank, bool, 0644);
MODULE_PARM_DESC(blank, "whether it is read as if nobody had ever written to it");

static unsigned int writes;
module_param(writes, uint, 0644);
MODULE_PARM_DESC(writes, "how often it was written to");

static u8 memory[16];

static int memory_read(void *priv, unsigned int offset, void *value, size_t bytes)
{
	if (offset + bytes > sizeof(memory))
		return -EINVAL;
	memcpy(value, memory + offset, bytes);
	if (blank)
		memset(value, 0xff, bytes);

	return read_error;
}

static int memory_write(void *priv, unsigned int offset, void *value, size_t bytes)
{
	if (offset + bytes > sizeof(memory))
		return -EINVAL;
	writes++;
	if (!write_error)
		memcpy(memory + offset, value, bytes);

	return write_error;
}

static int memory_probe(struct platform_device *pdev)
{
	struct nvmem_config config = {
		.dev = &pdev->dev,
		.name = "memory-fake",
		.size = sizeof(memory),
		.word_size = 1,
		.stride = 1,
		.reg_read = memory_read,
		.reg_write = memory_write,
#ifdef HAVE_LEGACY_FIXED_OF_CELLS
		.add_legacy_fixed_of_cells = true,
#endif
	};

	return PTR_ERR_OR_ZERO(devm_nvmem_register(&pdev->dev, &config));
}

static const struct of_device_id memory_match[] = {
	{ .compatible = "boardpack,memory-fake" },
	{ }
};
MODULE_DEVICE_TABLE(of, memory_match);

static struct platform_driver memory_driver = {
	.probe = memory_probe,
	.driver = {
		.name = "memory-fake",
		.of_match_table = memory_match,
	},
};
module_platform_driver(memory_driver);

MODULE_AUTHOR("boardpack developers");
MODULE_DESCRIPTION("A memory that fails when a test says so");
MODULE_LICENSE("GPL");
