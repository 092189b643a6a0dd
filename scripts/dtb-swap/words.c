// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words of lines that the kernel writes. scanf() would bring what reads numbers with a
 * fraction along, a thirtieth of the tool, and takes what a width cuts off for the next word.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swap.h"

/**
 * word_at() - where a word of a line begins
 * @line: words with blanks between
 * @n: how many come before
 *
 * Return: its begin, the end of the line where there are not so many
 */
const char *word_at(const char *line, unsigned int n)
{
	line += strspn(line, " ");
	while (n-- && *line) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return line;
}

/**
 * copy_span() - copy some of a text
 * @to: gets it, with an end; what has no room is cut off
 * @size: of @to
 * @text: begins with it
 * @length: of what is wanted
 *
 * Return: false where that is nothing
 */
bool copy_span(char *to, size_t size, const char *text, size_t length)
{
	snprintf(to, size, "%.*s", (int)length, text);
	return length;
}

/**
 * copy_word() - copy a word of a line
 * @to: gets it, with an end; what has no room is cut off
 * @size: of @to
 * @line: words with blanks between
 * @n: how many come before
 *
 * Return: false where there are not so many
 */
bool copy_word(char *to, size_t size, const char *line, unsigned int n)
{
	const char *at = word_at(line, n);

	return copy_span(to, size, at, strcspn(at, " "));
}

/**
 * read_iomem() - take a line of /proc/iomem to pieces
 * @line: of it, without its end
 * @first: gets the first byte of the range
 * @last: gets its last
 *
 * Return: whose it is, or NULL where it is no such line
 */
const char *read_iomem(const char *line, unsigned long long *first, unsigned long long *last)
{
	char *end;

	*first = strtoull(line, &end, 16);
	if (*end != '-')
		return NULL;
	*last = strtoull(end + 1, &end, 16);
	return strncmp(end, " : ", 3) ? NULL : end + 3;
}
