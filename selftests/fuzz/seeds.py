# SPDX-License-Identifier: GPL-2.0-only
"""What fuzzing begins with: inputs made of sources and of what real files look like."""

import gzip
import pathlib
import re
import subprocess
import sys

import libfdt

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / 'selftests/dtb-swap'))

# pylint: disable=wrong-import-position
from bench import Device, SOURCE       # noqa: E402

# A device with all that check looks for.
BOARD = '''/dts-v1/;
/memreserve/ 0x1000 0x1000;
/ {
	compatible = "acme,box", "acme,module", "fsl,imx8mp"; model = "box";
	#address-cells = <1>; #size-cells = <1>; interrupt-parent = <&gic>;
	aliases { serial0 = &uart; mmc0 = &mmc; ethernet0 = &mac; };
	chosen { stdout-path = "serial0:115200"; bootargs = "quiet";
		ids = "3701-0000-500", " 3737-0000-EB1", " \\n"; };
	memory@40000000 { device_type = "memory"; reg = <0x40000000 0x1000000>; };
	reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;
		fw@41000000 { no-map; reg = <0x41000000 0x1000>; }; };
	psci { compatible = "arm,psci-1.0"; method = "smc"; };
	timer { compatible = "arm,armv8-timer"; interrupts = <13>; };
	gic: gic { compatible = "arm,gic"; interrupt-controller; #interrupt-cells = <1>; };
	clk: clock { compatible = "fixed-clock"; #clock-cells = <0>; };
	reg: regulator { compatible = "regulator-fixed"; gpio = <&gpio 4 0>; };
	gpio: gpio@1000 { compatible = "acme,gpio"; reg = <0x1000 4>; gpio-controller;
		#gpio-cells = <2>; pins: pins { phandle = <0x77>; };
		hog { gpio-hog; gpios = <9 0>; }; };
	uart: serial@2000 { compatible = "acme,uart"; reg = <0x2000 4>; clocks = <&clk>;
		pinctrl-0 = <&pins>; };
	mmc: mmc@3000 { compatible = "acme,mmc"; reg = <0x3000 4>; clocks = <&clk>, <&clk>;
		vmmc-supply = <&reg>; cd-gpios = <&gpio 1 0>; };
	mac: ethernet@4000 { compatible = "acme,mac"; reg = <0x4000 4>;
		local-mac-address = [02 00 00 00 00 01]; };
	i2c: i2c@5000 { compatible = "acme,i2c"; reg = <0x5000 4>; #address-cells = <1>;
		#size-cells = <0>; rtc: rtc@56 { compatible = "acme,rtc"; reg = <0x56>; }; };
};
'''
ADDED = '''
/ { rfkill { compatible = "rfkill-gpio"; shutdown-gpios = <&gpio 7 0>; };
	identify { compatible = "balena,identify"; leds = <&led>; };
	leds { compatible = "gpio-leds"; led: led-0 { gpios = <&gpio 3 0>; }; }; };
&i2c { rtc@68 { compatible = "maxim,ds3231"; reg = <0x68>; }; };
'''
OVERLAYS = (
    '&i2c { chip: rtc@68 { compatible = "maxim,ds3231"; reg = <0x68>;'
    ' wakeup-gpios = <&gpio 5 1>; }; };'
    '&{/} { rtc-seed { compatible = "balena,rtc-seed"; rtcs = <&chip>; }; };',
    '&i2c { rtc@56 { status = "disabled"; }; };',
    '/ { compatible = "acme,box"; fragment@0 { target-path = "/"; __overlay__ { new; }; }; };',
    '/ { fragment@0 { target = <0x77>; __overlay__ { bias-pull-up; }; }; };',
    '/ { compatible = "other,box"; }; &i9c { x; };',
    '/ { f@0 { target = <&i2c>; board_config { ids = "^3702", ">=3701-0000-400"; };'
    ' __overlay__ { a: x { y = <&a &i2c>; }; }; };'
    ' f@1 { target = <&gone>; board_config { odm-data = "a"; sw-modules = "kernel"; };'
    ' __overlay__ { b: z { y = <&b &rtc>; }; }; }; };')
SELECTORS = (
    'extra_os_cmdline=isolcpus=1\ndevice_tree=old.dtb\n', '#device_tree=a\n device_tree = b\r\n',
    'dtparam=i2c_arm=on\n[pi3]\ndevice_tree=x.dtb\n[all]\nos_prefix=a/\ninclude more.txt',
    'device_tree=a\ndevice_tree=b\ndevice_tree=\n')
STATES = (
    'installed=swap-one-01234567.dtb\nprevious=\nback=yes\npending=1\nstart=a\nseen=b\n'
    'selector=selector:device_tree\nfamily=u-boot\nvariable=device_tree\nunproven=yes\n',
    'installed=a.dtb\nprevious=b.dtb\nback=yes\nnext=yes\n'
    'next-installed=swap-one-01234567.dtb\nnext-previous=a.dtb\nnext-pending=0\nnext-start=a\n',
    'console=ttyS0 quiet panic=10 dtb_swap.try=a.dtb panic=10 dtb_swap.try=swap-x.dtb  x="a b"')
