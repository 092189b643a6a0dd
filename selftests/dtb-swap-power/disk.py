# SPDX-License-Identifier: GPL-2.0-only
"""A disk as a bootloader reads it: FAT and ext4, without a journal, from bytes."""

import struct

SECTOR = 512


class Damaged(Exception):
    """What a bootloader would stumble over."""


class Fat:
    """A FAT16 or FAT32 file system in a buffer."""

    def __init__(self, data, start):
        self.data, self.start = data, start
        boot = bytes(data[start:start + SECTOR])
        if boot[510:512] != b'\x55\xaa':
            raise Damaged('no FAT boot sector')
        (size, self.per_cluster, reserved, fats, roots, small, _, length) = \
            struct.unpack_from('<HBHBHHBH', boot, 11)
        total = small or struct.unpack_from('<I', boot, 32)[0]
        length = length or struct.unpack_from('<I', boot, 36)[0]
        self.bytes = size * self.per_cluster
        self.fat = start + reserved * size
        self.root_at = self.fat + fats * length * size
        self.root_size = roots * 32
        self.first = self.root_at + self.root_size
        self.count = (total * size - (self.first - start)) // self.bytes
        self.wide = self.count >= 65525
        self.root = struct.unpack_from('<I', boot, 44)[0] if self.wide else 0

    def next(self, cluster):
        """The cluster after one."""
        if self.wide:
            return struct.unpack_from('<I', self.data, self.fat + 4 * cluster)[0] & 0x0fffffff
        return struct.unpack_from('<H', self.data, self.fat + 2 * cluster)[0]

    def clusters(self, cluster):
        """The numbers of a chain of clusters."""
        seen = {}
        end = 0x0ffffff8 if self.wide else 0xfff8
        while cluster < end:
            if not 2 <= cluster < self.count + 2 or cluster in seen:
                raise Damaged(f'cluster {cluster} in a chain')
            seen[cluster] = True
            cluster = self.next(cluster)
        return list(seen)

    def chain(self, cluster):
        """The content of a chain of clusters."""
        return b''.join(bytes(self.data[at:at + self.bytes]) for at in
                        (self.first + (one - 2) * self.bytes for one in self.clusters(cluster)))

    def entries(self):
        """Name, first cluster and size of the files in the root folder."""
        folder = self.chain(self.root) if self.wide else \
            bytes(self.data[self.root_at:self.root_at + self.root_size])
        parts = {}
        for at in range(0, len(folder), 32):
            entry = folder[at:at + 32]
            if not entry[0]:
                break
            if entry[0] == 0xe5:
                parts = {}
            elif entry[11] == 0x0f:
                if entry[0] & 0x40:
                    parts = {}
                parts[entry[0] & 0x1f] = (entry[13], entry[1:11] + entry[14:26] + entry[28:32])
            else:
                yield self.name(entry, parts), *self.where(entry)
                parts = {}

    @staticmethod
    def where(entry):
        """First cluster and size."""
        high, low, size = struct.unpack_from('<H4xHI', entry, 20)
        return high << 16 | low, size

    @staticmethod
    def name(entry, parts):
        """The long name if it is whole and belongs to the entry, else the short one."""
        total = 0
        for byte in entry[:11]:
            total = ((total >> 1) | (total & 1) << 7) + byte & 0xff
        if parts and set(parts) == set(range(1, len(parts) + 1)) and \
                all(check == total for check, _ in parts.values()):
            text = b''.join(parts[i][1] for i in sorted(parts)).decode('utf-16-le', 'replace')
            return text.split('\0')[0]
        short = entry[:8].decode('latin-1').rstrip(), entry[8:11].decode('latin-1').rstrip()
        return '.'.join(part for part in short if part).lower()

    def check(self):
        """No two names have the same clusters, and none has clusters that are free.

        Who removes such a name, be it the next run, takes what it has from the other.
        """
        owners = {}
        for name, cluster, size in self.entries():
            chain = self.clusters(cluster) if cluster else []
            if size > len(chain) * self.bytes:
                raise Damaged(f'{name} is shorter than it says')
            for one in chain:
                if owners.setdefault(one, name) != name:
                    raise Damaged(f'{name} and {owners[one]} have the same cluster')

    def read(self, wanted):
        """The content of a file of the root folder; None where there is none."""
        for name, cluster, size in self.entries():
            if name.lower() == wanted.lower():
                content = self.chain(cluster) if size else b''
                if len(content) < size:
                    raise Damaged(f'{name} has {size} bytes, its chain {len(content)}')
                return content[:size]
        return None


