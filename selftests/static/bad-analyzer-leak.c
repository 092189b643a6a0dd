// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

int bad_leak(const char *text);

int bad_leak(const char *text)
{
	char *copy = strdup(text);

	if (!copy || *copy == '#')
		return -1;
	free(copy);
	return 0;
}
