# SPDX-License-Identifier: GPL-2.0-only
"""The tree that a bootloader takes, from the facts about each: a second opinion on the tool.

L4TLauncher (Orin, Xavier): StrStr() in each line, without carriage returns, the last line wins;
on Xavier a line of less than 21 characters ends it all, and the file is closed after the first. U-Boot: env import of lines key=value. The Raspberry
Pi's firmware: config.txt with filters, the last line wins.
"""

import re


def launcher(text, xavier):
    """What L4TLauncher finds."""
    value = None
    lines = text.replace('\r', '').split('\n')[:1 if xavier else None]
    if lines and not lines[-1]:
        lines.pop()
    for line in lines:
        if xavier and len(line) < 21:
            return None
        at = line.find('custom_fdt_file=')
        if at >= 0:
            value = line[at + len('custom_fdt_file='):]
    return value


def uboot(text, key):
    """What env import -t makes of a variable: a name alone unsets it, \\ takes what follows along."""
    value, at = None, 0
    while at < len(text):
        at += len(text[at:]) - len(text[at:].lstrip(' \t'))
        line = text[at:].partition('\n')[0]
        name, equals, _ = line.partition('=')
        word, at = '', at + (len(line) if line.startswith('#') else len(name + equals))
        while equals and not line.startswith('#') and at < len(text) and text[at] != '\n':
            at += text[at] == '\\' and at + 1 < len(text)
            word, at = word + text[at], at + 1
        if word and not name:
            break
        value, at = word if name == key else value, at + 1
    return value or None


def firmware(text):
    """What the Raspberry Pi's firmware makes of device_tree, on a Pi 4."""
    value, on = None, True
    for line in text.split('\n'):
        match = re.match(r'\[(.*)\]', line)
        if match:
            on = match[1] in ('all', 'pi4')
        elif on and line.startswith('device_tree='):
            value = line.partition('=')[2]
    return value


def supervise(kind, boot, value):
    """What the balena supervisor writes when its variable for the tree has a value, or none.

    Of extra_uEnv.txt it writes the lines key=value anew, with and without a # before them, and its
    own two keys by the variables; of config.txt it keeps nothing that is not a variable.
    """
    if kind.startswith('rasp'):
        lines = [f'device_tree={value}'] if value else []
        (boot / 'config.txt').write_text('\n'.join([*lines, '']), encoding='ascii')
        return
    file = boot / 'extra_uEnv.txt'
    pairs = {}
    for line in re.split(r'(?:\r?\n[\s#]*)+', file.read_text(encoding='ascii')):
        match = re.match(r'\s*(\w+)=(.*)$', line)
        if match:
            pairs[match[1]] = match[2]
    pairs.pop('custom_fdt_file', None)
    pairs |= {'custom_fdt_file': value} if value else {}
    file.write_text(''.join(f'{key}={word}\n' for key, word in pairs.items()), encoding='ascii')


def chosen(kind, boot, root):
    """Return the path of the tree, or None for the bootloader's own."""
    if any(word in kind for word in ('orin', 'thor', 'xavier', 'jetson-tx2', 'jetson-nano')):
        conf = root / 'boot/extlinux/extlinux.conf'
        text = conf.read_bytes() if conf.exists() else b''
        if b'FDT default' not in (text if 'nano' not in kind or 'orin' in kind else
                                  text.replace(b'fdt', b'FDT')):
            return None
    file = boot / ('config.txt' if kind.startswith('rasp') else 'extra_uEnv.txt')
    text = file.read_bytes().decode(errors='replace') if file.exists() else ''
    if kind.startswith('rasp'):
        value, places = firmware(text), [boot]
    elif any(word in kind for word in ('orin', 'thor', 'xavier')):
        value, places = launcher(text, kind.startswith('jetson-xavier')), [root / 'boot']
    else:
        ours = kind.startswith(('jetson', 'iot-gate', 'imx8m', 'bluechip'))
        value = uboot(text, 'custom_fdt_file' if ours else 'fdtfile')
        places = [boot] if kind.startswith(('iot-gate', 'bluechip')) else []
        places += [] if kind.startswith('bluechip') else [root / 'boot']
    if not value:
        return None
    for place in places:
        if (place / value).exists():
            return place / value
    if kind.startswith(('imx8m', 'rasp', 'bluechip')):
        raise FileNotFoundError(f'{kind} stops: no {value}')
    return None
