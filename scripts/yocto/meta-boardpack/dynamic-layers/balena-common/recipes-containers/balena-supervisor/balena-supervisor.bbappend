# SPDX-License-Identifier: GPL-2.0-only

inherit boardpack-machine

# Set in Python, so that it counts for more than the LED_FILE:machine of a family's layer. Where
# nobody knows an LED it is identify, too: that is there on every board, and can be given one later.
python () {
    known = d.getVar('BOARDPACK_LED_FILE')
    if known:
        d.setVar('LED_FILE', known)
    elif d.getVar('LED_FILE') in (None, '', '/dev/null'):
        d.setVar('LED_FILE', d.getVar('BOARDPACK_IDENTIFY'))
        d.setVar('BOARDPACK_DARK', '1')
}

# balena's LED test runs where the contract of the device type says that it has an LED. It reads
# LED_FILE and sees no light, so that identify passes it with nothing to blink.
python boardpack_contract() {
    import json

    def read(*names):
        path = os.path.join(d.getVar('BALENA_COREBASE'), '..', '..', '..', *names)
        if not os.path.exists(path):
            return {}
        with open(path, encoding='utf-8') as stream:
            return json.load(stream)

    # Contracts are by slug, which is not always the machine.
    name = d.getVar('DEVICE_TYPE') or d.getVar('MACHINE')
    slug = read(name + '.json').get('slug', name)
    contract = read('contracts', 'contracts', 'hw.device-type', slug, 'contract.json')
    if not contract:
        return
    led = bool(contract['data'].get('led'))
    dark = d.getVar('BOARDPACK_DARK')
    if led and dark:
        bb.warn('boardpack: the contract of %s says led: true, and identify has no LED to blink: name '
                'it in BOARDPACK_LEDS, or mend the contract' % slug)
    elif led != (not dark and d.getVar('LED_FILE') != '/dev/null'):
        bb.warn('boardpack: the contract of %s says led: %s, and LED_FILE is %s: mend one of them'
                % (slug, str(led).lower(), d.getVar('LED_FILE')))
}
do_install[prefuncs] += "boardpack_contract"
