// SPDX-License-Identifier: GPL-2.0-only
/*
 * USB mode switcher: parameters as text
 *
 * ignore:   ID[,ID...]		ID is VVVV:PPPP or VVVV:*, in hex
 * override: ID:METHOD[:ARGUMENT][,...]
 */

#include "usb-modeswitch.h"

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/hex.h>
#include <linux/kernel.h>
#include <linux/string.h>

#define UMS_SEPARATORS	", \t\n"

/**
 * ums_method() - name a script
 * @script: its number
 *
 * Return: the name.
 */
const char *ums_method(unsigned int script)
{
	/* Scripts without a name are messages of single devices. */
	return script < ums_nr_methods ? ums_methods[script] : "message";
}
EXPORT_SYMBOL_FOR_TEST(ums_method);

static int ums_parse_hex4(const char **text)
{
	int value = 0, digit, i;

	for (i = 0; i < 4; i++) {
		digit = hex_to_bin(**text);
		if (digit < 0)
			return -EINVAL;
		value = value << 4 | digit;
		(*text)++;
	}

	return value;
}

static int ums_parse_id(const char **text, struct ums_id *id)
{
	int value = ums_parse_hex4(text);

	if (value < 0 || **text != ':')
		return -EINVAL;
	id->vid = value;
	(*text)++;

	if (**text == '*') {
		(*text)++;
		id->pid = UMS_ANY_PID;
		return 0;
	}
	value = ums_parse_hex4(text);
	if (value < 0)
		return -EINVAL;
	id->pid = value;

	return 0;
}

static bool ums_at_end(const char *text)
{
	return !*text || strchr(UMS_SEPARATORS, *text);
}

/**
 * ums_parse_ignore() - read a list of IDs
 * @text: the list
 * @settings: where to put it; not touched if there is an error
 *
 * Return: 0, -EINVAL if the text is malformed, -E2BIG if there are too many.
 */
int ums_parse_ignore(const char *text, struct ums_settings *settings)
{
	struct ums_id ids[UMS_MAX_IGNORED];
	unsigned int n = 0;
	int ret;

	for (text += strspn(text, UMS_SEPARATORS); *text;
	     text += strspn(text, UMS_SEPARATORS)) {
		if (n == UMS_MAX_IGNORED)
			return -E2BIG;
		ret = ums_parse_id(&text, &ids[n++]);
		if (ret)
			return ret;
		if (!ums_at_end(text))
			return -EINVAL;
	}
	memcpy(settings->ignored, ids, n * sizeof(*ids));
	settings->nr_ignored = n;

	return 0;
}
EXPORT_SYMBOL_FOR_TEST(ums_parse_ignore);

static int ums_parse_method(const char **text)
{
	size_t len = strcspn(*text, ":" UMS_SEPARATORS);
	unsigned int i;

	for (i = 0; i < ums_nr_methods; i++) {
		if (strlen(ums_methods[i]) == len &&
		    !strncmp(ums_methods[i], *text, len)) {
			*text += len;
			return i;
		}
	}

	return -EINVAL;
}

static int ums_parse_number(const char **text, u8 *number)
{
	unsigned int value = 0;

	if (!isdigit(**text))
		return -EINVAL;
	for (; isdigit(**text); (*text)++) {
		value = value * 10 + **text - '0';
		if (value > 255)
			return -ERANGE;
	}
	*number = value;

	return value ? 0 : -ERANGE;
}

static int ums_parse_message(const char **text, u8 *message)
{
	unsigned int i;
	int high, low;

	for (i = 0; i < UMS_CBW_SIZE; i++) {
		high = hex_to_bin((*text)[0]);
		low = high < 0 ? high : hex_to_bin((*text)[1]);
		if (low < 0)
			return -EINVAL;
		message[i] = high << 4 | low;
		*text += 2;
	}

	return memcmp(message, "USBC", 4) ? -EINVAL : 0;
}

