#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""merge -o FILE: what was in the file is whole until the merged tree is."""

import errno
import os
import pathlib
import sys
import tempfile

from bench import Tap, program, run, shipped, swap
from faults import compile_injector

OVERLAY = '/dts-v1/; /plugin/; &{/} { merged; };'
FAULTS = {'is killed': 0, 'EIO': errno.EIO, 'ENOSPC': errno.ENOSPC}
# In namespaces of its own: the file has two thirds of a disk, the tree does not fit into the rest.
FULL = '''
import ctypes, os, pathlib, subprocess, sys
point, size = pathlib.Path(sys.argv[1]), int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b'x', bytes(point), b'tmpfs', 0, b'size=%d' % (size * 3 // 2)):
    raise OSError(ctypes.get_errno(), 'mount')
old = bytes(size)
(point / 'out').write_bytes(old)
print('status', subprocess.run(sys.argv[3:]).returncode)
print((point / 'out').read_bytes() == old, os.listdir(point))
'''


class Files:
    """A tree, an overlay, and what comes of both."""

    def __init__(self, folder):
        self.folder, self.base = folder, shipped('6.12', 'imx8mm-var-som-symphony')
        self.overlay, self.merged = folder / 'x.dtbo', folder / 'merged'
        run('dtc', '-q', '-o', self.overlay, '-', input=OVERLAY)
        swap('merge', self.base, self.overlay, '-o', self.merged)
        self.data = self.merged.read_bytes()

    def command(self, out):
        """The words of a merge."""
        return (*program(), 'merge', self.base, self.overlay, '-o', out)


def faults(tap, files, injector):
    """Each system call fails once, and kills it once."""
    place = files.folder / 'place'
    place.mkdir()
    out, command = place / 'out', files.command(place / 'out')
    total = int(run(injector, 0, 0, *command).stdout.splitlines()[-1])
    for fault, number in FAULTS.items():
        wrong, left = [], 0
        for call in range(1, total + 1):
            out.write_bytes(b'old')
            done = run(injector, call, number, *command)
            now = out.read_bytes() if out.exists() else None
            if now != files.data and (now != b'old' or not done.returncode):
                wrong.append(f'call {call}: {done.returncode} {now and len(now)}')
            for path in place.glob('.*'):
                left += 1
                path.unlink()
        # Of a file with two names one cannot be taken in the same call.
        tap.result(not wrong and total > 20 and left <= (not number),
                   f'merge -o FILE: {fault} at each of {total} calls',
                   f'{wrong[:5]} {left} left behind')


def full(tap, files):
    """The disk has room for a part of it."""
    point = files.folder / 'disk'
    point.mkdir()
    done = run('unshare', '-rm', 'python3', '-c', FULL, point, len(files.data),
               *files.command(point / 'out'))
    tap.result('No space left' in done.stdout and 'status 13' in done.stdout and
               "True ['out']" in done.stdout, 'a disk that is full: the file is as it was', done.stdout)


def kept(tap, files):
    """What a file is stays: its mode, a link to it, who may write it."""
    out, link = files.folder / 'out', files.folder / 'link'
    out.write_bytes(b'old')
    out.chmod(0o640)
    link.symlink_to('out')
    done = run(*files.command(link))
    tap.result(not done.returncode and link.is_symlink() and out.read_bytes() == files.data and
               out.stat().st_mode & 0o777 == 0o640, 'a link stays one, and the mode as it was', done.stdout)
    before = os.umask(0o027)
    done = run(*files.command(files.folder / 'new'))
    os.umask(before)
    tap.result((files.folder / 'new').stat().st_mode & 0o777 == 0o640, 'a new file heeds umask',
               done.stdout)
    done = run(*files.command(files.folder / 'nowhere/out'))
    tap.result(done.returncode == 13 and 'nowhere/out: No such file' in done.stdout,
               'a folder that is not there is named', done.stdout)


def streams(tap, files):
    """What is no plain file is written into."""
    words, got = ' '.join(f"'{word}'" for word in files.command('/dev/stdout')), files.folder / 'got'
    run('sh', '-c', f'{words} | cat >{got}')
    tap.result(got.read_bytes() == files.data, 'a pipe as /dev/stdout', len(got.read_bytes()))
    run('sh', '-c', f'{{ {words}; echo behind; }} >{got}')
    tap.result(got.read_bytes() == b'behind\n' + files.data[7:], 'a file as /dev/stdout',
               got.read_bytes()[:20])
    fifo = files.folder / 'fifo'
    os.mkfifo(fifo)
    words = ' '.join(f"'{word}'" for word in files.command(fifo))
    run('sh', '-c', f'timeout 20 cat {fifo} >{got} & timeout 20 {words}; wait')
    tap.result(got.read_bytes() == files.data and fifo.is_fifo(), 'a FIFO', len(got.read_bytes()))
    done = run(*files.command('/dev/null'))
    tap.result(not done.returncode and pathlib.Path('/dev/null').is_char_device(), '/dev/null', done.stdout)
    done = run(*files.command('/dev/full'))
    tap.result(done.returncode == 13 and 'No space left' in done.stdout, '/dev/full', done.stdout)


def main():
    """Run all."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        files = Files(pathlib.Path(work))
        faults(tap, files, compile_injector(files.folder))
        full(tap, files)
        kept(tap, files)
        streams(tap, files)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
