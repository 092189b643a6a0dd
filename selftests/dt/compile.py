#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""make dtb compiles a user's tree or overlay, as README and make help say, or tells why not."""

import pathlib
import re
import shutil
import sys
import tempfile

import libfdt

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
OUT = TOP / 'out/dtb'
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from ktap import Tap                # noqa: E402
from tap import run                 # noqa: E402

FIELD = TOP / 'dts/freescale/imx8mp-field.dts'
OVERLAY = '''/dts-v1/;
/plugin/;

#define BASES "fsl,imx8mp"
#define I2C_BUS i2c3
#define RTC_CHIP "maxim,ds3231"
#define RTC_UNIT 68
/ { compatible = BASES; };
#include <blocks/battery-rtc.dtsi>
#include "beside.dtsi"
'''

# No room for what was compiled, which was elsewhere.
FULL = '''import resource, runpy, sys
sys.path.insert(0, 'scripts/dt')
import trees
compiled = trees.File.compile
def full(self):
    said = compiled(self)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    return said
trees.File.compile = full
runpy.run_path('scripts/dt/compile', run_name='__main__')
'''


# No room for what the verifier compiles.
CHECK_FULL = '''import resource, runpy, sys
sys.path.insert(0, 'scripts/dt')
import bases
import trees
from tools import dt_apply
dt_apply(), bases.claimed(())
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
runpy.run_path('scripts/dt/check', run_name='__main__')
'''
# No folder to work in.
NO_WORK = '''import runpy, sys, tempfile
def none(*_, **how):
    raise PermissionError(13, 'Permission denied', '/tmp')
tempfile.TemporaryDirectory = none
runpy.run_path('scripts/dt/check', run_name='__main__')
'''


def make(*words, what='dtb'):
    """Do what make dtb does, in the tool root that this runs in; return status and what it said."""
    told = run('make', '-n', '-s', '-C', TOP, what, *words).stdout
    if not told.startswith('scripts/toolroot '):
        return -1, told
    # As make does, by a shell, with what it was told in the environment.
    done = run('env', *words, 'sh', '-c', told.removeprefix('scripts/toolroot '))
    return done.returncode, done.stdout


def built(source):
    """The same of the program that compiles ours."""
    done = run('scripts/dt/build', source)
    return done.returncode, done.stdout


def prop(blob, path, name):
    """A property of a compiled tree, or nothing."""
    try:
        tree = libfdt.Fdt(blob.read_bytes())
        return tree.getprop(tree.path_offset(path), name).as_str()
    except (OSError, libfdt.FdtException):
        return ''


def good(tap, work):
    """Both kinds are where it says, and so is what a file beside them adds."""
    (work / 'my.dtso').write_text(OVERLAY)
    (work / 'beside.dtsi').write_text('&{/} {\n\tmine {\n\t\tlabel = "mine";\n\t};\n};\n')
    for name in ('my.dtso', 'my.dts'):
        source = work / name
        if name == 'my.dts':
            shutil.copy(FIELD, source)
        out = OUT / name.replace('dts', 'dtb')
        out.unlink(missing_ok=True)
        for kernel in ('', '7.2'):
            status, said = make(f'DTS={source}', *([f'KERNELS={kernel}'] if kernel else []))
            tap.result(not status and said == f'out/dtb/{out.name}\n' and out.exists(),
                       f'{name}{kernel and " for "}{kernel}: it says where', said)
    tap.result(prop(OUT / 'my.dtbo', '/fragment@2/__overlay__/mine', 'label') == 'mine' and
               prop(OUT / 'my.dtb', '/rtc-seed', 'compatible') == 'balena,rtc-seed',
               'they are what was asked for')
    (work / 'my.dts').write_text('// an overlay has /plugin/\n' + FIELD.read_text())
    status, said = make(f'DTS={work}/my.dts')
    tap.result(not status and said == 'out/dtb/my.dtb\n', 'a carrier that speaks of overlays', said)
    status, said = make(f'DTS={work}/my.dts {work}/my.dtso')
    tap.result(not status and said == 'out/dtb/my.dtb\nout/dtb/my.dtbo\n', 'both at once', said)


