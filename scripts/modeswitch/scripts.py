# SPDX-License-Identifier: GPL-2.0-only
"""What the settings of usb-modeswitch-data put on the wire, as steps.

The bytes are those of usb_modeswitch 2.6 (README, "Sequences" and usb_modeswitch.c).
"""

import dataclasses

EJECT = ["5553424387654321000000000000061e000000000000000000000000000000",
         "5553424397654321000000000000061b000000020000000000000000000000",
         "5553424387654321000000000001061e000000000000000000000000000000",
         "5553424397654321000000000001061b000000020000000000000000000000"]
HUAWEI_NEW = "55534243123456780000000000000011062000000101000100000000000000"
HUAWEI_ALT = "55534243123456780000000000000011063000000000010000000000000000"
OPTION = "55534243123456780000000000000601000000000000000000000000000000"
CISCO = [f"55534243{head}{tail}" for head, tail in (
    ("f83bcd810002000080000afd", "000000030000000100000000000000"),
    ("984300820002000080000afd", "000000070000000100000000000000"),
    ("984300820000000000000afd", "000100071000000000000000000000"),
    ("984300820002000080000afd", "000200230000000100000000000000"),
    ("984300820000000000000afd", "000300238200000000000000000000"),
    ("984300820002000080000afd", "000200260000000100000000000000"),
    ("984300820000000000000afd", "00030026c800000000000000000000"),
    ("d84c04820002000080000afd", "000010730000000100000000000000"),
    ("d84c04820002000080000afd", "000200240000000100000000000000"),
    ("d84c04820000000000000afd", "000300241300000000000000000000"),
    ("d84c04820000000000000afd", "000110732400000000000000000000"))]
QISDA = "058c0408a0ee20005c01040898cdeabf"
# Setting: name, requests (type, request, value, length, index is the interface), gate
CONTROLS = {
    "HuaweiMode": ("huawei", [(0x00, 0x03, 1, 0, 0)], "STORAGE"),
    "SierraMode": ("sierra", [(0x40, 0x0b, 1, 0, 0)], "STORAGE"),
    "SequansMode": ("sequans", [(0x40, 0x0b, 2, 0, 0)], "STORAGE"),
    "GCTMode": ("gct", [(0xa1, 0xa0, 0, 1, 1), (0xa1, 0xfe, 0, 1, 1)], "STORAGE"),
    "KobilMode": ("kobil", [(0xc0, 0x88, 0, 8, 0)], "STORAGE"),
    "QuantaMode": ("quanta", [(0xc0, 0xff, 0, 0, 0)], "STORAGE"),
    "BlackberryMode": ("blackberry", [(0xc0, 0xb1, 0, 8, 0), (0xc0, 0xa9, 14, 2, 0)], "ANY"),
}
UBLOX = ["AT\r", 'AT+UUSBCONF=2,"ECM"\r', "AT+CFUN=1,1\r"]
# HID reports of the MobileAction cable: out, and how many are read after it
HID_SET = "b004000002902686"
HID = [("3701fedbc1331f83", 1), ("370eb59d3b8a9151", 1), ("3487ba0dfc8a9151", 63),
       ("3701fedbc1331f83", 1), ("370eb59d3b8a9151", 1), ("3487ba0dfc8a9151", 73),
       ("3304fe00f46c1ff0", 1), ("3207fef029b93af0", 1)]
# Endpoints that a setting names; the driver finds the others.
ENDPOINTS = {"": "RAW", "0x01": "RAW_EP1", "0x02": "RAW_EP2"}
WAIT = 10       # seconds until a device that does not react is given back


@dataclasses.dataclass(frozen=True)
class Control:
    """One request to endpoint 0; data is the number of the message + 1."""

    type: int
    request: int
    value: int
    length: int
    interface: bool
    data: int = 0


@dataclasses.dataclass(frozen=True)
class Script:
    """Steps in a row; those with a name come first and users can name them."""

    name: str
    first: int
    count: int
    gate: str
    again: int = 0      # script for the device's second appearance
    wait: int = WAIT


