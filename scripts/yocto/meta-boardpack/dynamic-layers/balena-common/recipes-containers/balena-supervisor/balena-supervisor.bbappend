# SPDX-License-Identifier: GPL-2.0-only

inherit boardpack-machine

# Set in Python, so that it counts for more than the LED_FILE:machine of a family's layer.
python () {
    if d.getVar('BOARDPACK_LEDS'):
        d.setVar('LED_FILE', '/sys/class/leds/identify/brightness')
}
