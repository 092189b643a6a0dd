# SPDX-License-Identifier: GPL-2.0-only
"""Build folders for bitbake: the trees of a release, and layers that stand for a family's."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections import namedtuple

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
LAYER = TOP / 'scripts/yocto/meta-boardpack'
TABLE = TOP / 'scripts/boards.tsv'
RELEASES = ('dunfell', 'honister', 'kirkstone', 'scarthgap', 'wrynose')
OLD_SYNTAX = ('dunfell',)        # where the families' layers write _append
TUNES = {'aarch64': 'cortexa53', 'armv7hf': 'cortexa7', 'rpi': 'arm1176jzfs', 'amd64': 'corei7',
         'i386': 'i686', 'i386-nlp': 'i586'}
TARGETS = {'aarch64': 'aarch64', 'armv7hf': 'arm', 'rpi': 'arm', 'amd64': 'x86_64'}
# An LED of a layer of its own, which the pack's has to win against.
FAMILY_LED = '/sys/class/leds/of-the-family/brightness'


class Failed(Exception):
    """bitbake did not answer."""


def boards():
    """Return the rows of boards.tsv, named by the last line of its heading."""
    lines = TABLE.read_text(encoding='utf-8').splitlines()
    heading = [line for line in lines if line.startswith('# slug\t')][-1]
    row = namedtuple('Board', heading[2:].split('\t'))
    return [row(*line.split('\t')) for line in lines if line and not line.startswith('#')]


class Release:
    """The trees of one release of Yocto, below the folder that YOCTO names."""

    def __init__(self, name, folder):
        self.name = name
        self.trees = folder / name
        self.balena = folder / 'meta-balena'

    def lacks(self):
        """Return the trees that are not there."""
        needed = (self.trees / 'bitbake/lib/bb', self.trees / 'openembedded-core/meta',
                  self.balena / 'meta-balena-common', self.balena / f'meta-balena-{self.name}')
        return [str(path) for path in needed if not path.is_dir()]

    def base(self):
        """Return the layers under a family's."""
        return [self.trees / 'openembedded-core/meta', self.balena / 'meta-balena-common',
                self.balena / f'meta-balena-{self.name}']

    def tune(self, arch):
        """Return what a machine of an architecture includes; the folders differ by release."""
        meta = self.trees / 'openembedded-core/meta'
        found = (meta / 'conf/machine/include').rglob(f'tune-{TUNES[arch]}.inc')
        return next(found).relative_to(meta)

    def real(self, layer, recipe):
        """Return a family's own layers, where they are there."""
        found = sorted(path.parent.parent for path in
                       (self.trees / 'layers' / f'{layer}-{recipe}').glob('**/conf/layer.conf'))
        return [path for path in found if not any(
            other in path.parents and (other / 'conf/layer.conf').exists() for other in found)]


