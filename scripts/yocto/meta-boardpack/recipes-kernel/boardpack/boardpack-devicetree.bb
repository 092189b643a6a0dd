# SPDX-License-Identifier: GPL-2.0-only

SUMMARY = "Device tree overlays for the machine's family"

# In this order: devicetree.bbclass has a folder of its own for the sources.
inherit boardpack-machine devicetree boardpack-source

BOARDPACK_FILES = "dts overlays"
LICENSE = "GPL-2.0-only | BSD-2-Clause"
PROVIDES = ""
COMPATIBLE_MACHINE = ".*"

# devicetree.bbclass compiles a folder, and sees by the text of a source, which is not
# preprocessed yet, whether it is an overlay. So it gets a source for each overlay that
# has the family's names in front.
DT_FILES_PATH = "${WORKDIR}/boardpack-trees"
DT_INCLUDE = "${S}/overlays ${S}/dts ${KERNEL_INCLUDE}"

python do_configure() {
    place = d.getVar('DT_FILES_PATH')
    bb.utils.remove(place, recurse=True)
    bb.utils.mkdirhier(place)
    bb.utils.mkdirhier(d.getVar('B'))
    family = d.getVar('BOARDPACK_FAMILY')
    lines = (d.getVarFlag('BOARDPACK_DEFINES', family) or '').split('|') if family else []
    text = ''.join('#define %s %s\n' % tuple(line.split('=', 1)) for line in lines if line)
    for name in boardpack_overlays(d):
        with open(os.path.join(place, name + '.dts'), 'w') as stream:
            stream.write(text + '#include "%s.dtso"\n' % name)
}
do_configure[vardeps] += "BOARDPACK_DEFINES BOARDPACK_OVERLAYS"

python () {
    if not boardpack_trees(d):
        raise bb.parse.SkipRecipe('%s has no device tree' % d.getVar('MACHINE'))
}
