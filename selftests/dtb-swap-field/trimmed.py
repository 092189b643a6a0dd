# SPDX-License-Identifier: GPL-2.0-only
"""Debian's systemd for a guest that is to start often: with what tests of trees need of it."""

import shutil

import cpio
import userland

SYSTEM = '/usr/lib/systemd/system'
WANTED = 'etc/systemd/system/{}.wants/{}'
# Of systemd's packages, and costs the guest time: what no trial and no guard needs, and all that
# its targets start by themselves. What units of ours come after is named again.
UNUSED = ('gconv', 'perl*', 'hwdb*', 'share', 'system-generators', 'libssl*', 'systemd-networkd',
          'systemd-logind', 'systemd-pcrlock', 'sysinit.target.wants', 'local-fs.target.wants')
PROGRAMS = {'cat', 'dash', 'kmod', 'mount', 'sh', 'sleep', 'systemctl', 'true', 'udevadm',
            'umount'}
STARTED_FIRST = ('systemd-journald.service', 'systemd-udevd.service',
                 'systemd-udev-trigger.service')
# All that a disk is found by; from there on the kernel tells.
COLDPLUG = b'''[Service]
ExecStart=
ExecStart=udevadm trigger --action=add --subsystem-match=pci
'''


def unused(folder, names):
    """What shutil.copytree() leaves out; busybox has programs for all else."""
    found = shutil.ignore_patterns(*UNUSED)(folder, names)
    return found | (set(names) - PROGRAMS if folder.endswith('/usr/bin') else set())


def system(folder):
    """As userland.system(), by way of a copy in a folder."""
    files, usr = userland.system('arm64', 'util-linux-extra'), folder / 'usr'
    if not usr.exists():
        shutil.copytree(files['usr'], usr, symlinks=True, ignore=unused)
    return {
        **files, 'usr': usr,
        'etc/systemd/system/systemd-udev-trigger.service.d/disks.conf': COLDPLUG,
        **{WANTED.format('sysinit.target', name): cpio.Link(f'{SYSTEM}/{name}')
           for name in STARTED_FIRST}}
