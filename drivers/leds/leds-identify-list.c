// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identify LED: the text that names its targets
 *
 * Targets are separated by white space. Each is a list of LED names with
 * commas between: the first LED that is there is meant.
 */

#include "leds-identify.h"

#include <linux/err.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * identify_names_next() - take one name from a list of alternatives
 * @names: moved behind the name that is returned
 * @left: length of @names, goes down with it
 * @len: filled with the length of the name
 *
 * Return: the name, not terminated, or NULL if there is no more.
 */
const char *identify_names_next(const char **names, size_t *left, size_t *len)
{
	const char *name = *names;
	const char *comma;

	if (!name)
		return NULL;

	comma = memchr(name, ',', *left);
	*len = comma ? (size_t)(comma - name) : *left;
	*names = comma ? comma + 1 : NULL;
	*left -= comma ? *len + 1 : *len;

	return name;
}
EXPORT_SYMBOL_FOR_TEST(identify_names_next);

static int identify_names_check(const char *names, size_t left,
				const char **why)
{
	const char *name;
	size_t len;

	while ((name = identify_names_next(&names, &left, &len))) {
		if (!len) {
			*why = "a name is missing before or after a comma";
			return -EINVAL;
		}
		if (len >= IDENTIFY_MAX_NAME) {
			*why = "a name is longer than LED names can be";
			return -ENAMETOOLONG;
		}
		if (len == strlen(IDENTIFY_NAME) &&
		    !memcmp(name, IDENTIFY_NAME, len)) {
			*why = "the identify LED cannot be its own target";
			return -EINVAL;
		}
	}

	return 0;
}

static int identify_list_add(struct identify_list *list, const char *names,
			     size_t len, const char **why)
{
	struct identify_target *target = &list->target[list->n];
	char *end = list->text + strlen(list->text);

	if (list->n == IDENTIFY_MAX_TARGETS) {
		*why = "there are more than 16 targets";
		return -E2BIG;
	}

	if (list->n)
		*end++ = ' ';
	memcpy(end, names, len);
	target->names = end;
	target->len = len;
	list->n++;

	return identify_names_check(names, len, why);
}

/**
 * identify_list_parse() - read targets from text
 * @text: the text
 * @why: filled with a sentence on error
 *
 * Return: the list, to be freed with kfree(), with no target in it if there is
 * none in the text; or -EINVAL, -ENAMETOOLONG, -E2BIG or -ENOMEM.
 */
struct identify_list *identify_list_parse(const char *text, const char **why)
{
	struct identify_list *list;
	size_t len;
	int ret;

	*why = "out of memory";
	/* The text does not grow: each target takes its separator along. */
	list = kzalloc(sizeof(*list) + strlen(text) + 1, GFP_KERNEL);
	if (!list)
		return ERR_PTR(-ENOMEM);

	/* Not isspace(), for which a part of some UTF-8 characters is space. */
	for (text += strspn(text, IDENTIFY_SPACE); *text;
	     text += len + strspn(text + len, IDENTIFY_SPACE)) {
		len = strcspn(text, IDENTIFY_SPACE);
		ret = identify_list_add(list, text, len, why);
		if (ret) {
			kfree(list);
			return ERR_PTR(ret);
		}
	}

	return list;
}
EXPORT_SYMBOL_FOR_TEST(identify_list_parse);

static bool identify_target_is(const struct identify_target *target,
			       const char *name, size_t len)
{
	return target->len == len && !memcmp(target->names, name, len);
}

/**
 * identify_list_same() - find the target of another list that reads as a name
 * @from: the list to look in, or NULL
 * @list: the list that the name is from
 * @target: the target there that has the name
 * @name: the name, not terminated
 * @len: its length
 *
 * Where several targets of @from read so, those of @list that do mean each in turn.
 *
 * Return: the target in @from, or NULL if there is none.
 */
const struct identify_target *
identify_list_same(const struct identify_list *from,
		   const struct identify_list *list,
		   const struct identify_target *target,
		   const char *name, size_t len)
{
	unsigned int i, before = 0;

	for (i = 0; &list->target[i] != target; i++)
		before += identify_target_is(&list->target[i], name, len);
	for (i = 0; from && i < from->n; i++)
		if (identify_target_is(&from->target[i], name, len) && !before--)
			return &from->target[i];

	return NULL;
}

/**
 * identify_list_forget() - let the targets of a list choose again
 * @list: the list, or NULL
 * @led: only those that have chosen this LED, or NULL for all
 */
void identify_list_forget(struct identify_list *list,
			  const struct identify_led *led)
{
	unsigned int i;

	for (i = 0; list && i < list->n; i++)
		if (!led || list->target[i].led == led)
			list->target[i].led = NULL;
}
