# SPDX-License-Identifier: GPL-2.0-only

SUMMARY = "The modules as a hostapp extension, for an image that was built without them"
LICENSE = "GPL-2.0-only"

def boardpack_extensions(d):
    """Tell whether this meta-balena knows extensions (8.0 on)."""
    return bool(bb.utils.which(d.getVar('BBPATH'), 'classes/balena-hostapp-extension.bbclass'))

inherit boardpack-machine
inherit ${@'balena-hostapp-extension' if boardpack_extensions(d) else ''}

IMAGE_INSTALL = "boardpack boardpack-units"
IMAGE_FSTYPES = "tar.gz"
IMAGE_FEATURES = ""
IMAGE_LINGUAS = ""

# Where the kernel recommends its image to its modules, that would come along.
NO_RECOMMENDATIONS = "1"

# It only adds files: nothing of the host is replaced.
HOSTAPP_EXTENSION_LABEL_OVERRIDE = ""
HOSTAPP_EXTENSION_LABELS = '--change \
    "LABEL io.balena.image.kernel-version=$(boardpack_kernel_version)"'

# mobynit takes an extension with /lib/modules/<release> for a kernel, and leaves it out where
# another runs; the host's modules.dep would not know of ours anyway. So they lie elsewhere, and
# modprobe is told where.
BOARDPACK_PLACE = "/usr/lib/boardpack"
ROOTFS_POSTPROCESS_COMMAND += "boardpack_move_modules;"

boardpack_move_modules() {
    place=${IMAGE_ROOTFS}${BOARDPACK_PLACE}
    install -d $place ${IMAGE_ROOTFS}/etc/modprobe.d
    for ko in $(find ${IMAGE_ROOTFS} -name '*.ko' -o -name '*.ko.*'); do
        file=$(basename $ko)
        echo "$ko" | sed 's|.*/lib/modules/\([^/]*\)/.*|\1|' >$place/release
        mv $ko $place/$file
        echo "install ${file%%.*} /sbin/insmod ${BOARDPACK_PLACE}/$file '\$CMDLINE_OPTS'"
    done >${IMAGE_ROOTFS}/etc/modprobe.d/boardpack-extension.conf
    rm -rf ${IMAGE_ROOTFS}/lib/modules ${IMAGE_ROOTFS}/usr/lib/modules
    [ -s $place/release ] || bbfatal "the image has no module of the pack"
    if [ -n "${BOARDPACK_LED_FILE}" ]; then
        drop=${IMAGE_ROOTFS}/etc/systemd/system/balena-supervisor.service.d
        install -d $drop
        echo "LED_FILE=${BOARDPACK_LED_FILE}" >$place/supervisor.conf
        printf '[Service]\nEnvironmentFile=%s\n' ${BOARDPACK_PLACE}/supervisor.conf \
            >$drop/boardpack.conf
    fi
}

# As mobynit compares it: up to the first hyphen.
boardpack_kernel_version() {
    tar -xzOf "$TARBALL" .${BOARDPACK_PLACE}/release | sed 's/-.*//'
}

python () {
    if not boardpack_extensions(d):
        raise bb.parse.SkipRecipe('this meta-balena has no class balena-hostapp-extension')
}
