// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB mode switcher: which device is switched, and how
 */

#include "usb-modeswitch.h"

#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/usb/ch9.h>

/**
 * ums_find() - find a device in the table
 * @vid: its vendor
 * @pid: its product
 *
 * Return: the first of its rows, or NULL.
 */
const struct ums_row *ums_find(u16 vid, u16 pid)
{
	unsigned int low = 0, high = ums_nr_rows;
	u32 id = (u32)vid << 16 | pid;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (((u32)ums_rows[mid].vid << 16 | ums_rows[mid].pid) < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == ums_nr_rows || ums_rows[low].vid != vid ||
	    ums_rows[low].pid != pid)
		return NULL;

	return &ums_rows[low];
}
EXPORT_SYMBOL_FOR_TEST(ums_find);

static bool ums_same_char(char wanted, char c)
{
	return wanted == c || (wanted == '_' && c == ' ');
}

static bool ums_holds(const char *text, const char *wanted)
{
	size_t i;

	for (; text && *text; text++) {
		for (i = 0; wanted[i] && ums_same_char(wanted[i], text[i]); i++)
			;
		if (!wanted[i])
			return true;
	}

	return false;
}

static bool ums_strings_match(const struct ums_facts *facts,
			      const struct ums_string *string, bool *ask)
{
	switch (string->kind) {
	case UMS_NO_STRING:
		return true;
	case UMS_MANUFACTURER:
		return ums_holds(facts->manufacturer, string->text);
	case UMS_PRODUCT:
		return ums_holds(facts->product, string->text);
	default:
		break;
	}
	if (!facts->scsi_known) {
		*ask = true;
		return true;
	}

	return ums_holds(string->kind == UMS_SCSI_VENDOR ? facts->scsi_vendor :
			 facts->scsi_model, string->text);
}

/**
 * ums_match() - find a device in the table, by its strings too
 * @facts: what is known of it
 * @ask: set to whether it hangs on SCSI strings that are not known yet
 *
 * Return: its row, or NULL.
 */
const struct ums_row *ums_match(const struct ums_facts *facts, bool *ask)
{
	const struct ums_row *row = ums_find(facts->vid, facts->pid);

	*ask = false;
	for (; row && row < ums_rows + ums_nr_rows; row++) {
		if (row->vid != facts->vid || row->pid != facts->pid)
			break;
		if (ums_strings_match(facts, &ums_strings[row->string], ask))
			return row;
	}

	return NULL;
}
EXPORT_SYMBOL_FOR_TEST(ums_match);

static bool ums_has_class(const struct ums_facts *facts, u8 class)
{
	return memchr(facts->classes, class, facts->nr_interfaces);
}

/* What only a modem has, next to its storage. */
static bool ums_has_modem(const struct ums_facts *facts)
{
	return ums_has_class(facts, USB_CLASS_COMM) ||
	       ums_has_class(facts, USB_CLASS_CDC_DATA) ||
	       ums_has_class(facts, USB_CLASS_WIRELESS_CONTROLLER) ||
	       ums_has_class(facts, USB_CLASS_VENDOR_SPEC);
}

static enum ums_verdict ums_check_interfaces(const struct ums_facts *facts,
					     u8 gate, u8 target_class, u8 flags)
{
	u8 first = facts->classes[0];

	if (!facts->nr_interfaces)
		return UMS_NOT_THIS;
	if (target_class && first == target_class)
		return UMS_DONE;

	switch (gate) {
	case UMS_GATE_STORAGE:
		if (first != USB_CLASS_MASS_STORAGE)
			return flags & UMS_REUSED ? UMS_DONE : UMS_NOT_THIS;
		return flags & UMS_REUSED && ums_has_modem(facts) ? UMS_DONE :
		       UMS_SWITCH;
	case UMS_GATE_HID:
		return first == USB_CLASS_HID ? UMS_SWITCH : UMS_NOT_THIS;
	case UMS_GATE_MODEM:
		return facts->acm ? UMS_SWITCH : UMS_NOT_THIS;
	default:
		return UMS_SWITCH;
	}
}

static enum ums_verdict ums_check_config(const struct ums_facts *facts, u8 number)
{
	if (!number || facts->config == number)
		return UMS_DONE;

	return facts->configs[number / 32] & BIT(number % 32) ? UMS_SWITCH :
	       UMS_NOT_THIS;
}

static const struct ums_override *
ums_find_override(const struct ums_facts *facts,
		  const struct ums_settings *settings)
{
	unsigned int i;

	/* The last word counts. */
	for (i = settings->nr_overrides; i--;) {
		const struct ums_id *id = &settings->overrides[i].id;

		if (id->vid == facts->vid &&
		    (id->pid == UMS_ANY_PID || id->pid == facts->pid))
			return &settings->overrides[i];
	}

	return NULL;
}

static bool ums_is_ignored(const struct ums_facts *facts,
			   const struct ums_settings *settings)
{
	unsigned int i;

	for (i = 0; i < settings->nr_ignored; i++) {
		const struct ums_id *id = &settings->ignored[i];

		if (id->vid == facts->vid &&
		    (id->pid == UMS_ANY_PID || id->pid == facts->pid))
			return true;
	}

	return false;
}