static int ums_parse_messages(const char **text, struct ums_override *override)
{
	int ret;

	do {
		if (override->nr_own == UMS_MAX_OWN)
			return -E2BIG;
		ret = ums_parse_message(text, override->own[override->nr_own++]);
		if (ret)
			return ret;
	} while (*(*text)++ == '+');
	(*text)--;

	return 0;
}

static int ums_parse_one_override(const char **text, struct ums_override *override)
{
	const char *method;
	int ret;

	memset(override, 0, sizeof(*override));
	ret = ums_parse_id(text, &override->id);
	if (ret)
		return ret;
	if (*(*text)++ != ':')
		return -EINVAL;

	ret = ums_parse_method(text);
	if (ret < 0)
		return ret;
	override->script = ret;
	method = ums_methods[ret];

	if (strcmp(method, "message") && strcmp(method, "config") &&
	    strcmp(method, "pantech") && strcmp(method, "sony"))
		return 0;
	if (*(*text)++ != ':')
		return -EINVAL;
	if (!strcmp(method, "message"))
		return ums_parse_messages(text, override);

	return ums_parse_number(text, &override->arg);
}

/**
 * ums_parse_override() - read a list of overrides
 * @text: the list
 * @settings: where to put it; those before an error may be overwritten, but
 *	then they do not count
 *
 * Return: 0, -EINVAL if the text is malformed, -ERANGE if a number is not from
 * 1 to 255, -E2BIG if there are too many.
 */
int ums_parse_override(const char *text, struct ums_settings *settings)
{
	unsigned int n = 0;
	int ret;

	settings->nr_overrides = 0;
	for (text += strspn(text, UMS_SEPARATORS); *text;
	     text += strspn(text, UMS_SEPARATORS)) {
		if (n == UMS_MAX_OVERRIDES)
			return -E2BIG;
		ret = ums_parse_one_override(&text, &settings->overrides[n++]);
		if (ret)
			return ret;
		if (!ums_at_end(text))
			return -EINVAL;
	}
	settings->nr_overrides = n;

	return 0;
}
EXPORT_SYMBOL_FOR_TEST(ums_parse_override);

static int ums_print_id(char *buf, size_t size, const struct ums_id *id)
{
	if (id->pid == UMS_ANY_PID)
		return scnprintf(buf, size, "%04x:*", id->vid);

	return scnprintf(buf, size, "%04x:%04x", id->vid, id->pid);
}

/**
 * ums_print_ignore() - write the list of IDs
 * @buf: where to
 * @size: room there
 * @settings: what holds the list
 *
 * Return: how much was written.
 */
int ums_print_ignore(char *buf, size_t size, const struct ums_settings *settings)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < settings->nr_ignored; i++) {
		len += scnprintf(buf + len, size - len, i ? "," : "");
		len += ums_print_id(buf + len, size - len, &settings->ignored[i]);
	}

	return len + scnprintf(buf + len, size - len, "\n");
}
EXPORT_SYMBOL_FOR_TEST(ums_print_ignore);

/**
 * ums_print_override() - write the list of overrides
 * @buf: where to
 * @size: room there
 * @settings: what holds the list
 *
 * Return: how much was written.
 */
int ums_print_override(char *buf, size_t size,
		       const struct ums_settings *settings)
{
	unsigned int i, j;
	int len = 0;

	for (i = 0; i < settings->nr_overrides; i++) {
		const struct ums_override *o = &settings->overrides[i];

		len += scnprintf(buf + len, size - len, i ? "," : "");
		len += ums_print_id(buf + len, size - len, &o->id);
		len += scnprintf(buf + len, size - len, ":%s", ums_method(o->script));
		if (o->arg)
			len += scnprintf(buf + len, size - len, ":%u", o->arg);
		for (j = 0; j < o->nr_own; j++)
			len += scnprintf(buf + len, size - len, "%c%*phN",
					 j ? '+' : ':', UMS_CBW_SIZE, o->own[j]);
	}

	return len + scnprintf(buf + len, size - len, "\n");
}
EXPORT_SYMBOL_FOR_TEST(ums_print_override);