def other(tap, work):
    """What dtc itself includes is beside the source, too."""
    source = work / 'other.dtso'
    source.write_text(OVERLAY.replace('#include "beside', '/include/ "beside'))
    status, said = make(f'DTS={source}')
    tap.result(not status and prop(OUT / 'other.dtbo', '/fragment@2/__overlay__/mine', 'label') == 'mine',
               'a file by /include/', said)


def blank(tap, work):
    """A path with a blank, which make takes for two, is what was meant; warnings in it are seen."""
    folder = work / 'my boards'
    folder.mkdir()
    source = folder / 'blank.dtso'
    source.write_text(OVERLAY.replace('#include "beside.dtsi"\n', ''))
    status, said = make(f'DTS={source}')
    tap.result(not status and said == 'out/dtb/blank.dtbo\n', 'a path with a blank', said)
    status, said = make(f'DTS={source}', 'BASE=imx8mp-evk', what='dt-check')
    tap.result(re.search(rf'^ok \d+ {source}: apply$', said, re.M), 'and dt-check takes it', said)
    warning = folder / 'warning.dts'
    warning.write_text('/dts-v1/;\n\n#include <arm64/freescale/imx8mp-evk.dts>\n\n'
                       '/ {\n\tleds-b {\n\t\tgpios = <&i2c3 1 0>;\n\t};\n};\n')
    status, said = make(f'DTS={warning}')
    tap.result(status and re.search(rf'{warning}:6\.\S+: Warning \(gpios_property\)', said),
               'a warning in it, behind one of the kernel', said)
    status, said = make(f'DTS={source} {warning}')
    tap.result(status == 2 and 'name a file with a blank in its path alone' in said,
               'two such are refused, with what to do', said)


def signs(tap, work):
    """What a shell takes for more than a sign is a part of a name, or is refused as that."""
    for name in ('my (1).dtso', "it's.dtso", 'a&b;c.dtso'):
        source = work / name
        source.write_text(OVERLAY.replace('#include "beside.dtsi"\n', ''))
        status, said = make(f'DTS={source}')
        tap.result(not status and said == f'out/dtb/{source.stem}.dtbo\n', f'a file {name}', said)
    source = work / "it's.dtso"
    status, said = make(f'DTS={source}', "BASE=it's", what='dt-check')
    tap.result(f'ok 1 {source}: style' in said and "no tree it's" in said, 'and dt-check has it', said)
    for words, pattern in (("I2C=i2c'3", 'I2C="i2c\'3": not a label'), ("BASE=it's", "no tree it's")):
        status, said = make('FAMILY=imx8m', 'LED=led_identify', words, what='overlays')
        tap.result(status == 2 and pattern in said, f'{words}: refused', said)


def bad(tap, work):
    """What is wrong is told, and nothing is there of it."""
    (work / 'label.dts').write_text(FIELD.read_text().replace('&usdhc3 {', '&usdhc33 {'))
    (work / 'end.dtso').write_text(OVERLAY.replace('BASES; };', 'BASES; }'))
    (work / 'my.txt').write_text(OVERLAY)
    (work / 'sub').mkdir()
    shutil.copy(FIELD, work / 'sub/my.dts')
    for what, words, pattern in (
            ('a wrong label', (f'DTS={work}/label.dts',),
             r'label\.dts:\d+: no label or path "usdhc33" in this tree; nearest: usdhc3,'),
            ('a wrong overlay', (f'DTS={work}/end.dtso',), r'syntax error'),
            ('no such file', (f'DTS={work}/none.dts',), r'there is no file \S+/none\.dts'),
            ('another kind of file', (f'DTS={work}/my.txt',),
             r'my\.txt: the source of a tree is called \.dts, that of an overlay \.dtso'),
            ('a kernel without sources', (f'DTS={work}/my.dts', 'KERNELS=5.10'),
             'no kernel 5.10 for device trees'),
            ('two of one name', (f'DTS={work}/my.dts {work}/sub/my.dts',), 'would have one name'),
            ('no file', (), 'which file[?] make dtb DTS=my.dts')):
        shutil.rmtree(OUT, ignore_errors=True)
        status, said = make(*words)
        tap.result(status == 2 and re.search(pattern, said) and not OUT.exists(),
                   f'{what}: refused', said)