static enum ums_verdict ums_check_plan(const struct ums_facts *facts,
				       struct ums_plan *plan, u8 target_class,
				       u8 flags)
{
	switch (plan->script) {
	case UMS_SCRIPT_NONE:
		return UMS_IGNORED;
	case UMS_SCRIPT_MBIM:
		plan->arg = facts->mbim;
		return ums_check_config(facts, plan->arg);
	case UMS_SCRIPT_CONFIG:
		return ums_check_config(facts, plan->arg);
	default:
		return ums_check_interfaces(facts, ums_scripts[plan->script].gate,
					    target_class, flags);
	}
}

/**
 * ums_decide() - decide what to do with a device
 * @facts: what is known of it
 * @settings: what the user wants
 * @mbim: whether a configuration with MBIM is wanted before anything else
 * @plan: what to do, if the verdict is UMS_SWITCH or UMS_ASK
 *
 * Return: the verdict.
 */
enum ums_verdict ums_decide(const struct ums_facts *facts,
			    const struct ums_settings *settings, bool mbim,
			    struct ums_plan *plan)
{
	const struct ums_override *override;
	const struct ums_row *row;
	enum ums_verdict verdict;
	bool ask;

	memset(plan, 0, sizeof(*plan));
	if (ums_is_ignored(facts, settings))
		return UMS_IGNORED;

	override = ums_find_override(facts, settings);
	if (override) {
		plan->script = override->script;
		plan->arg = override->arg;
		plan->nr_own = override->nr_own;
		memcpy(plan->own, override->own, sizeof(plan->own));
		return ums_check_plan(facts, plan, 0, 0);
	}

	row = ums_match(facts, &ask);
	if (!row)
		return UMS_UNKNOWN;
	plan->script = row->script;
	plan->arg = row->arg;
	plan->delay = row->delay;
	/* What is still to be asked may be no modem, and is asked as the row's script would. */
	if (!ask && mbim && facts->nr_configs > 1 && facts->mbim) {
		plan->script = UMS_SCRIPT_MBIM;
		plan->delay = 0;
	} else if (!mbim && plan->script == UMS_SCRIPT_MBIM) {
		return UMS_IGNORED;
	}

	verdict = ums_check_plan(facts, plan, row->target_class, row->flags);

	return verdict == UMS_SWITCH && ask ? UMS_ASK : verdict;
}
EXPORT_SYMBOL_FOR_TEST(ums_decide);

/**
 * ums_script_fits() - tell whether a device has the interfaces that a script needs
 * @facts: what is known of it
 * @script: number of the script
 *
 * Return: true if it has, and is no modem by what the table says of it.
 */
bool ums_script_fits(const struct ums_facts *facts, unsigned int script)
{
	const struct ums_row *row;
	bool ask;

	row = ums_match(facts, &ask);

	return ums_check_interfaces(facts, ums_scripts[script].gate,
				    row ? row->target_class : 0,
				    row ? row->flags : 0) == UMS_SWITCH;
}

/**
 * ums_cbw_data_in() - tell how much data a command block asks for
 * @cbw: UMS_CBW_SIZE bytes
 *
 * Return: the number of bytes; 0 for a command that sends data.
 */
u32 ums_cbw_data_in(const u8 *cbw)
{
	return cbw[12] & USB_DIR_IN ? get_unaligned_le32(cbw + 8) : 0;
}
EXPORT_SYMBOL_FOR_TEST(ums_cbw_data_in);

/**
 * ums_csw_judge() - judge the status that follows a command block
 * @csw: what came
 * @size: how much came
 * @cbw: the command block
 *
 * Return: the verdict.
 */
enum ums_csw ums_csw_judge(const u8 *csw, size_t size, const u8 *cbw)
{
	if (size != UMS_CSW_SIZE)
		return UMS_CSW_SIZE_WRONG;
	if (memcmp(csw, "USBS", 4))
		return UMS_CSW_SIGNATURE;
	if (memcmp(csw + 4, cbw + 4, 4))
		return UMS_CSW_TAG;

	switch (csw[12]) {
	case 0:
		return UMS_CSW_GOOD;
	case 1:
		return UMS_CSW_FAILED;
	case 2:
		return UMS_CSW_PHASE;
	default:
		return UMS_CSW_STATUS;
	}
}
EXPORT_SYMBOL_FOR_TEST(ums_csw_judge);

/**
 * ums_script_configures() - tell whether a script ends with a configuration
 * @number: number of the script
 *
 * Return: true if it does: then the switch is done when the script is, and the
 * interfaces of before are gone.
 */
bool ums_script_configures(unsigned int number)
{
	const struct ums_script *script = &ums_scripts[number];
	unsigned int action;

	if (!script->count)
		return false;
	action = ums_steps[script->first + script->count - 1].action;

	return action == UMS_CONFIG || action == UMS_MBIM;
}

/**
 * ums_guard_try() - ask whether one more try is allowed, and count it
 * @guard: the last tries
 * @now: seconds, of any clock that does not go back
 *
 * Return: false if there were UMS_GUARD_TRIES in UMS_GUARD_SECONDS, or as many
 * that changed nothing, in whatever time.
 */
bool ums_guard_try(struct ums_guard *guard, time64_t now)
{
	time64_t *oldest = &guard->tries[guard->next % UMS_GUARD_TRIES];

	if (guard->returns >= UMS_GUARD_TRIES)
		return false;
	if (guard->next >= UMS_GUARD_TRIES && now - *oldest < UMS_GUARD_SECONDS)
		return false;
	*oldest = now;
	guard->next++;

	return true;
}
EXPORT_SYMBOL_FOR_TEST(ums_guard_try);