class Ext4:
    """An ext4 file system in a buffer, its journal not looked at."""

    def __init__(self, data, start):
        self.data, self.start = data, start
        block = bytes(data[start + 1024:start + 2048])
        if block[56:58] != b'\x53\xef':
            raise Damaged('no ext4 superblock')
        self.block = 1024 << struct.unpack_from('<I', block, 24)[0]
        self.first = struct.unpack_from('<I', block, 20)[0]
        self.per_group = struct.unpack_from('<I', block, 40)[0]
        self.inode_size = struct.unpack_from('<H', block, 88)[0]
        wide = struct.unpack_from('<I', block, 96)[0] & 0x80
        self.descriptor = struct.unpack_from('<H', block, 254)[0] if wide else 32

    def at(self, number):
        """The content of a block."""
        place = self.start + number * self.block
        return bytes(self.data[place:place + self.block])

    def inode(self, number):
        """The raw inode."""
        group, index = divmod(number - 1, self.per_group)
        place = self.start + (self.first + 1) * self.block + group * self.descriptor
        table = struct.unpack_from('<I', self.data, place + 8)[0]
        place = self.start + table * self.block + index * self.inode_size
        return bytes(self.data[place:place + self.inode_size])

    def content(self, number):
        """The content of a file or folder."""
        inode = self.inode(number)
        size, links = struct.unpack_from('<I', inode, 4)[0], struct.unpack_from('<H', inode, 26)[0]
        if not links:
            raise Damaged(f'inode {number} is free')
        blocks = dict(self.extents(inode[40:100]))
        return b''.join(self.at(blocks[i]) if i in blocks else bytes(self.block)
                        for i in range(-(-size // self.block)))[:size]

    def extents(self, header):
        """Logical and physical number of each block."""
        magic, count, _, depth = struct.unpack_from('<HHHH', header)
        if magic != 0xf30a:
            raise Damaged('no extents')
        for i in range(count):
            one = header[12 + 12 * i:24 + 12 * i]
            if depth:
                yield from self.extents(self.at(struct.unpack_from('<I', one, 4)[0]))
            else:
                first, length, _, low = struct.unpack('<IHHI', one)
                for j in range(length if length <= 32768 else 0):
                    yield first + j, low + j

    def read(self, path):
        """The content of a file by path; None where there is none."""
        number = 2
        for word in path.split('/'):
            number = self.entry(self.content(number), word.encode())
            if not number:
                return None
        return self.content(number)

    def files(self, path):
        """The names in a folder."""
        number = self.entry(self.content(2), path.encode())
        return [name.decode() for _, name in self.names(self.content(number))]

    def entry(self, folder, wanted):
        """The inode of a name in a folder."""
        return next((number for number, name in self.names(folder) if name == wanted), 0)

    @staticmethod
    def names(folder):
        """Inode and name of all that is in a folder."""
        at = 0
        while at + 8 <= len(folder):
            number, length, size, _ = struct.unpack_from('<IHBB', folder, at)
            if length < 8:
                raise Damaged('a broken folder')
            if number:
                yield number, folder[at + 8:at + 8 + size]
            at += length


def entries(log):
    """The writes of a log of QEMU's blklogwrites: (place, bytes), or None for a flush."""
    magic, _, count, sector = struct.unpack_from('<QQQI', log)
    if magic != 0x6a736677736872:
        raise ValueError('no log')
    at = sector
    for _ in range(count):
        place, sectors, flags, _ = struct.unpack_from('<QQQQ', log, at)
        at += sector
        if flags & 1:
            yield None
        if flags & 4:       # discard: nothing is read there
            continue
        if sectors:
            yield place * sector, log[at:at + sectors * sector]
            at += sectors * sector
        if flags & 2:
            yield None