def no_room(tap, work):
    """What cannot be put there is told, and what was there stays."""
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / 'my.dtbo').mkdir(parents=True)
    status, said = make(f'DTS={work}/my.dtso')
    tap.result(status == 2 and said.startswith(f'compile: {OUT}/my.dtbo: Is a directory') and
               [*OUT.iterdir()] == [OUT / 'my.dtbo'], 'a folder in its place: refused', said)
    (OUT / 'my.dtbo').rmdir()
    long = work / f'{"a" * 250}.dts'
    shutil.copy(FIELD, long)
    for what, (status, said) in {'make dtb': make(f'DTS={long}'), 'build': built(long)}.items():
        tap.result(status == 2 and said.endswith('File name too long: give it a shorter one\n') and
                   said.count('\n') == 1 and not [*OUT.iterdir()],
                   f'{what}: a name that is too long: refused', said)
    done = run(sys.executable, '-c', FULL, '6.12', work / 'my.dtso')
    tap.result(done.returncode == 2 and re.fullmatch(r'compile: .*: File too large\n', done.stdout) and
               not [*OUT.iterdir()], 'a full disk: refused', done.stdout)


def check_no_room(tap, work):
    """The verifier tells it, and leaves no base in this folder."""
    (work / 'my.dtso').write_text(OVERLAY.replace('68', '51'))
    (work / 'beside.dtsi').write_text('')
    base = work / 'base-of-mine.dts'        # other tests use what others are there
    shutil.copy(FIELD, base)
    for path in (TOP / 'out/dts').rglob(f'{base.stem}.dtb'):
        path.unlink()
    status, said = make(f'DTS={work}/my.dtso', f'BASE={base}', what='dt-check')
    tap.result(not status and not [*(TOP / 'out/dts').rglob(f'{base.stem}.dtb')],
               'a base of its own', said)
    done = run(sys.executable, '-c', CHECK_FULL, '--base', base, work / 'my.dtso')
    tap.result(done.returncode == 1 and 'Traceback' not in done.stdout and
               re.search(r'^not ok 2 \S+my.dtso: dtc\n# \S+: File too large$', done.stdout, re.M) and
               re.search(r'^not ok 5 \S+my.dtso: schemas\n', done.stdout, re.M), 'a full disk, dt-check', done.stdout)
    done = run(sys.executable, '-c', NO_WORK, work / 'my.dtso')
    tap.result(done.returncode == 2 and re.fullmatch(r'check: .*: Permission denied\n', done.stdout),
               'no folder to work in: refused', done.stdout)


def main():
    """Run all."""
    tap = Tap()
    said = (TOP / 'README.md').read_text(encoding='utf-8')
    tap.result(re.search(r'`out/dtb/my\.dtbo`, or `my\.dtb` of a `my\.dts`:'
                         r'\n\n    make dtb DTS=my\.dtso$', said, re.M), 'README has it')
    with tempfile.TemporaryDirectory() as work:
        good(tap, pathlib.Path(work))
        blank(tap, pathlib.Path(work))
        signs(tap, pathlib.Path(work))
        other(tap, pathlib.Path(work))
        bad(tap, pathlib.Path(work))
        no_room(tap, pathlib.Path(work))
        check_no_room(tap, pathlib.Path(work))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
