// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

struct bad {
	int a;
	int b;
};

void bad_size(struct bad *bad);

void bad_size(struct bad *bad)
{
	memset(bad, 0, sizeof(bad));
}
