#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# For scratch.py, in a mount namespace of its own: /usr, /etc and /var can be written
# to, which ends up in FOLDER/upper.
#
# usage: scratch.sh FOLDER PROGRAM COMMAND...      PROGRAM: a root that comes on top, or /

set -eu

where=$1 program=$2
shift 2
for part in usr etc var; do
	lower=/$part
	[ "$program" = / ] || lower=$program$part:$lower
	busybox mount -t overlay overlay -o \
		"lowerdir=$lower,upperdir=$where/upper/$part,workdir=$where/work/$part" /$part
done
cd /
exec "$@"
