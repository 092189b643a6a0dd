# SPDX-License-Identifier: GPL-2.0-only
"""A Huawei stick at the other end of QEMU's usb-redir, behind the host of a board.

The protocol is that of the usbredir project, version 0.7, with the three capabilities that QEMU
wants behind an xHCI; what came with others both sides leave out.
The stick is a drive until it gets the message of its kind, all 31 bytes of it, and a modem
that answers AT afterwards.
"""

import contextlib
import dataclasses
import socket
import struct
import threading

SWITCH = bytes.fromhex("55534243123456780000000000000011062000000101000100000000000000")
(HELLO, CONNECT, DISCONNECT, INTERFACES, ENDPOINTS) = (0, 1, 2, 4, 5)
(SET_CONFIG, GET_CONFIG, CONFIG_STATUS, SET_ALT, GET_ALT, ALT_STATUS) = (6, 7, 8, 9, 10, 11)
(CANCEL, CONTROL, BULK) = (21, 100, 101)
(GOOD, CANCELLED, STALL) = (0, 1, 4)
CAPABILITIES = 1 << 4 | 1 << 5 | 1 << 6     # packet sizes, ids of 64 and lengths of 32 bits
HIGH_SPEED, IS_BULK, IS_NOTHING = 2, 2, 255
PACKET = 512


@dataclasses.dataclass
class Mode:
    """What the stick is; all its interfaces have a bulk endpoint each way."""

    product: int
    interfaces: list        # (class, subclass, protocol)

    def endpoints(self):
        """Return (number, interface) of each endpoint, as they are in descriptors."""
        return [(side | number + 1, number)
                for number in range(len(self.interfaces)) for side in (0x80, 0)]

    def device(self):
        """Return the device descriptor."""
        return struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x200, 0, 0, 0, 64, 0x12d1, self.product,
                           0x100, 1, 2, 0, 1)

    def config(self):
        """Return the configuration descriptor, whole."""
        body = b""
        for number, kind in enumerate(self.interfaces):
            body += struct.pack("9B", 9, 4, number, 0, 2, *kind, 0)
            body += b"".join(struct.pack("<BBBBHB", 7, 5, address, IS_BULK, PACKET, 0)
                             for address, owner in self.endpoints() if owner == number)
        return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), len(self.interfaces), 1, 0, 0x80,
                           250) + body

    def descriptor(self, kind, index):
        """Return a descriptor, or None."""
        texts = [b"\x09\x04"] + [text.encode("utf-16-le") for text in ("HUAWEI", "HUAWEI Mobile")]
        if kind == 3 and index < len(texts):
            return struct.pack("BB", 2 + len(texts[index]), 3) + texts[index]
        return {1: self.device(), 2: self.config()}.get(kind)


MODES = (Mode(0x14fe, [(8, 6, 0x50)]), Mode(0x1506, [(0xff, 2, 0x12), (0xff, 2, 0x01)]))


