# SPDX-License-Identifier: GPL-2.0-only

SUMMARY = "What udev and systemd have to know about rtc-seed"

inherit boardpack-source allarch

BOARDPACK_FILES = "scripts/yocto/files"

do_install() {
    install -D -m 0644 ${S}/scripts/yocto/files/70-rtc-seed.rules \
        ${D}${nonarch_base_libdir}/udev/rules.d/70-rtc-seed.rules
    install -D -m 0644 ${S}/scripts/yocto/files/timeinit-rtc.conf \
        ${D}${systemd_system_unitdir}/timeinit-rtc.service.d/rtc-seed.conf
}

FILES:${PN} += "${nonarch_base_libdir}/udev ${systemd_system_unitdir}"
