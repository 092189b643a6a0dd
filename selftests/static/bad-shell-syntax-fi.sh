#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
if [ -n "$1" ]; then
	echo "$1"
