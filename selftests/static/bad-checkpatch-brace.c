// SPDX-License-Identifier: GPL-2.0-only
int bad_brace(int level);

static inline int brace(int level)
{
	if(level)
		return 1;
	return 0;
}