LABELS = 'gpio\t/gpio@1000\ni2c\t/i2c@5000\nrtc\t/i2c@5000/rtc@56\ngone\t/gone\n'
# Words for the mutator that are in no source of the tool.
WORDS = ('reg', 'compatible', 'target', 'target-path', '__overlay__', '__fixups__',
         '__local_fixups__', 'fragment@0', 'board_config', '>=3701-0000-500', '3701-0000-*', '/fragment@0:target:0', 'compatible:0', '#gpio-cells', '#clock-cells',
         'clocks', 'shutdown-gpios', '[all]', '[pi4]', 'device_tree=', 'okay', 'disabled')


def compile_tree(text, out, *options):
    """Compile a source with labels."""
    subprocess.run(['dtc', '-q', '-@', '-O', 'dtb', *options, '-o', out, '-'], input=text, text=True,
                   check=True)
    return out


def steps(path):
    """A tree as the steps that target.c builds one of."""
    tree, out = libfdt.Fdt(path.read_bytes()), bytearray()
    quiet = (libfdt.NOTFOUND,)

    def walk(node):
        prop = tree.first_property_offset(node, quiet)
        while prop >= 0:
            found = tree.get_property_by_offset(prop)
            value = bytes(found)[:255]
            name = found.name.encode()[:31]
            out.extend(b'\x02' + bytes([len(name)]) + name + bytes([len(value)]) + value)
            prop = tree.next_property_offset(prop, quiet)
        child = tree.first_subnode(node, quiet)
        while child >= 0:
            name = tree.get_name(child).encode()[:31]
            out.extend(b'\x01' + bytes([len(name)]) + name)
            walk(child)
            child = tree.next_subnode(child, quiet)
        out.extend(b'\0')
    walk(0)
    return bytes(out)


def device(folder, board):
    """The device that a tree is checked against."""
    made = Device(folder / 'root', board)
    made.put('proc/cmdline', 'console=ttyS0 root=/dev/mmcblk0p2 quiet\n')
    made.console('ttyS0', '/serial@2000')
    made.disk(2, '/', '/mmc@3000')
    made.network('eth0', 'up', '/ethernet@4000')
    made.modules(dep='kernel/rtc-ds1307.ko:\nkernel/leds-gpio.ko.xz: kernel/a.ko\n',
                 builtin='kernel/drivers/rfkill-gpio.ko\n', alias='alias of:N*T*Cacme,rtc acme\n')
    made.put('lib/modules/6.12.0-test/kernel/rtc-ds1307.ko', 'ELF\0vermagic=6.12.0-test SMP\0')
    made.put('mnt/boot/keep', '')
    made.put('proc/config.gz', gzip.compress(b'CONFIG_RFKILL_GPIO=y\nCONFIG_RTC_DRV_DS1307=m\n'))
    return made.root


def words():
    """A dictionary: what the sources look for, with its length before, and as it is."""
    found = set(WORDS)
    for path in SOURCE.glob('*.[ch]'):
        found.update(re.findall(r'"([-#a-z_,0-9]{2,30})"', path.read_text(encoding='utf-8')))
    lines = []
    for word in sorted(found):
        lines += [f'"{word}"', f'"\\x{len(word):02x}{word}"' if len(word) < 32 else '']
    return '\n'.join(lines) + '\n'


def trees(folder):
    """The board, the board with something added, and overlays for it."""
    board = compile_tree(BOARD, folder / 'board.dtb')
    more = compile_tree(BOARD + ADDED, folder / 'more.dtb')
    overlays = [compile_tree(f'/dts-v1/; /plugin/;\n{text}', folder / f'overlay-{i}.dtbo')
                for i, text in enumerate(OVERLAYS)]
    return board, more, overlays


def inputs(folder):
    """Return {target: [input, ...]}, the board and the root of a device."""
    board, more, overlays = trees(folder)
    both = [steps(board), steps(more)]
    raw = [path.read_bytes() for path in (board, more)]
    old = compile_tree(BOARD, folder / 'old.dtb', '-V', '16').read_bytes()
    squeezed = gzip.compress('\n'.join(f'CONFIG_{word}=y' for word in WORDS).encode() * 9)
    return {
        'check': [b'\0' + one for one in both] + [b'\1' + one for one in (*raw, old)],
        'diff': [b'\0' + both[0] + both[1], b'\2' + both[1] + both[0], b'\0' + both[0] * 2] +
                [b'\1' + one for one in raw],
        'merge': [b'\0' + both[0] + steps(path) for path in overlays] +
                 [b'\1' + path.read_bytes() for path in overlays],
        'text': [bytes([how]) + text.encode() for text in SELECTORS for how in (0, 1, 6, 16, 17)] +
                [b'\x08' + LABELS.encode()],
        'gzip': [b'\1' + squeezed, b'\0' + squeezed[10:], b'\1' + gzip.compress(b'aaaa', 0),
                 b'\1' + gzip.compress(bytes(range(256)) * 5, 1)],
        'state': [bytes([how]) + text.encode() for text in STATES for how in (0, 1, 2, 5)],
    }, board, device(folder, board)
