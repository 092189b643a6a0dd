# SPDX-License-Identifier: GPL-2.0-only
#
# For kernel recipes, inherited after kernel-balena: the kernel options that the pack's
# modules need, labels in device trees, and carriers of the pack.
#
# What changes variables is Python, which knows neither "_append" nor ":append": the class
# is the same for all releases.

inherit boardpack-machine
require conf/boardpack-kconfig.inc

# Blocks of kernel options: those of conf/boardpack-kconfig.inc that are wanted.
BOARDPACK_BLOCKS ?= "leds rtc usb dtb-swap"
BOARDPACK_SYMBOLS ?= "1"

# The same blocks as files, for kernel-balena-override.
FILESEXTRAPATHS =. "${BOARDPACK_LAYER}/kconfig:"
KERNEL_BALENA_OVERRIDE_FRAGMENTS += "${@boardpack_fragments(d)}"

def boardpack_blocks(d):
    """Return the names of the blocks for this machine: an x86 kernel has no device tree to swap."""
    wanted = (d.getVar('BOARDPACK_BLOCKS') or '').split()
    known = d.getVarFlags('BOARDPACK_KCONFIG') or {}
    for name in wanted:
        if name not in known:
            bb.fatal('boardpack: BOARDPACK_BLOCKS has no block "%s": there are %s'
                     % (name, ' '.join(sorted(set(known) - {'of'}))))
    if not boardpack_trees(d):
        return [name for name in wanted if name not in ('trees', 'dtb-swap')]
    return wanted + ['of'] if wanted else []

def boardpack_fragments(d):
    """Return the files of the blocks; one that is not checked has none."""
    return ' '.join('boardpack-%s.cfg' % name for name in boardpack_blocks(d)
                    if d.getVarFlag('BOARDPACK_KCONFIG', name))

def boardpack_carriers(d):
    """Return the sources of the carriers that are wanted."""
    import glob
    trees = os.path.join(d.getVar('BOARDPACK_TOP'), 'dts')
    known = {os.path.basename(path)[:-len('.dts')]: path
             for path in glob.glob(os.path.join(trees, '*', '*.dts'))}
    for name in d.getVar('BOARDPACK_CARRIERS').split():
        if name not in known:
            bb.fatal('boardpack: BOARDPACK_CARRIERS has no carrier "%s": there are %s'
                     % (name, ' '.join(sorted(known))))
    return [known[name] for name in d.getVar('BOARDPACK_CARRIERS').split()]

def boardpack_labels(d):
    """Return the option for labels, where the kernel's dtc knows it (4.11 on)."""
    source = os.path.join(d.getVar('S'), 'scripts', 'dtc', 'dtc.c')
    if os.path.exists(source):
        with open(source, encoding='utf-8', errors='replace') as stream:
            if 'generate_symbols' not in stream.read():
                return ''
    return '-@'

python boardpack_asked() {
    if not any(bb.data.inherits_class(name, d) for name in ('kernel-balena', 'kernel-resin')):
        bb.fatal('boardpack: %s does not inherit kernel-balena, which sets the kernel options: '
                 'write "inherit kernel-balena" before "inherit boardpack"' % d.getVar('PN'))
}
do_configure[prefuncs] += "boardpack_asked"

# A driver that the board has built in may be there before the root file system: what is asked for
# as a module leaves it so.
python boardpack_keep_builtin() {
    with open(os.path.join(d.getVar('B'), '.config'), encoding='utf-8') as stream:
        builtin = {line[:-len('=y\n')] for line in stream if line.endswith('=y\n')}
    folder = os.path.join(d.getVar('WORKDIR'), 'boardpack-kconfig')
    bb.utils.mkdirhier(folder)
    for name in boardpack_blocks(d):
        text = d.getVarFlag('BALENA_CONFIGS', 'boardpack-' + name)
        if not text:
            continue
        lines = [line for line in text.split()
                 if not (line.endswith('=m') and line[:-len('=m')] in builtin)]
        d.setVarFlag('BALENA_CONFIGS', 'boardpack-' + name, ' '.join(lines))
        with open(os.path.join(folder, 'boardpack-%s.cfg' % name), 'w', encoding='utf-8') as stream:
            stream.write('\n'.join(lines + ['']))
    d.setVar('FILESPATH', '%s:%s' % (folder, d.getVar('FILESPATH')))
}
do_kernel_resin_injectconfig[prefuncs] += "boardpack_keep_builtin"
do_kernel_resin_checkconfig[prefuncs] += "boardpack_keep_builtin"
do_kernel_balena_merge_fragments[prefuncs] += "boardpack_keep_builtin"
do_kernel_balena_verify_fragments[prefuncs] += "boardpack_keep_builtin"

python boardpack_add_carriers() {
    import shutil
    trees = os.path.join(d.getVar('BOARDPACK_TOP'), 'dts')
    prefixes = os.path.join(d.getVar('S'), 'scripts', 'dtc', 'include-prefixes', 'blocks')
    bb.utils.remove(prefixes, recurse=True)
    shutil.copytree(os.path.join(trees, 'blocks'), prefixes)
    for path in boardpack_carriers(d):
        vendor = os.path.basename(os.path.dirname(path))
        place = os.path.join(d.getVar('S'), 'arch', d.getVar('ARCH'), 'boot', 'dts', vendor)
        bb.utils.mkdirhier(place)
        shutil.copy(path, place)
}

python () {
    blocks = boardpack_blocks(d)
    for name in blocks:
        for variable, flags in (('BALENA_CONFIGS', 'BOARDPACK_KCONFIG'),
                                ('BALENA_CONFIGS_DEPS', 'BOARDPACK_KCONFIG_DEPS')):
            text = d.getVarFlag(flags, name)
            if text:
                d.setVarFlag(variable, 'boardpack-' + name, text)
    d.appendVar('BALENA_CONFIGS', ''.join(' boardpack-' + name for name in blocks))
    for task in ('injectconfig', 'reconfigure', 'checkconfig'):
        d.appendVarFlag('do_kernel_resin_' + task, 'vardeps',
                        ' BOARDPACK_BLOCKS BOARDPACK_KCONFIG BOARDPACK_KCONFIG_DEPS')

    labelled = '-@' in (d.getVar('KERNEL_DTC_FLAGS') or '').split()
    if d.getVar('BOARDPACK_SYMBOLS') == '1' and boardpack_trees(d) and not labelled:
        d.appendVar('KERNEL_DTC_FLAGS', ' ${@boardpack_labels(d)}')

    for path in boardpack_carriers(d):
        vendor, name = path.split(os.sep)[-2:]
        d.appendVar('KERNEL_DEVICETREE', ' %s/%s.dtb' % (vendor, name[:-len('.dts')]))
        d.appendVarFlag('do_configure', 'file-checksums', ' %s:True' % path)
    if d.getVar('BOARDPACK_CARRIERS').strip():
        blocks = os.path.join(d.getVar('BOARDPACK_TOP'), 'dts', 'blocks')
        d.appendVarFlag('do_configure', 'file-checksums', ' %s:True' % blocks)
        d.appendVarFlag('do_configure', 'prefuncs', ' boardpack_add_carriers')
}
