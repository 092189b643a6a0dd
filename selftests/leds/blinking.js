// SPDX-License-Identifier: GPL-2.0-only
//
// Blinks as the balena supervisor does (its src/lib/blink.ts and the identify()
// of its src/device-api/actions.ts), with the package that it uses.
//
// usage: node blinking.js FILE MILLISECONDS

'use strict';

const blink = require('blinking')(process.argv[2]);

blink.pattern.start();
setTimeout(blink.pattern.stop, Number(process.argv[3]));
