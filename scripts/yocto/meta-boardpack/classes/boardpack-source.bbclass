# SPDX-License-Identifier: GPL-2.0-only
#
# For recipes that build a part of the pack, from the files beside this layer:
# BOARDPACK_FILES names them, relative to the pack's top.

LICENSE = "GPL-2.0-only"
LIC_FILES_CHKSUM = "file://COPYING;md5=b234ee4d69f5fce4486a80fdaf4a4263"

PV = "${@boardpack_version(d)}"
FILESEXTRAPATHS =. "${BOARDPACK_TOP}:"
BOARDPACK_FILES ?= ""
SRC_URI = "${@boardpack_sources(d)}"
S = "${UNPACKDIR}/${BP}"

def boardpack_sources(d):
    """Return the files, unpacked to below S."""
    return ' '.join('file://%s;subdir=%s' % (name, d.getVar('BP'))
                    for name in ['COPYING'] + d.getVar('BOARDPACK_FILES').split())

def boardpack_version(d):
    """Return the version, of which the Makefile is the only place."""
    import re
    path = os.path.join(d.getVar('BOARDPACK_TOP'), 'Makefile')
    bb.parse.mark_dependency(d, path)
    with open(path, encoding='utf-8') as stream:
        return re.search(r'^VERSION := (\S+)', stream.read(), re.M)[1]
