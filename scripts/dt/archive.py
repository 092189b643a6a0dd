# SPDX-License-Identifier: GPL-2.0-only
"""What only device trees need of Debian: kernels that are not booted, and newer sources."""

import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = pathlib.Path(os.environ['BOARDPACK_CACHE'])
# The packages are the test bench's business.
sys.path.insert(0, str(TOP / 'selftests/qemu'))

# pylint: disable=wrong-import-position
import debian                   # noqa: E402
import kernel as bench          # noqa: E402

# Suites, and their architectures that the bench has nothing of or does not ask for
SUITES = {'bullseye': 'armhf', 'bookworm': 'armhf', 'sid': 'amd64,armhf', 'experimental': 'amd64'}
# Where a kernel's source is, and where it is at first
NEWEST = ('sid', 'experimental')
# What device trees need of a source
PARTS = ('arch/arm64/boot/dts', 'arch/arm/boot/dts', 'include/dt-bindings', 'include/uapi/linux',
         'scripts/dtc/include-prefixes', 'Documentation/devicetree/bindings')


class Apt(debian.Apt):
    """These suites, with lists of their own."""

    suites = SUITES
    purpose = ' for device trees'

    def __init__(self):
        super().__init__()
        self.dir = CACHE / 'dt/apt'
        self.conf = self.dir / 'apt.conf'

    def _run(self, *args, cwd=None):
        # The tool root prefers a suite that is not among these.
        return super()._run(args[0], '-o', 'APT::Default-Release=', *args[1:], cwd=cwd)


APT = Apt()


class Trees(bench.Kernel):
    """A kernel of which the trees are wanted, and nothing else."""

    def _fetch(self, new):
        image = APT.newest(self.suite, self.arch, self.package)
        debian.say(f'trees of {self.name}: fetching {image}')
        APT.unpack(self.suite, self.arch, image, new)
        for path in new.rglob('*'):
            if not path.is_dir() and path.suffix != '.dtb':
                path.unlink()
        (new / 'release').write_text(re.sub('linux-(image|base)-', '', image) + '\n',
                                     encoding='ascii')


TREES = {one.name: one for one in (
    Trees('7.2-armhf', 'armhf', 'sid', r'linux-base-7\.2\.[0-9]+\+deb14-armmp'),
    Trees('6.1-armhf', 'armhf', 'bookworm', r'linux-image-6\.1\.0-[0-9]+-armmp'),
    Trees('5.10-armhf', 'armhf', 'bullseye', r'linux-image-5\.10\.0-[0-9]+-armmp'))}


def source(version):
    """Return what device trees need of the source of a kernel, where Debian has it newest."""
    try:
        return _source(version)
    except debian.Outdated:
        return _source(version)


def _source(version):
    name = f'linux-source-{version}'
    suite = next((suite for suite in NEWEST if name in APT.packages(suite, 'amd64')), None)
    if not suite:
        raise SystemExit(f'{" and ".join(NEWEST)} have no {name}: is the mirror complete? '
                         f'(remove {APT.dir} to look again)')
    tree = CACHE / f'dt-source-{APT.field(suite, "amd64", name, "Version")}'
    with open(CACHE / 'dt-source.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            unpack(suite, name, tree)
    return tree


def unpack(suite, name, tree):
    """Fetch a source and keep those parts of it."""
    new = pathlib.Path(f'{tree}.new')
    shutil.rmtree(new, ignore_errors=True)
    APT.unpack(suite, 'amd64', name, new / 'deb')
    tarball = next((new / 'deb/usr/src').glob('*.tar.xz'))
    subprocess.run(['tar', '-C', new, '--strip-components=1', '--wildcards', '-xf', tarball,
                    *(f'*/{part}' for part in PARTS)], check=True)
    shutil.rmtree(new / 'deb')
    new.rename(tree)
