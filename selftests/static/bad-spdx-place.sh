#!/bin/sh
# Two lines too late.
#
# SPDX-License-Identifier: GPL-2.0-only