class Pool:
    """Everything that rows share, each thing once."""

    def __init__(self):
        self.messages, self.controls, self.steps = [], [], []
        self.scripts, self.strings, self.known = [], [], {}
        self._named("none", [])
        self._named("eject", self.cbws(EJECT))
        self._named("huawei-new", self.cbws([HUAWEI_NEW]))
        self._named("huawei-alt", self.cbws([HUAWEI_ALT]))
        self._named("option", self.cbws([OPTION]))
        self._named("cisco", self.cbws(CISCO))
        self._named("config", [("CONFIG", 0)], "ANY")
        self._named("mbim", [("MBIM", 0)], "ANY")
        for name, requests, gate in CONTROLS.values():
            self._named(name, [self.control(*r) for r in requests], gate)
        self._named("qisda", [self.control(0x40, 0x04, 0, 16, 0, QISDA)])
        self._named("pantech", [("PANTECH", 0)])
        sony = self.control(0xc0, 0x11, 2, 3, 0)
        self._named("sony", [sony], again=len(self.scripts) + 1)
        self._named("sony-again", [("SLEEP", 1), sony, ("CONFIG", 0)], "ANY")
        report = self.control(0x21, 0x09, 0x300, 8, 0, HID_SET)
        self._named("mobileaction", [report, report, ("HID_IN", 2)] + [
            step for out, reads in HID
            for step in (("HID_OUT", self.message(out)), ("HID_IN", reads))], "HID")
        self._named("at-ublox", [("AT", self.message(text.encode().hex())) for text in UBLOX],
                    "MODEM", wait=60)
        self._named("message", [])

    def _put(self, known, thing):
        if thing not in known:
            known.append(thing)
        return known.index(thing)

    def _named(self, name, steps, gate="STORAGE", again=0, wait=WAIT):
        self.known[name] = len(self.scripts)
        self._script(name, steps, gate, again, wait)

    def _script(self, name, steps, gate, again=0, wait=WAIT):
        self.scripts.append(Script(name, len(self.steps), len(steps), gate, again, wait))
        self.steps += steps

    def message(self, text):
        """The number of a message, given in hex."""
        return self._put(self.messages, bytes.fromhex(text))

    def control(self, kind, request, value, length, interface, data=None):
        """The step that makes a request."""
        number = self.message(data) + 1 if data else 0
        return "CONTROL", self._put(self.controls, Control(kind, request, value, length,
                                                           bool(interface), number))

    def string(self, kind, text):
        """The number of a string, from 1."""
        return self._put(self.strings, (kind, text)) + 1

    def cbws(self, messages):
        """Steps that send command blocks: 31 bytes, whatever they say about themselves."""
        wrong = [m for m in messages if len(m) != 2 * 31 or not m.startswith("55534243")]
        if wrong:
            raise SystemExit(f"no command block: {wrong}")
        return [("CBW", self.message(m)) for m in messages]

    def _bulk(self, settings):
        content = [settings[k] for k in ("MessageContent", "MessageContent2", "MessageContent3")
                   if settings.get(k)]
        eject = EJECT if settings.get("StandardEject") == "1" else []
        if eject and not content:
            return "eject"
        if all(m.startswith("55534243") for m in content):
            return tuple(self.cbws(eject + content))
        endpoint = ENDPOINTS[settings.get("MessageEndpoint", "")]
        return tuple((endpoint, self.message(m)) for m in content)

    def _kind(self, s):
        """A named script and its argument, or the steps of an own one."""
        for setting, (name, _, _) in CONTROLS.items():
            if s.get(setting) == "1":
                return name, 0
        for setting, name in (("HuaweiNewMode", "huawei-new"), ("HuaweiAltMode", "huawei-alt"),
                              ("OptionMode", "option"), ("CiscoMode", "cisco"),
                              ("QisdaMode", "qisda"), ("MobileActionMode", "mobileaction"),
                              ("UbloxMode", "at-ublox")):
            if s.get(setting) == "1":
                return name, 0
        if s.get("SonyMode") == "1":
            return "sony", int(s["Configuration"], 16)
        if "PantechMode" in s:      # 1: by what the host has, which is QMI
            mode = int(s["PantechMode"])
            return "pantech", 4 if mode == 1 else mode
        if "Configuration" in s:
            number = int(s["Configuration"], 16)
            return ("config", number) if number else ("mbim", 0)
        return self._bulk(s), 0

    def script(self, settings):
        """The script of a device and its argument."""
        kind, arg = self._kind(settings)
        wait = int(settings.get("CheckSuccess", WAIT))
        key = (kind, wait) if wait != WAIT else kind
        if key not in self.known:
            if isinstance(kind, str):
                raise SystemExit(f"{settings}: no script {kind}")
            self.known[key] = len(self.scripts)
            gate = "STORAGE" if kind[0][0] == "CBW" else "ANY"
            self._script("", list(kind), gate, wait=wait)
        return self.known[key], arg
