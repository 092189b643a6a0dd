# SPDX-License-Identifier: GPL-2.0-only
"""boards.tsv against balena's contracts of device types."""

import json

import builds


def results(folder):
    """Yield (what is wrong, name)."""
    files = sorted(folder.glob('contracts/hw.device-type/*/contract.json'))
    if not files:
        yield f'{folder} has no contracts/hw.device-type: name a checkout of contracts', 'contracts'
        return
    led = {}
    for path in files:
        contract = json.loads(path.read_text(encoding='utf-8'))
        led[contract['slug']] = {True: 'yes', False: 'no'}.get(contract['data'].get('led'), '-')
    rows = {row.slug: row for row in builds.boards()}
    yield '\n'.join(f'{slug}: no row in boards.tsv' for slug in led if slug not in rows), \
        f'each of {len(led)} contracts has a row'
    yield '\n'.join(f'{slug}: boards.tsv says led {row.led}, the contract {led.get(slug, "-")}'
                    for slug, row in rows.items() if row.led != led.get(slug, '-')), \
        'led is what the contracts say'
