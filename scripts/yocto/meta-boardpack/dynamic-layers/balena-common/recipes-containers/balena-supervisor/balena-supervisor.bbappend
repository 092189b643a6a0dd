# SPDX-License-Identifier: GPL-2.0-only

inherit boardpack-machine

# Set in Python, so that it counts for more than the LED_FILE:machine of a family's layer.
python () {
    if d.getVar('BOARDPACK_LED_FILE'):
        d.setVar('LED_FILE', d.getVar('BOARDPACK_LED_FILE'))
}

# balena's LED test runs where the contract of the device type says that it has an LED.
python boardpack_contract() {
    import json
    place = os.path.join(d.getVar('BALENA_COREBASE'), '..', '..', '..', 'contracts', 'contracts',
                         'hw.device-type', d.getVar('MACHINE'), 'contract.json')
    if not os.path.exists(place):
        return
    with open(place, encoding='utf-8') as stream:
        led = bool(json.load(stream)['data'].get('led'))
    if led != (d.getVar('LED_FILE') != '/dev/null'):
        bb.warn('boardpack: the contract of %s says led: %s, and LED_FILE is %s: mend one of them'
                % (d.getVar('MACHINE'), str(led).lower(), d.getVar('LED_FILE')))
}
do_install[prefuncs] += "boardpack_contract"
