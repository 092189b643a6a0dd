#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
ls /home/somebody/kernel
