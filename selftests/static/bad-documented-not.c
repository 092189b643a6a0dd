// SPDX-License-Identifier: GPL-2.0-only

/* A plain comment is no kernel-doc. */
int bad_not(void)
{
	return 0;
}