class Stick:
    """The device, and what QEMU asks of it."""

    def __init__(self, line):
        self.line = line
        self.mode = MODES[0]
        self.waiting = {}       # endpoint: ids of requests that nothing answers yet
        self.answers = {}       # endpoint: what is to be read from it

    def send(self, kind, number, body=b""):
        """Send a packet."""
        self.line.sendall(struct.pack("<IIQ", kind, len(body), number) + body)

    def receive(self, size):
        """Return so many bytes."""
        data = self.line.recv(size, socket.MSG_WAITALL) if size else b""
        if len(data) < size:
            raise ConnectionError
        return data

    def plug(self):
        """Tell QEMU what it is, and that it is there."""
        kinds = self.mode.interfaces
        columns = [bytes(range(len(kinds))), *(bytes(column) for column in zip(*kinds))]
        self.send(INTERFACES, 0, struct.pack("<I", len(kinds)) +
                  b"".join(column.ljust(32, b"\0") for column in columns))
        types, owners = bytearray([IS_NOTHING] * 32), bytearray(32)
        types[0] = types[16] = 0
        for address, owner in self.mode.endpoints():
            place = address >> 3 & 16 | address & 15
            types[place], owners[place] = IS_BULK, owner
        self.send(ENDPOINTS, 0, bytes(types) + bytes(32) + bytes(owners) +
                  struct.pack("<32H", *(64 if kind == 0 else PACKET for kind in types)))
        self.send(CONNECT, 0, struct.pack("<BBBBHH", HIGH_SPEED, 0, 0, 0, 0x12d1,
                                          self.mode.product))

    def control(self, number, body):
        """Answer a request to endpoint 0; it has descriptors, and nothing else to say."""
        address, request, kind, _, value, index, length = struct.unpack("<BBBBHHH", body[:10])
        data, status = b"", GOOD
        if kind & 0x80:
            found = self.mode.descriptor(value >> 8, value & 0xff) if request == 6 else None
            data, status = (found or b"")[:length], GOOD if found else STALL
            length = len(data)
        self.send(CONTROL, number, struct.pack("<BBBBHHH", address, request, kind, status, value,
                                               index, length) + data)

    def bulk_answer(self, number, address, data=b"", status=GOOD, size=None):
        """Answer a bulk request."""
        self.send(BULK, number, struct.pack("<BBHIH", address, status,
                                            len(data) if size is None else size, 0, 0) + data)

    def bulk(self, number, body):
        """Take what is written, or keep the request until there is something to read."""
        address, _, size, _, _ = struct.unpack("<BBHIH", body[:10])
        if address & 0x80:
            self.waiting.setdefault(address, []).append(number)
            self.flush()
            return
        self.bulk_answer(number, address, size=size)
        self.written(address, body[10:])

    def written(self, address, data):
        """What a message makes it do."""
        if self.mode is MODES[0]:
            if data == SWITCH:
                self.become(MODES[1])
            elif data[:4] == b"USBC":       # it has no medium
                self.say(address | 0x80, b"USBS" + data[4:12] + b"\1")
        elif data.strip().upper() == b"AT":
            self.say(address | 0x80, b"\r\nOK\r\n")

    def say(self, address, data):
        """Have something to read."""
        self.answers.setdefault(address, []).append(data)
        self.flush()

    def flush(self):
        """Answer what can be answered."""
        for address, numbers in self.waiting.items():
            while numbers and self.answers.get(address):
                self.bulk_answer(numbers.pop(0), address, self.answers[address].pop(0))

    def become(self, mode):
        """Go, and come back as something else."""
        self.send(DISCONNECT, 0)
        self.waiting.clear()
        self.answers.clear()
        self.mode = mode
        self.plug()

    def cancel(self, number, _):
        """Give a request up that waits."""
        for address, numbers in self.waiting.items():
            if number in numbers:
                numbers.remove(number)
                self.bulk_answer(number, address, status=CANCELLED)

    def serve(self):
        """Answer until QEMU goes."""
        hello = b"boardpack".ljust(64, b"\0") + struct.pack("<I", CAPABILITIES)
        self.line.sendall(struct.pack("<III", HELLO, len(hello), 0) + hello)
        _, size, _ = struct.unpack("<III", self.receive(12))
        self.receive(size)
        self.plug()
        answer = {
            SET_CONFIG: lambda number, body: self.send(CONFIG_STATUS, number, b"\0" + body),
            GET_CONFIG: lambda number, _: self.send(CONFIG_STATUS, number, b"\0\1"),
            SET_ALT: lambda number, body: self.send(ALT_STATUS, number, b"\0" + body),
            GET_ALT: lambda number, body: self.send(ALT_STATUS, number, b"\0" + body + b"\0"),
            CANCEL: self.cancel, CONTROL: self.control, BULK: self.bulk}
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            while True:
                kind, size, number = struct.unpack("<IIQ", self.receive(16))
                answer.get(kind, lambda *_: None)(number, self.receive(size))


@contextlib.contextmanager
def plugged(path):
    """While this lasts, QEMU finds a stick at the socket of that name."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(1)
        threading.Thread(target=_serve, args=[door], daemon=True).start()
        yield
        door.shutdown(socket.SHUT_RDWR)


def _serve(door):
    with contextlib.suppress(OSError):
        line, _ = door.accept()
        with line:
            Stick(line).serve()