def write(path, text):
    """Write a file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding='utf-8')


def stub(folder, release, row):
    """Write a layer that has what a family's has: a collection, its machine, its kernel."""
    old = release.name in OLD_SYNTAX
    # As families do for layers that do not name their release.
    adopted = ''.join(f'LAYERSERIES_COMPAT_{name} = "{release.name}"\n'
                      for name in ('balena-common', 'boardpack')) if old else ''
    write(folder / 'conf/layer.conf', f'''BBPATH .= ":${{LAYERDIR}}"
BBFILES += "${{LAYERDIR}}/recipes-*/*/*.bb ${{LAYERDIR}}/recipes-*/*/*.bbappend"
BBFILE_COLLECTIONS += "{row.layer}"
BBFILE_PATTERN_{row.layer} = "^${{LAYERDIR}}/"
BBFILE_PRIORITY_{row.layer} = "1337"
LAYERSERIES_COMPAT_{row.layer} = "{release.name}"
{adopted}''')
    kernel = row.recipe.removesuffix('.bb')
    write(folder / f'conf/machine/{row.machine}.conf', f'''
require {release.tune(row.arch)}
PREFERRED_PROVIDER_virtual/kernel = "{kernel}"
KERNEL_IMAGETYPE = "Image"
''')
    recipe = '''SUMMARY = "Stands for a kernel"
LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://COPYING;md5=0"
SRC_URI = ""
inherit kernel
'''
    place = folder / 'recipes-kernel/linux'
    suffix = '' if row.recipe.endswith('.bb') else '_5.15'
    write(place / f'{kernel}{suffix}.bb', recipe + 'PV = "5.15"\n')
    write(place / f'{kernel}{suffix}.bbappend', 'inherit kernel-balena\n'
          f'BALENA_CONFIGS{"_" if old else ":"}append = " its-own"\n'
          'BALENA_CONFIGS[its-own] = "CONFIG_ITS_OWN=y"\n')
    if suffix:
        write(place / f'{kernel}_4.4.bb', recipe + 'PV = "4.4"\n')
    write(place / 'linux-another_5.15.bb', recipe)
    write(place / 'linux-override_5.15.bb', recipe)
    write(place / 'linux-override_5.15.bbappend',
          'inherit kernel-balena-override\ninherit boardpack\n')
    write(folder / 'recipes-containers/stub/balena-supervisor.bbappend',
          f'LED_FILE{"_" if old else ":"}{row.machine} = "{FAMILY_LED}"\n')
    return [folder]


def build_folder(folder, layers, machine, more=''):
    """Write the configuration of a build."""
    names = ' '.join(map(str, layers))
    write(folder / 'conf/bblayers.conf',
          f'BBPATH = "${{TOPDIR}}"\nBBFILES ?= ""\nBBLAYERS = "{names}"\n')
    write(folder / 'conf/local.conf', f'''CONF_VERSION = "2"
MACHINE = "{machine}"
DISTRO_FEATURES:append = " systemd"
INIT_MANAGER = "systemd"
INHERIT:remove = "sanity"
HOSTTOOLS:forcevariable = "python3"
BB_NO_NETWORK = "1"
BB_SERVER_TIMEOUT = "0"
TMPDIR = "${{TOPDIR}}/tmp"
SUPERVISOR_FLEET = "any"
SIGN_API = ""
HOSTOS_VERSION = "1.0.0"
LICENSE_FLAGS_ACCEPTED = "commercial"
{more}''')


def locales(folder):
    """Have the locale that bitbake asks for, in a folder of our own."""
    place = folder / 'locale/en_US.UTF-8'
    if not place.exists():
        source = next(path for path in (pathlib.Path('/usr/lib/locale/C.utf8'),
                                        pathlib.Path('/usr/lib/locale/C.UTF-8')) if path.is_dir())
        shutil.copytree(source, place)
    return place.parent


def ask(release, folder, questions):
    """Return what bitbake answers in a build folder."""
    env = {'PATH': f'{release.trees}/bitbake/bin:{os.environ["PATH"]}', 'HOME': str(folder),
           'PYTHONPATH': f'{release.trees}/bitbake/lib', 'LC_ALL': 'en_US.UTF-8',
           'LOCPATH': str(locales(folder.parent)), 'PYTHONDONTWRITEBYTECODE': '1',
           'BB_ENV_PASSTHROUGH_ADDITIONS': 'LOCPATH', 'BBPATH': str(folder),
           'BUILDDIR': str(folder)}
    done = subprocess.run([sys.executable, TOP / 'scripts/yocto/parse.py'], cwd=folder, env=env,
                          input=json.dumps({'questions': questions, 'layer': str(LAYER)}),
                          capture_output=True, text=True, timeout=300, check=False)
    if done.returncode or not done.stdout:
        said = [line for line in done.stderr.splitlines() if not re.match(r'\s+File |NOTE', line)]
        raise Failed('\n'.join(said[-15:]))
    told = json.loads(done.stdout)
    said = '\n'.join(dict.fromkeys(re.findall(r'^ERROR: .*', done.stderr, re.M)))
    for answer in (one for answers in told['answers'] for one in answers if 'error' in one):
        answer['error'] += f'\n{said}'
    return told
