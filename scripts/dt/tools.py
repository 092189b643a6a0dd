# SPDX-License-Identifier: GPL-2.0-only
"""What the verifiers of device trees share: where kernels are, and the tools."""

import contextlib
import difflib
import errno
import fcntl
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

import archive
from archive import CACHE, TOP, bench

LIBFDT = ('fdt', 'fdt_ro', 'fdt_rw', 'fdt_wip', 'fdt_sw', 'fdt_overlay', 'fdt_strerror',
          'fdt_empty_tree', 'fdt_addresses')
# Trees are checked when they are read and changed only by libfdt, which then need not
# check them at every step: see enum in libfdt_internal.h.
FLAWLESS = '-DFDT_ASSUME_MASK=0x37'
# What fdt_overlay.c is to call: see dt-memo.c.
INSTEAD = [f'-Dfdt_{name}=dt_{name}'
           for name in ('find_max_phandle', 'node_offset_by_phandle', 'setprop', 'add_subnode')]
# It runs outside of the tool root, too, with whatever C library there is.
STATIC = '-static'
LIBRARY = TOP / 'scripts/dtb-swap'
BLOBS = ('.dtb', '.dtbo')
BUILD = threading.Lock()
# The kernel whose source and schemas are used where no other is asked for, a newer one, and one
# for boards that neither has.
USED = KERNEL, NEWER, NEXT = '6.12', '7.2', '7.3'


class Wrong(Exception):
    """A source is wrong; the text says where and how."""


class Skipped(Exception):
    """There is nothing to look at; the text says why."""


def refused(error):
    """Return what the system said of a file, and what to do, as a line."""
    mend = {errno.ENAMETOOLONG: ': give it a shorter one', errno.ENOSPC: ': make room there'}
    name = error.filename2 or error.filename
    return f'{f"{name}: " if name else ""}{error.strerror}{mend.get(error.errno, "")}'


def put(path, data):
    """Write a file, which is there as a whole or not at all, whoever else does it."""
    new = pathlib.Path(f'{path}.{os.getpid()}')
    try:
        new.write_bytes(data)
        new.rename(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from None
    return path


@contextlib.contextmanager
def beside(out):
    """Give a folder in another, for what takes its name there once all is there.

    The tool root kills who is in it when it is ended: what such a one has left goes first.
    """
    out.mkdir(parents=True, exist_ok=True)
    lock = os.open(out, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):      # not every file system has locks
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in filter(pathlib.Path.is_dir, out.glob('tmp*')):
                shutil.rmtree(left)
        with tempfile.TemporaryDirectory(dir=out) as new:
            yield pathlib.Path(new)
    finally:
        os.close(lock)


def near(name, known, count=3):
    """Return the nearest of some labels, as the end of a sentence."""
    found = difflib.get_close_matches(name, sorted(known), count, 0)
    return f'; nearest: {", ".join(found)}' if found else ''


def named(words):
    """Return the files that a user names, as one where make has split its path at blanks: what
    make was told is in its environment."""
    told = os.environ.get('DTS', '').strip()
    if len(words) > 1 and (TOP / told).is_file():
        words = [TOP / told]
    for path in map(pathlib.Path, words):
        if not path.is_file():
            blank = '; to make a blank is the end of a name: name a file with a blank in its path ' \
                'alone' if len(words) > 1 and told else ''
            raise Wrong(f'there is no file {path}{blank}')
        try:
            _ = path.suffix in BLOBS or path.read_text(encoding='utf-8')
        except UnicodeDecodeError as error:
            line = error.object.count(b'\n', 0, error.start) + 1
            raise Wrong(f'{path}:{line}: not UTF-8') from None
    return [*map(pathlib.Path, words)]


class Package:
    """A Debian package that is unpacked when it is asked for."""

    def __init__(self, suite, arch, name):
        self.where = suite, arch, name

    def unpack(self, into):
        """Unpack it into a folder."""
        bench.APT.unpack(*self.where, into)


def kernels():
    """Return the kernels of the bench, and those that there are trees of, by name."""
    return {**archive.TREES, **bench.KERNELS}


@functools.lru_cache(maxsize=None)
def linux_source():
    """Return Debian's kernel source."""
    return bench.linux_source()


@functools.lru_cache(maxsize=None)
def newer_source(version):
    """Return what device trees need of a newer kernel's source."""
    return archive.source(version)


def sources(kernel):
    """Return the source of a kernel, as far as device trees need it."""
    version = kernel.partition('-')[0]
    return newer_source(version) if version in USED[1:] else linux_source()


def package(arch, name):
    """Return the usr folder of a package of Debian's."""
    folder = CACHE / 'packages' / name / arch
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = pathlib.Path(f'{folder}.{os.getpid()}')
        Package('trixie', arch, name).unpack(new)
        new.rename(folder)
    return folder / 'usr'


@functools.lru_cache(maxsize=None)
def dt_apply():
    """Return the program that applies overlays, built when its sources changed."""
    # The kernel's libfdt as source, to be inlined; it lacks fdt_check_full().
    fdt = linux_source() / 'scripts/dtc/libfdt'
    sources = sorted(LIBRARY.glob('dtb*.[ch]')) + sorted((TOP / 'scripts/dt').glob('*.[ch]'))
    key = hashlib.sha256(b''.join([FLAWLESS.encode(), *map(str.encode, (*INSTEAD, STATIC)),
                                   *(path.read_bytes() for path in sources)])).hexdigest()
    program = CACHE / 'dt' / f'dt-apply-{key[:12]}'
    with BUILD:     # the first who need it are threads
        if not program.exists():
            build_apply(sources, fdt, program)
    return program


def build_apply(sources, fdt, program):
    """Build it."""
    new = f'{program}.{os.getpid()}'
    with tempfile.TemporaryDirectory() as work:
        compile_c([path for path in sources if path.suffix == '.c'], work, fdt,
                  '-Wall', '-Wextra', '-Wno-sign-compare', '-Werror')
        compile_c([fdt / f'{name}.c' for name in LIBFDT], work, fdt, '-w')
        compile_c([fdt / 'fdt_overlay.c'], work, fdt, '-w', *INSTEAD)
        program.parent.mkdir(exist_ok=True)
        careful_check(f'{work}/fdt_check.o')
        run_cc('-w', STATIC, '-o', new, *pathlib.Path(work).glob('*.o'))
    os.rename(new, program)


def careful_check(out):
    """Take fdt_check_full() from Debian's archive, with all that it calls, for itself."""
    run('ld', '-r', '-u', 'fdt_check_full', '-o', out, next(package('amd64', 'libfdt-dev').glob('lib/*/libfdt.a')))
    run('objcopy', '--keep-global-symbol=fdt_check_full', out)


def compile_c(sources, work, fdt, *warnings):
    """Compile C files into a folder."""
    for source in sources:
        run_cc(*warnings, FLAWLESS, '-D_GNU_SOURCE', f'-I{fdt}', f'-I{LIBRARY}', '-c', source, '-o',
               f'{work}/{source.stem}.o')


def run_cc(*args):
    """Run the compiler of this machine."""
    run('gcc', '-O3', '-flto=auto', *args)


def run(*command):
    """Run a tool; if it fails, so does everything."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f'{command[0]}: status {done.returncode}: {done.stderr}')


def cpp(top, *folders):
    """Return the command that preprocesses a tree, as the kernel's makefiles have it."""
    return ['cpp', '-nostdinc', '-undef', '-D__DTS__', '-x', 'assembler-with-cpp',
            *(f'-I{folder}' for folder in folders), f'-I{top}/scripts/dtc/include-prefixes',
            f'-I{top}/include']
