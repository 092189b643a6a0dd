# SPDX-License-Identifier: GPL-2.0-only
"""boards.tsv against checkouts of balena's repositories of boards, which have the families' layers."""

import re
from collections import namedtuple

import builds

COLLECTION = re.compile(r'^BBFILE_COLLECTIONS \+= "\s*(\S+?)\s*"', re.M)
SERIES = re.compile(r'^LAYERSERIES_COMPAT_\S+?\s*\+?=\s*"(.*?)"', re.M)
ASKED = re.compile(r'^inherit\b.*\bkernel-(balena|resin)\b', re.M)
Layer = namedtuple('Layer', 'series kernels leds')


def read(paths):
    """Return the texts of files."""
    return [path.read_text(encoding='utf-8', errors='replace') for path in paths]


def kernels(folder):
    """Return the recipes whose options kernel-balena sets: by an append, or by themselves."""
    files = [path for path in folder.rglob('*') if path.suffix in ('.bb', '.bbappend')]
    return {path.name.split('_')[0].split('.bb')[0] for path, text in zip(files, read(files))
            if ASKED.search(text)}


def led_files(folder):
    """Return {machine, or '' for all: LED_FILE} of the layer."""
    text = '\n'.join(read(sorted(folder.glob('recipes-containers/*/*.bbappend'))))
    return {machine or '': path for machine, path in
            re.findall(r'^LED_FILE(?:[:_](\S+?))?\s*\??=\s*"(.*?)"', text, re.M)}


def layers(folder):
    """Return {collection: its layers}; families may share the name."""
    found = {}
    for conf in sorted(folder.glob('*/layers/*/conf/layer.conf')):
        text = conf.read_text(encoding='utf-8')
        for name in COLLECTION.findall(text):
            place = conf.parent.parent
            found.setdefault(name, []).append(Layer(
                ' '.join(SERIES.findall(text)).split(), kernels(place), led_files(place)))
    return found


def wrong(row, found):
    """Return what no layer of the board's name has."""
    here = [layer for layer in found if row.series in layer.series]
    if not here:
        return f'{row.slug}: {row.layer} is not for {row.series}: ' \
            f'{" ".join(sorted({name for layer in found for name in layer.series}))}'
    name = row.recipe.removesuffix('.bb')
    if name != '-' and not any(name in layer.kernels for layer in here):
        return f'{row.slug}: {row.layer} has no kernel {name}: ' \
            f'{" ".join(sorted({one for layer in here for one in layer.kernels}))}'
    led = next((layer.leds[row.machine] for layer in here if row.machine in layer.leds), '/dev/null')
    if row.leds == '-' and led != '/dev/null':
        return f'{row.slug}: {row.layer} has LED_FILE {led}, and boards.tsv no LED'
    return ''


def results(folder):
    """Yield (what is wrong, name)."""
    found = layers(folder)
    if not found:
        yield f'{folder} has no */layers/*/conf/layer.conf: name a folder of checkouts', 'repositories'
        return
    every = [row for row in builds.boards() if row.machine != '-' and row.series in builds.RELEASES]
    # Of a name that several repositories have, the one for another release need not be here.
    several = {one.layer for one in every for other in every
               if one.layer == other.layer and one.series != other.series}
    rows = [row for row in every if row.layer in found and (row.layer not in several or any(
        row.series in layer.series for layer in found[row.layer]))]
    yield '\n'.join(filter(None, (wrong(row, found[row.layer]) for row in rows))), \
        f'layer, release, kernel and LED of {len(rows)} boards are those of {len(found)} layers'
