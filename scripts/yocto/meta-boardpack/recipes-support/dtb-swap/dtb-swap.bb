# SPDX-License-Identifier: GPL-2.0-only

SUMMARY = "Changes the device tree of a running device, and cannot strand it"

inherit boardpack-source systemd

BOARDPACK_FILES = "Makefile scripts/boards.tsv scripts/dtb-swap scripts/yocto/files"
DEPENDS = "dtc"

# Not static, as what make dtb-swap makes is: bitbake exports its own LDFLAGS, and packages add
# the one with libfdt.so by themselves.

# Units alone: balenaOS, which its hook and its other unit are for, has systemd in all series of
# this layer. An image with sysvinit starts guard by scripts/dtb-swap/guard.init.

SYSTEMD_SERVICE:${PN} = "dtb-swap-guard.service dtb-swap-carry.service"

do_compile() {
    oe_runmake -C ${S}/scripts/dtb-swap CC="${CC}" OUT=${B}/out VERSION=${PV}
}

do_install() {
    install -D -m 0755 ${B}/out/dtb-swap ${D}${bindir}/dtb-swap
    install -D -m 0644 ${S}/scripts/dtb-swap/dtb-swap.8 ${D}${mandir}/man8/dtb-swap.8
    install -D -m 0644 ${S}/scripts/dtb-swap/dtb-swap.bash \
        ${D}${datadir}/bash-completion/completions/dtb-swap
    install -D -m 0755 ${S}/scripts/yocto/files/05-dtb-swap \
        ${D}${sysconfdir}/hostapp-update-hooks.d/05-dtb-swap
    install -D -m 0644 ${S}/scripts/yocto/files/dtb-swap-guard.service \
        ${D}${systemd_system_unitdir}/dtb-swap-guard.service
    install -D -m 0644 ${S}/scripts/yocto/files/dtb-swap-carry.service \
        ${D}${systemd_system_unitdir}/dtb-swap-carry.service
}

PACKAGES =+ "${PN}-bash-completion"
FILES:${PN}-bash-completion = "${datadir}/bash-completion"
FILES:${PN} += "${sysconfdir}/hostapp-update-hooks.d"
