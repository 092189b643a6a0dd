// SPDX-License-Identifier: GPL-2.0-only
// What the balena supervisor does when somebody presses Identify.
require('blinking')(process.argv[2]).pattern.start();
