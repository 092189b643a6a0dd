#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""On a tree of each SoC that it is for, dtc has no warning more with an overlay of the pack."""

import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / 'scripts/dt'))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import bases        # noqa: E402
import overlays     # noqa: E402
import schema       # noqa: E402
import trees        # noqa: E402
from tools import Wrong        # noqa: E402
from ktap import Tap                # noqa: E402

FEW = 20        # of so many SoCs one is enough where an overlay is for every board


def each_soc(family):
    """Return the line for dt-apply of a tree of each SoC that a family's overlays are for."""
    names = overlays.families()[family].compatible.split() if family != overlays.GENERIC else []
    short = overlays.lacking()
    found = {bases.soc(base): base for base in reversed(bases.claimed(names))
             if (base.kernel, base.name) not in short}
    return [bases.lines([base], bool(names))[0]
            for base in list(found.values())[::1 if names else FEW]]


def more(line, blob, work):
    """Return what dtc says of a tree with an overlay and not without; nothing if it does not fit."""
    tree, labels = trees.parts(line)
    try:
        two = [schema.merge(tree, labels, work / f'{blob.parent.name}-{blob.stem}-{tree.parent.name}-'
                            f'{tree.stem}-{len(on)}', on) for on in ((), (blob,))]
    except Wrong:
        return None
    return [text for text in overlays.warnings(two[1]) if text not in overlays.warnings(two[0])]


def main():
    """All families."""
    tap = Tap()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for family, blobs in overlays.build(work).items():
            lines = each_soc(family)
            jobs = [(line, blob) for line in lines for blob in blobs]
            said = overlays.side_by_side(lambda job: more(*job, work), jobs)
            fits = [text for text in said if text is not None]
            tap.result(len(fits) > 0.9 * len(said) and not any(fits),
                       f'{family}: {len(blobs)} overlays on {len(lines)} trees, '
                       f'{len(fits)} of {len(said)} fit', '\n'.join(sum(fits, [])))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
