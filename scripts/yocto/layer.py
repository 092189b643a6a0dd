# SPDX-License-Identifier: GPL-2.0-only
"""The files of meta-boardpack that are generated: from boards.tsv, overlays/ and kconfig/."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
LAYER = TOP / 'scripts/yocto/meta-boardpack'
sys.path.insert(0, str(TOP / 'scripts/dt'))

# pylint: disable=wrong-import-position
import overlays             # noqa: E402
from boards import boards   # noqa: E402
from tools import Wrong     # noqa: E402

SPDX = '# SPDX-License-Identifier: GPL-2.0-only\n#\n'
MADE = 'made by scripts/yocto/generate\n'
# A kernel without device trees is not asked for what only those need.
TREE_ONLY = ('CONFIG_OF',)
SET = re.compile(r'(CONFIG_\w+)=(\S+)')
UNSET = re.compile(r'# (CONFIG_\w+) is not set')


def known():
    """Return the boards whose layer and kernel recipe are known."""
    return [row for row in boards() if '-' not in (row.machine, row.layer, row.recipe)]


def append_name(recipe):
    """Return what the append for a kernel recipe is called, whatever its version."""
    return f'{recipe}append' if recipe.endswith('.bb') else f'{recipe}_%.bbappend'


def appends():
    """Return {path: text} of one append for each kernel recipe."""
    found = {}
    for layer, recipe in sorted({(row.layer, row.recipe) for row in known()}):
        slugs = [row.slug for row in known() if (row.layer, row.recipe) == (layer, recipe)]
        lines = ''.join(f'# {slug}\n' for slug in slugs)
        path = f'dynamic-layers/{layer}/recipes-kernel/linux/{append_name(recipe)}'
        found[path] = f'{SPDX}# {MADE}#\n# For\n{lines}\ninherit boardpack-family\n'
    return found


def layers():
    """Return the text that tells bitbake where the appends are.

    Several kernels share a layer's name; only the one that the machine builds is looked
    for, since an append without its recipe is an error.
    """
    lines = ''.join(
        f'    {layer}:${{LAYERDIR}}/dynamic-layers/{layer}/recipes-kernel/linux/'
        '${PREFERRED_PROVIDER_virtual/kernel}[_.]*bbappend \\\n'
        for layer in sorted({row.layer for row in known()}))
    return f'{SPDX}# {MADE}\nBBFILES_DYNAMIC += " \\\n{lines}"\n'


def flags(variable, values):
    """Return lines that set the flags of a variable."""
    return ''.join(f"{variable}[{name}] = '{text}'\n" for name, text in values)


def by_machine(column):
    """Return (machine, value) of a column of the boards; the two must not differ."""
    found = {}
    for row in boards():
        value = getattr(row, column)
        if row.machine != '-' and found.setdefault(row.machine, value) != value:
            raise Wrong(f'scripts/boards.tsv: {row.slug}: the {column} of machine '
                        f'{row.machine} is "{value}" here and "{found[row.machine]}" elsewhere')
    return [(name, value) for name, value in sorted(found.items()) if value != '-']


def shipped(family):
    """Return the names of a family's overlays, without those whose lines are to be given."""
    return ' '.join(source.stem for source in overlays.sources()
                    if family in overlays.served(source) and
                    (source.stem != 'modem-slot' or family.startswith('raspberry')))


def definitions(family):
    """Return what the sources are told for a family."""
    return '|'.join(word.removeprefix('-D') for word in overlays.defines(family))


def machines():
    """Return the text of what is known of each machine, and of the families' overlays."""
    used = {value for _, value in by_machine('family')}
    families = [name for name in overlays.families() if name in used]
    return (f'{SPDX}# {MADE}\n'
            '# Of the machine: LEDs for identify, by preference.\n'
            + flags('BOARDPACK_MACHINE_LEDS', by_machine('leds')) +
            '\n# Whose overlays are for it.\n'
            + flags('BOARDPACK_MACHINE_FAMILY', by_machine('family')) +
            '\n# Where on the boot partition its bootloader looks for overlays.\n'
            + flags('BOARDPACK_MACHINE_BOOT_OVERLAYS', by_machine('overlays')) +
            '\n# Of the family: its overlays, and what their sources are told.\n'
            + flags('BOARDPACK_OVERLAYS', [(name, shipped(name)) for name in
                                           [overlays.GENERIC, *families]])
            + flags('BOARDPACK_DEFINES', [(name, definitions(name)) for name in families]))


def fragments():
    """Return {block: path} of the fragments that an image's kernel is asked for."""
    folder = TOP / 'kconfig'
    paths = [path for path in folder.glob('*.config') if not path.name.startswith('test-')]
    return {path.stem: path for path in sorted([*paths, *folder.glob('image/*.config')])}


def requests(path):
    """Return the requests of a fragment, and those that are set and not checked."""
    checked, unchecked, into = [], [], None
    for line in path.read_text(encoding='utf-8').splitlines():
        match, unset = SET.fullmatch(line), UNSET.fullmatch(line)
        if line.startswith('#') and not unset:
            into = unchecked if line.startswith('# Unchecked') else checked
        elif match or unset:
            into.append(line if match else f'{unset[1]}=n')
    return checked, unchecked


def blocks():
    """Return {block: (checked, unchecked)}; 'of' has what only device trees need."""
    found, trees = {}, []
    for name, path in fragments().items():
        checked, unchecked = requests(path)
        trees += [line for line in checked if SET.fullmatch(line)[1] in TREE_ONLY]
        found[name] = [line for line in checked if line not in trees], unchecked
    found['of'] = sorted(set(trees)), []
    return found


def kconfig():
    """Return {path: text} of the blocks, for kernel-balena and for kernel-balena-override."""
    all_blocks = blocks()
    names = [(name, ' '.join(block[0])) for name, block in all_blocks.items()]
    early = [(name, ' '.join(block[1])) for name, block in all_blocks.items() if block[1]]
    files = {'conf/boardpack-kconfig.inc':
             f'{SPDX}# {MADE}\n' + flags('BOARDPACK_KCONFIG', names) +
             '\n# Set before, and not checked afterwards.\n'
             + flags('BOARDPACK_KCONFIG_DEPS', early)}
    for name, (checked, unchecked) in all_blocks.items():
        if checked:
            files[f'kconfig/boardpack-{name}.cfg'] = \
                f'{SPDX}# {MADE}\n' + '\n'.join([*unchecked, *checked]) + '\n'
    return files


def files():
    """Return {path: text} of all files that are generated."""
    return {**appends(), **kconfig(), 'conf/boardpack-layers.inc': layers(),
            'conf/boardpack-machines.inc': machines()}


def there(folder=LAYER):
    """Return the paths of the files that say that they were generated, not of editors' copies."""
    return {str(path.relative_to(folder)) for path in folder.rglob('*')
            if path.is_file() and path.read_bytes().startswith(f'{SPDX}# {MADE}'.encode())}
