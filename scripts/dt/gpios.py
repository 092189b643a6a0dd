# SPDX-License-Identifier: GPL-2.0-only
"""GPIO lines that two devices of a tree use, or whose pads another one has.

Which they are is read as scripts/dtb-swap/dtb-conflict.c does it where an overlay is applied.
"""

import itertools
import re

import pads

# Controllers whose lines are its pads, by number
PADS = r'brcm,bcm2\d+-gpio|raspberrypi,rp1-gpio'
LETTERS = r'allwinner,.*-pinctrl'               # or by a bank's letter and number
AS_GPIO = ('gpio_in', 'gpio_out', 'gpio')       # brcm,function has 0 and 1 for them
# Pin controllers, and which number of a pad's function is that of its GPIO; on i.MX8M the first 16
# lines of the first controller are of pads that are GPIOs by name, and have it as number 0
FUNCTIONS = ((r'fsl,imx8m\w-iomuxc', 7, 5), (r'rockchip,', 0xf, 0), (r'pinctrl-single', 7, 7))


def cells(chip):
    """Return how many cells name a line of a controller, its flags with them."""
    words = chip.words('#gpio-cells') if 'gpio-controller' in chip.properties else ()
    return words[0] if len(words) == 1 and words[0] > 1 else 0


def named(node, name, by_phandle):
    """Give the lines that a property names, as (controller, bank, line)."""
    words = node.words(name)
    if 'gpio-hog' in node.properties:       # <line flags ...> of the parent
        size = node.parent and cells(node.parent) or 1
        words = [word for at in range(0, len(words), size) for word in (None, *words[at:at + size])]
    while words:
        chip = node.parent if words[0] is None else by_phandle.get(words[0])
        size = cells(chip) if chip else 0
        if words[0] == 0:                   # a hole
            words = words[1:]
        elif not size or size >= len(words):
            return
        else:                               # sunxi has bank and line, the others the line first
            yield (chip, *((words[1], words[2]) if size > 2 else (0, words[1])))
            words = words[1 + size:]


def users(nodes):
    """Return {(controller, bank, line): [(device, property), ...]} of what is enabled."""
    by_phandle = pads.phandles(nodes)
    found = {}
    for node in pads.enabled(nodes[0]):
        for name in filter(pads.is_gpio, node.properties):
            for line in named(node, name, by_phandle):
                found.setdefault(line, []).append((node, name))
    return found


def shared(one, other):
    """Return whether the kernel lets two have a line together: supplies that it switches, as long
    as none feeds the other, resets, and what is one device with a port of it."""
    (first, name), (second, same) = one, other
    if all('regulator-' in ' '.join(node.strings('compatible')) for node in (first, second)):
        return not any(a.words('vin-supply') and a.words('vin-supply') == b.words('phandle')
                       for a, b in ((first, second), (second, first)))
    return name == same == 'reset-gpios' or pads.within(first, second)


def twice(blob):
    """Return a line for each GPIO of a compiled tree that two devices use."""
    return [f'GPIO {bank}.{line} of {chip.path()} is used by {one[0].path()} and by {two[0].path()}'
            for (chip, bank, line), some in users(pads.tree(blob)).items()
            for one, two in itertools.combinations(some, 2) if not shared(one, two)]


def as_gpio(group):
    """Return whether a group makes GPIOs of its pads."""
    return any(set(part.words('brcm,function')) & {0, 1} or set(part.strings('function')) & set(AS_GPIO)
               for part in (group, *group.children))


def pad_of(chip, bank, line, by_phandle):
    """Return pin controller and pad of a GPIO: by its number, or its bank's letter, where these are
    the same, or by gpio-ranges; nothing where it is not known."""
    names = ' '.join(chip.strings('compatible'))
    if re.search(PADS, names):
        return chip, f'gpio{line}'
    if re.search(LETTERS, names):
        return chip, f'P{chr(ord("L" if "-r-pinctrl" in names else "A") + bank)}{line}'
    banks = [node for node in chip.parent.children if 'gpio-controller' in node.properties]
    if 'rockchip,gpio-bank' in names and chip in banks:      # older trees have no gpio-ranges
        return chip.parent, pads.numbered(chip.parent, 32 * banks.index(chip) + line)
    ranges = iter(chip.words('gpio-ranges'))
    for owner, first, pin, count in zip(ranges, ranges, ranges, ranges):
        if first <= line < first + count and owner in by_phandle:
            return by_phandle[owner], pads.numbered(by_phandle[owner], pin + line - first)
    return None, None


def makes_gpio(chip, line, owner, function):
    """Return whether a function of a pad is that of its GPIO."""
    names = ' '.join(owner.strings('compatible'))
    for controller, mask, number in FUNCTIONS:
        if re.search(controller, names):
            first = 'fsl,' in controller and chip.name == 'gpio@30200000' and line < 16
            return function & mask == (0 if first else number)
    return True                         # not known


def muxed(nodes, also=()):
    """Return {(controller, pad): [(device, group, function), ...]} of what is enabled, and of other
    paths.

    What a controller holds by itself, as that of the Raspberry Pi does, is given to who asks.
    """
    by_phandle = pads.phandles(nodes)
    found = {}
    for node in [*pads.enabled(nodes[0]), *(node for node in nodes if node.path() in also)]:
        for owner, pad, group, function in pads.pads(node, by_phandle):
            if node is not owner and (function is not None or not as_gpio(group)):
                found.setdefault((owner, pad), []).append((node, group, function))
    return found


def others(gpio, known, by_phandle):
    """Give (controller, pad, device, group) of those that have the pad of (controller, bank, line)
    for something else; known is what muxed() returns."""
    chip, bank, line = gpio
    owner, pad = pad_of(chip, bank, line, by_phandle)
    for node, group, function in known.get((owner, pad), ()):
        if function is None or not makes_gpio(chip, line, owner, function):
            yield owner, pad, node, group


def on_pads(blob):
    """Return a line for each GPIO of a compiled tree whose pad another device asks for."""
    nodes = pads.tree(blob)
    by_phandle, known = pads.phandles(nodes), muxed(nodes)
    found = [f'pad {pad} of {owner.path()}: {node.path()} (as a GPIO) and {other.path()} '
             f'({group.name}) ask for it, only one gets it'
             for gpio, some in users(nodes).items()
             for owner, pad, other, group in others(gpio, known, by_phandle)
             for node, _ in some if not pads.within(node, other)]
    return list(dict.fromkeys(found))
