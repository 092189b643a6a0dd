// SPDX-License-Identifier: GPL-2.0-only

/**
 * bad_parameter() - a parameter is not described
 *
 * Return: the level.
 */
int bad_parameter(int level)
{
	return level;
}
