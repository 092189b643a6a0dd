# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of dtb-swap share: the tool, and a made-up device."""

import fcntl
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import libfdt

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

os.environ.setdefault('DTB_SWAP_NO_JOURNAL', '1')     # the disk's own is not to be emptied
MEMORY = '/dev/shm'     # where to flush costs nothing; in a container it may be small
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 << 30:
    tempfile.tempdir = MEMORY

# pylint: disable=wrong-import-position
import bases        # noqa: E402
from tools import package           # noqa: E402
from ktap import Tap                # noqa: E402,F401

SOURCE = TOP / 'scripts/dtb-swap'
CROSS = {'amd64': '', 'arm64': 'aarch64-linux-gnu-', 'armhf': 'arm-linux-gnueabihf-'}


@functools.lru_cache(maxsize=None)
def tool(arch='amd64', *flags, musl=False):
    """Return the program, static, built for an architecture; with flags it is not static."""
    name = '-'.join([arch, *(['musl'] if musl else []), *(flag.strip('-=,') for flag in flags)])
    out = TOP / 'out/dtb-swap' / name
    out.mkdir(parents=True, exist_ok=True)
    with open(out / 'lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run('make', '-s', '-C', SOURCE, f'OUT={out}', f'CROSS_COMPILE={CROSS[arch]}',
                   f'LIBFDT={package(arch, "libfdt-dev")}',
                   f'MUSL={package(arch, "musl-dev") if musl else ""}',
                   'LDFLAGS=' if flags else 'LDFLAGS=-static -s',
                   f'CFLAGS={" ".join(flags) or "-Os -flto=auto"} -Werror')
    if done.returncode:
        raise SystemExit(done.stdout)
    return out / 'dtb-swap'


def run(*command, **options):
    """Run a program; what it says on both channels is in stdout."""
    return subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, cwd=TOP,
                          stderr=subprocess.STDOUT, text=True, errors='replace', check=False,
                          **options)


def program():
    """Return the words that start the tool, or what a test of these tests has in its place."""
    return os.environ.get('DTB_SWAP_PROGRAM', '').split() or [str(tool())]


def perform(*tests):
    """Run the tests that the command line names, or all; each gets a folder to work in."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        for test in tests:
            if not sys.argv[1:] or test.__name__ in sys.argv[1:]:
                test(tap, pathlib.Path(work))
    return tap.end()


def swap(*words):
    """Run the tool."""
    return run(*program(), *words)


@functools.lru_cache(maxsize=None)
def shipped(kernel, name):
    """Return the path of a tree of Debian's."""
    return next(base.dtb for base in bases.shipped(kernel) if base.name == name)


class Tree:
    """A tree to be changed."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        self.fdt = libfdt.Fdt(data)
        self.fdt.resize(len(data) + 65536)

    def node(self, path):
        """Return the offset of a node, by path or label."""
        if not path.startswith('/'):
            path = self.fdt.getprop(self.fdt.path_offset('/__symbols__'), path).as_str()
        return self.fdt.path_offset(path)

    def children(self, path):
        """Return the names of the nodes below one."""
        found, node = [], self.fdt.first_subnode(self.node(path))
        while node >= 0:
            found.append(self.fdt.get_name(node))
            node = self.fdt.next_subnode(node, (libfdt.FDT_ERR_NOTFOUND,))
        return found

    def text(self, path, name, value):
        """Set a property to a string, or to a list of strings."""
        value = [value] if isinstance(value, str) else value
        self.fdt.setprop(self.node(path), name, ''.join(f'{word}\0' for word in value).encode())
        return self

    def cell(self, path, name, *values):
        """Set a property to cells."""
        self.fdt.setprop(self.node(path), name,
                         b''.join(value.to_bytes(4, 'big') for value in values))
        return self

    def drop(self, path, name=None):
        """Take a node or a property out."""
        if name:
            self.fdt.delprop(self.node(path), name)
        else:
            self.fdt.del_node(self.node(path))
        return self

    def add(self, parent, name, **texts):
        """Add a node with strings as properties."""
        node = self.fdt.add_subnode(self.node(parent), name)
        for key, value in texts.items():
            self.fdt.setprop(node, key.replace('_', '-'), f'{value}\0'.encode())
        return self

    def write(self, path):
        """Write it, packed."""
        self.fdt.pack()
        pathlib.Path(path).write_bytes(bytes(self.fdt.as_bytearray()))
        return path


class Device:
    """A folder that looks like the files of a running device."""

    def __init__(self, root, tree):
        self.root = pathlib.Path(root)
        shutil.rmtree(self.root, ignore_errors=True)
        self.put('proc/cmdline', 'console=ttymxc1,115200 root=/dev/mmcblk2p2 rootwait\n')
        self.put('proc/sys/kernel/osrelease', '6.12.0-test\n')
        self.put('proc/self/mountinfo', '')
        self.put('sys/firmware/fdt', pathlib.Path(tree).read_bytes())

    def put(self, name, data):
        """Write a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def link(self, name, target):
        """Make a symbolic link to a file of the device."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(os.path.relpath(self.root / target, path.parent))

    def device(self, name, node):
        """Make a device in sysfs that came from a node."""
        (self.root / 'sys/firmware/devicetree/base' / node.strip('/')).mkdir(parents=True,
                                                                              exist_ok=True)
        self.link(f'sys/devices/{name}/of_node', f'sys/firmware/devicetree/base{node}')

    def console(self, tty, node):
        """The device of a serial console."""
        self.device(f'platform/{tty}.serial', node)
        (self.root / f'sys/devices/platform/{tty}.serial/port/tty/{tty}').mkdir(parents=True)
        self.link(f'sys/class/tty/{tty}', f'sys/devices/platform/{tty}.serial/port/tty/{tty}')

    def disk(self, number, point, node):
        """A block device and where it is mounted."""
        self.device(f'platform/disk{number}', node)
        where = f'sys/devices/platform/disk{number}/mmc_host/block/disk'
        (self.root / where).mkdir(parents=True)
        self.link(f'sys/dev/block/179:{number}', where)
        with open(self.root / 'proc/self/mountinfo', 'a', encoding='ascii') as mounts:
            mounts.write(f'2{number} 1 179:{number} / {point} rw - ext4 /dev/x rw\n')

    def network(self, name, state, node):
        """A network interface."""
        self.device(f'platform/{name}', node)
        self.put(f'sys/devices/platform/{name}/net/{name}/operstate', f'{state}\n')
        self.link(f'sys/class/net/{name}', f'sys/devices/platform/{name}/net/{name}')

    def modules(self, release='6.12.0-test', **lists):
        """Lists of /lib/modules."""
        for name, text in lists.items():
            self.put(f'lib/modules/{release}/modules.{name}', text)
