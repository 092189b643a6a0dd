# SPDX-License-Identifier: GPL-2.0-only

SUMMARY = "Kernel modules: identify LED, clock seeder, USB mode switch"

inherit boardpack-source boardpack-machine module
inherit ${@'sign-kmod' if d.getVar('SIGN_API') else ''}

BOARDPACK_FILES = "Kbuild Makefile drivers scripts/check-kdir"

KERNEL_MODULE_AUTOLOAD += "leds-identify rtc-seed usb-modeswitch"
KERNEL_MODULE_PROBECONF += "leds-identify"
module_conf_leds-identify = "${@boardpack_led_options(d)}"

RPROVIDES:${PN} += "kernel-module-leds-identify kernel-module-rtc-seed kernel-module-usb-modeswitch"

# What a build in the checkout has left there.
do_configure:append() {
    oe_runmake clean
}

# With SIGN_API meta-balena's signature is the one that counts: the kernel's own build would
# put another one on top when it installs them.
SIGNING_ARTIFACTS = "${S}/drivers/leds/leds-identify.ko ${S}/drivers/rtc/rtc-seed.ko \
                     ${S}/drivers/usb/usb-modeswitch.ko"

python () {
    if d.getVar('SIGN_API'):
        bb.build.addtask('do_sign_kmod', 'do_install', 'do_compile', d)
        d.appendVar('EXTRA_OEMAKE', ' CONFIG_MODULE_SIG_ALL=')
}

do_install:prepend() {
    for ko in ${SIGNING_ARTIFACTS}; do
        if [ -n "${SIGN_API}" ]; then
            # sign-kmod.bbclass decodes whatever the service has answered.
            [ "$(tail -c 28 "$ko.signed" 2>/dev/null | tr -d '\000')" = "~Module signature appended~" ] ||
                bbfatal "$ko was not signed: see log.do_sign_kmod"
            cp -f "$ko.signed" "$ko"
        fi
    done
}
