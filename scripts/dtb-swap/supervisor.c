// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the balena supervisor makes of a selection.
 *
 * It holds the boot partition to the configuration variables of the device: a selector
 * that these do not name is taken out of the file, and the device is restarted; one that
 * they do name is written, whether there is such a tree or not. As its sources have it in
 * src/config/backends (extra-uEnv.ts, config-txt.ts) and src/device-config.ts, v19.0.5.
 * While an OS update may still be rolled back, it does not restart the device
 * (abortIfHUPInProgress in src/lib/update-lock.ts).
 */

#include <fnmatch.h>
#include <string.h>

#include "install.h"

#define HEALTH "/mnt/state/rollback-health-breadcrumb"
#define ALTBOOT "/mnt/state/rollback-altboot-breadcrumb"
#define FDT "BALENA_HOST_EXTLINUX_fdt"
#define DEVICE_TREE "BALENA_HOST_CONFIG_device_tree"

/* Device types that it does so on, and the variable. */
static const struct rule {
	const char *match;
	const char *variable;
} RULES[] = {
	{ "*-nano", FDT },
	{ "*-nano-emmc", FDT },
	{ "*-nano-2gb-devkit", FDT },
	{ "*-tx2", FDT },
	{ "*-tx2-nx*", FDT },
	{ "*-agx-orin-*", FDT },
	{ "*-orin-nx-*", FDT },
	{ "*-orin-nano-*", FDT },
	{ "*imx8mm-var-som*", FDT },
	{ "*imx8m-var-dart*", FDT },
	{ "*imx8mm-var-dart*", FDT },
	{ "iot-gate-imx8plus", FDT },
	{ "iot-gate-imx8plus-d1d8", FDT },
	{ "raspberry*", DEVICE_TREE },
	{ "fincm3", DEVICE_TREE },
	{ "rt-rpi-300", DEVICE_TREE },
	{ "243390-rpi3", DEVICE_TREE },
	{ "nebra-hnt", DEVICE_TREE },
	{ "revpi-connect", DEVICE_TREE },
	{ "revpi-connect-s", DEVICE_TREE },
	{ "revpi-core-3", DEVICE_TREE },
	{ "revpi-connect-4", DEVICE_TREE },
};

/**
 * supervisor_variable() - the variable by which the supervisor selects a tree
 * @place: has the device's type
 *
 * Return: its name, or NULL where the supervisor leaves the selector alone
 */
const char *supervisor_variable(const struct place *place)
{
	size_t i;

	for (i = 0; place->device && i < sizeof(RULES) / sizeof(*RULES); i++)
		if (!fnmatch(RULES[i].match, place->device, 0))
			return RULES[i].variable;
	return NULL;
}

/*
 * hostapp-update puts the new OS into the other root, where the bootloader stops without the tree.
 * A binary alone, without the recipe, has nothing that takes the tree along.
 */
static void update_warn(const struct place *place)
{
	static const char *const updates[] = { "/usr/*bin/hostapp-update", NULL };
	static const char *const carries[] = {
		"/etc/hostapp-update-hooks.d/05-dtb-swap",
		"/*/systemd/system/*.wants/dtb-swap-carry.service",
		"/usr/lib/systemd/system/*.wants/dtb-swap-carry.service", NULL
	};

	if (place->value && !place->family->fallback && place_in_root(place, place->value) &&
	    sys_any(place->swap, updates) && !sys_any(place->swap, carries))
		say(&place->swap->report, LEVEL_WARNING, KIND_SELECTOR,
		    "dtb-swap carry --last after hostapp-update, or rollback --own before it",
		    "nothing takes the tree along with an OS update: the bootloader would stop");
}

/**
 * supervisor_warn() - say what has to be set so that a selection stays
 * @place: with the value that was selected
 * @pending: nobody has committed it; a variable that names it would select it again after
 * guard has gone back
 */
void supervisor_warn(const struct place *place, bool pending)
{
	const char *variable = supervisor_variable(place);
	struct report *report = &place->swap->report;

	update_warn(place);
	if (!variable)
		return;
	if (!place->value)
		say(report, LEVEL_WARNING, KIND_SELECTOR,
		    "remove it now from the configuration variables of this device",
		    "while %s is set, the balena supervisor selects that tree again, and restarts",
		    variable);
	else if (pending)
		say(report, LEVEL_WARNING, KIND_SELECTOR,
		    "let it not start during the trial, and set the variable only after the commit",
		    "the balena supervisor takes this back when it starts, as %s is not %s",
		    variable, place->value);
	else
		say(report, LEVEL_WARNING, KIND_SELECTOR,
		    "set it now, for this device, among the configuration variables",
		    "unless %s is %s, the balena supervisor takes this back, and restarts",
		    variable, place->value);
}

/**
 * supervisor_update() - refuse to change anything while an OS update is not over
 * @swap: is told
 *
 * From the hooks of the update on, until rollback-health has found the new OS sound, the
 * bootloader may go back to the other root, which has not the tree that is selected for both,
 * and a restart counts against the new OS. The hook itself asks for a new kernel's modules.
 */
void supervisor_update(struct swap *swap)
{
	const char *left = sys_exists(swap, HEALTH) ? HEALTH :
			   sys_exists(swap, ALTBOOT) ? ALTBOOT : NULL;

	if (left && !swap->modules)
		refuse(swap, KIND_BUSY,
		       "wait for the end of rollback-health, some 15 minutes after the restart; "
		       "later systemctl status rollback-health tells why it does not end",
		       "an update of the OS may still be rolled back: %s is there", left);
}
