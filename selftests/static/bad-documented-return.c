// SPDX-License-Identifier: GPL-2.0-only

/**
 * bad_return() - what it returns is not said
 */
int bad_return(void)
{
	return 0;
}
