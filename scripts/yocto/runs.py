# SPDX-License-Identifier: GPL-2.0-only
"""Run what recipes do, where that needs no build: their own functions, on files made up here."""

import itertools
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import textwrap
import types

import builds

MODULES = ('leds-identify', 'rtc-seed', 'usb-modeswitch')
# A board without a known LED, for which the pack has a carrier.
CARRIED = 'jetson-orin-nx-xavier-nx-devkit'
MARK = '~Module signature appended~\n'
FRAGMENTS = ('leds', 'rtc', 'usb', 'of')
EXTENSION = ('do_create_docker_image', 'boardpack_move_modules', 'boardpack_kernel_version',
             'BOARDPACK_PLACE', 'IMAGE_NAME', 'IMAGE_LINK_NAME')
# What bitbake brings along for shell functions, and an engine that says what it was told.
SHELL = '''set -e
bbfatal() { echo "fatal: $*" >&2; exit 1; }
bbnote() { :; }
docker() { for word in "$@"; do echo "$word"; done; }
'''


def run(text):
    """Run a shell script; return its status and what it said."""
    done = subprocess.run(['sh', '-c', SHELL + text], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def root_of(folder, compressed):
    """Write what the image would have: modules, and those of the kernel's packages."""
    where = folder / 'rootfs/usr/lib/modules/6.6.52-v8+/updates/drivers'
    for name in MODULES:
        builds.write(where / f'{name}.ko{compressed}', name)
    builds.write(where.parents[1] / 'modules.dep', '')
    builds.write(folder / 'rootfs/etc/modprobe.d/leds-identify.conf', 'options\n')


def extension(release, build, work):
    """Yield the hostapp extension: its files and its labels, by the class of meta-balena."""
    row = next(row for row in builds.boards() if row.slug == 'raspberrypi4-64')
    root_of(work, '.zst')
    rootfs, deploy = work / 'rootfs', work / 'deploy'
    deploy.mkdir()
    answer = builds.ask(release, build, [{
        'file': 'boardpack-extension.bb', 'vars': [*EXTENSION, 'NO_RECOMMENDATIONS'],
        'set': {'MACHINE': row.machine, 'IMAGE_ROOTFS': str(rootfs),
                'DEPLOY_DIR_IMAGE': str(deploy), 'IMAGE_LINK_NAME': 'extension',
                'BALENA_API_VERSION': '1', 'KERNEL_IMAGETYPE': 'Image'}}])['answers'][0][0]
    if answer.get('skipped') or 'error' in answer:
        yield str(answer), 'boardpack-extension.bb parses'
        return
    values = answer['vars']
    yield '' if values['NO_RECOMMENDATIONS'] == '1' else str(values), \
        'boardpack-extension: nothing comes along that is only recommended'
    status, said = run(values['boardpack_move_modules'])
    place = rootfs / 'usr/lib/boardpack'
    rules = (rootfs / 'etc/modprobe.d/boardpack-extension.conf').read_text(encoding='utf-8')
    wanted = [f"install {name} /sbin/insmod /usr/lib/boardpack/{name}.ko.zst '$CMDLINE_OPTS'"
              for name in MODULES]
    yield '' if not status and sorted(rules.splitlines()) == wanted and \
        not list(rootfs.rglob('lib/modules')) and \
        all((place / f'{name}.ko.zst').exists() for name in MODULES) else f'{said}"{rules}"', \
        'boardpack-extension: modules where mobynit leaves them alone, and modprobe finds them'
    yield optioned(rules), 'boardpack-extension: an option with a blank is one to insmod'
    drop = rootfs / 'etc/systemd/system/balena-supervisor.service.d/boardpack.conf'
    yield '' if 'EnvironmentFile=/usr/lib/boardpack/supervisor.conf' in drop.read_text() and \
        (place / 'supervisor.conf').read_text() == \
        'LED_FILE=/sys/class/leds/identify/brightness\n' else f'"{drop.read_text()}"', \
        'boardpack-extension: the supervisor gets its LED_FILE'
    with tarfile.open(deploy / 'extension.tar.gz', 'w:gz') as archive:
        archive.add(rootfs, '.')
    yield labels(values)
    shutil.rmtree(rootfs)
    status, said = run(values['boardpack_move_modules'])
    yield '' if status and 'has no module of the pack' in said else f'{status} "{said}"', \
        'boardpack-extension: without a module it fails'


def optioned(rules):
    """Return what is wrong with what insmod gets: modprobe puts the options into the rule as they are."""
    options = 'leds="ACT,led0 usr3" hold_ms=5000'
    rule = next(line for line in rules.splitlines() if 'leds-identify' in line)
    command = rule.split(' ', 2)[2].replace('/sbin/insmod', 'for word in').replace('$CMDLINE_OPTS', options)
    said = run(f'{command}; do echo "$word"; done')[1].splitlines()
    return '' if said[1:] == [options] else f'{rule}: {said}'


def labels(values):
    """Return what is wrong with the labels that the image gets, and the name of the check."""
    status, said = run(f'boardpack_kernel_version() {{\n{values["boardpack_kernel_version"]}\n}}\n'
                       f'{values["do_create_docker_image"]}')
    found = set(re.findall(r'LABEL (\S+)', said))
    wanted = {'io.balena.image.store=data', 'io.balena.image.class=overlay',
              'io.balena.update.requires-reboot=1', 'io.balena.image.os-version=1.0.0',
              'io.balena.image.kernel-version=6.6.52'}
    return '' if not status and found == wanted else f'{sorted(found)}\n{said}', \
        'boardpack-extension: its labels'


def carrier(release, build, work):
    """Yield the kernel recipe with a carrier: what is built, and that wrong names are named."""
    source = work / 'kernel'
    names = ['KERNEL_DEVICETREE', 'KERNEL_DTC_FLAGS', 'boardpack_add_carriers']
    flags = [('do_configure', 'prefuncs')]
    asked = {'file': 'linux-variscite_5.15.bb', 'vars': names, 'flags': flags}
    old = source / 'scripts/dtc/dtc.c'
    builds.write(old, 'no such option\n')
    told = builds.ask(release, build, [
        {**asked, 'set': {'BOARDPACK_CARRIERS': 'imx8mm-var-som-field'}},
        {**asked, 'set': {'BOARDPACK_CARRIERS': 'ghost'}},
        {**asked, 'set': {'BOARDPACK_BLOCKS': 'leds ghost'}},
        {**asked, 'set': {'BOARDPACK_SYMBOLS': '0'}},
        {**asked, 'set': {'STAGING_KERNEL_DIR': str(source)}}, asked])['answers']
    answers = [one[0] for one in told]
    values = answers[0].get('vars', {})
    yield '' if values.get('KERNEL_DEVICETREE', '').split() == \
        ['freescale/imx8mm-var-som-field.dtb'] and 'boardpack_add_carriers' in \
        (answers[0]['flags']['do_configure[prefuncs]'] or '') else str(answers[0]), \
        'a carrier is compiled with the kernel'
    for answer, words in ((answers[1], 'BOARDPACK_CARRIERS has no carrier "ghost": there are bcm'),
                          (answers[2], 'BOARDPACK_BLOCKS has no block "ghost": there are ')):
        yield '' if words in answer.get('error', '') else str(answer), f'found: {words}'
    yield '' if '-@' not in (answers[3]['vars']['KERNEL_DTC_FLAGS'] or '') else str(answers[3]), \
        'BOARDPACK_SYMBOLS = "0" leaves the labels out'
    yield '' if '-@' not in (answers[4]['vars']['KERNEL_DTC_FLAGS'] or '') else str(answers[4]), \
        'a kernel whose dtc has no -@ is not given it'
    yield '' if not (answers[5]['vars']['KERNEL_DEVICETREE'] or '').strip() and \
        'boardpack_add_carriers' not in (answers[5]['flags']['do_configure[prefuncs]'] or '') \
        else str(answers[5]), 'without a carrier the kernel has no tree more'


class Data:
    """What of bitbake's datastore the function below uses."""

    def __init__(self, values, flags):
        self.values, self.flags = values, flags
        self.getVar, self.setVar = values.get, values.__setitem__       # pylint: disable=invalid-name

    def getVarFlag(self, *names):       # pylint: disable=invalid-name
        """As bitbake has it."""
        return self.flags.get(names)

    def setVarFlag(self, name, flag, text):     # pylint: disable=invalid-name
        """As bitbake has it."""
        self.flags[name, flag] = text


def demoted(body, work):
    """Return what is wrong with the options that are left of a block, where the board has one built in."""
    builds.write(work / 'b/.config', 'CONFIG_RTC_DRV_DS1307=y\nCONFIG_RTC_DRV_RV3028=m\n'
                                     '# CONFIG_RTC_DRV_ABX80X is not set\n')
    block = 'BALENA_CONFIGS', 'boardpack-trees'
    wanted = ['CONFIG_I2C=y', 'CONFIG_RTC_DRV_ABX80X=m', 'CONFIG_RTC_DRV_RV3028=m']
    data = Data({'B': str(work / 'b'), 'WORKDIR': str(work / 'w'), 'FILESPATH': '/layer'},
                {block: ' '.join([*wanted, 'CONFIG_RTC_DRV_DS1307=m'])})
    utils = types.SimpleNamespace(mkdirhier=lambda path: os.makedirs(path, exist_ok=True))
    call(body, os=os, d=data, boardpack_blocks=lambda d: ['trees', 'dtb-swap'],
         bb=types.SimpleNamespace(utils=utils))
    folder, _, others = data.values['FILESPATH'].partition(':')
    text = pathlib.Path(folder, 'boardpack-trees.cfg').read_text(encoding='utf-8')
    return '' if data.flags[block].split() == wanted == text.split() and others == '/layer' \
        else f'{data.flags} {data.values} {text}'


def builtin(release, build, work):
    """Yield that a driver that the board has built in stays so, where the block says module."""
    tasks = [f'do_kernel_{name}' for name in ('resin_injectconfig', 'resin_checkconfig',
             'balena_merge_fragments', 'balena_verify_fragments')]
    answer = builds.ask(release, build, [{
        'file': 'linux-variscite_5.15.bb', 'vars': ['boardpack_keep_builtin'],
        'flags': [(task, 'prefuncs') for task in tasks]}])['answers'][0][0]
    wrong = {name: text for name, text in answer['flags'].items() if 'boardpack_keep_builtin' not in (text or '')}
    yield '' if not wrong else str(answer), 'kernel options: what is built in is looked up'
    yield demoted(answer['vars']['boardpack_keep_builtin'], work), 'a driver that is built in does not become a module'


def override(release, build):
    """Yield a kernel of kernel-balena-override: its tasks have the fragments."""
    flags = [(f'do_kernel_balena_{name}_fragments', 'file-checksums') for name in ('merge', 'verify')]
    answer, = builds.ask(release, build, [{
        'file': 'linux-override_*', 'vars': ['KERNEL_BALENA_OVERRIDE_FRAGMENTS'],
        'flags': flags}])['answers'][0]
    wanted = [f'{builds.LAYER}/kconfig/boardpack-{name}.cfg:True' for name in FRAGMENTS]
    told = [(text or '').split() for text in answer.get('flags', {'': ''}).values()]
    yield '' if all(files == wanted for files in told) else str(answer), \
        f'kernel-balena-override merges and verifies {len(wanted)} fragments'


def call(body, **scope):
    """Run the body of a python function."""
    code = 'def body():\n' + textwrap.indent(textwrap.dedent(body), ' ')
    exec(code, scope)       # pylint: disable=exec-used
    scope['body']()


def warned(body, led, work, slug='board', **values):
    """Return what installing the supervisor warns of, by a contract with that led, or by none."""
    shutil.rmtree(work / 'contracts', ignore_errors=True)
    if led is not None:
        builds.write(work / f'contracts/contracts/hw.device-type/{slug}/contract.json',
                     f'{{"data": {{"led": {led}}}}}')
    values = {'MACHINE': 'board', **values,
              'BALENA_COREBASE': str(work / 'layers/meta-balena/meta-balena-common')}
    os.makedirs(values['BALENA_COREBASE'], exist_ok=True)
    said = []
    call(body, os=os, d=types.SimpleNamespace(getVar=values.get),
         bb=types.SimpleNamespace(warn=said.append))
    return ''.join(said)


def slugs(body, work):
    """Yield that the contract is that of the device type, whose name need not be the machine's."""
    words, told = 'the contract of board-2 says led: true', {'LED_FILE': '/dev/null'}
    for title, name, content, values in (
            ('DEVICE_TYPE', 'board-2.json', '{"slug": "board-2"}', {'DEVICE_TYPE': 'board-2'}),
            ('the slug of DEVICE_TYPE', 'type.json', '{"slug": "board-2"}', {'DEVICE_TYPE': 'type'}),
            ('the slug of the machine', 'board.json', '{"slug": "board-2"}', {}),
            ('DEVICE_TYPE alone', None, None, {'DEVICE_TYPE': 'board-2'})):
        if name:
            builds.write(work / name, content)
        said = warned(body, 'true', work, 'board-2', **told, **values)
        yield '' if words in said else f'"{said}"', f'the contract is by {title}'
        if name:
            (work / name).unlink()


def contract(release, build, work):
    """Yield the warning where a contract and LED_FILE do not agree."""
    row = next(row for row in builds.boards() if row.slug == CARRIED)
    names = ['LED_FILE', 'BOARDPACK_DARK']
    asked = {'file': 'balena-supervisor.bb', 'vars': ['boardpack_contract', *names],
             'flags': [('do_install', 'prefuncs')]}
    told = builds.ask(release, build, [
        {**asked, 'set': {'MACHINE': row.machine, 'TARGET_ARCH': builds.TARGETS[row.arch], **more}}
        for more in ({}, {'BOARDPACK_CARRIERS': row.carrier}, {'BOARDPACK_LED_FILE': '/dev/null'})])
    plain, carried, none = (one[0] for one in told['answers'])
    body = plain['vars']['boardpack_contract']
    yield '' if 'boardpack_contract' in (plain['flags']['do_install[prefuncs]'] or '') \
        else str(plain), 'the contract is looked at when the supervisor is installed'
    for led, file, words in (('true', '/dev/null', 'says led: true, and LED_FILE is /dev/null'),
                             ('false', '/x', 'says led: false, and LED_FILE is /x'),
                             ('true', '/x', ''), ('false', '/dev/null', ''), (None, '/x', '')):
        said = warned(body, led, work, LED_FILE=file)
        yield '' if (words in said if words else not said) else f'"{said}"', \
            f'a contract with led {led}, LED_FILE {file}: {"a warning" if words else "none"}'
    for led, title, answer, words in (
            ('false', 'a carrier', carried, 'LED_FILE is /sys/class/leds/identify/brightness'),
            ('true', 'a carrier', carried, ''), ('false', 'no LED', plain, ''),
            ('true', 'no LED', plain, 'and identify has no LED to blink'),
            ('false', 'no LED_FILE', none, ''), ('true', 'no LED_FILE', none, 'LED_FILE is /dev/null')):
        said = warned(body, led, work, **{name: answer['vars'][name] for name in names})
        yield '' if (words in said if words else not said) else f'"{said}"', \
            f'{row.machine}, {title}, led: {led}: {"a warning" if words else "none"}'
    yield from slugs(body, work)


def installed(answer, broken=None, text=None):
    """Run do_install twice on modules and what was signed, or for one what came instead; return its
    status, what it said, and the modules."""
    modules = [pathlib.Path(word) for word in answer['vars']['SIGNING_ARTIFACTS'].split()]
    for path in modules:
        builds.write(path, 'plain')
        made = path.with_name(f'{path.name}.signed')
        made.unlink(missing_ok=True)
        if path.stem != broken or text is not None:
            builds.write(made, text if path.stem == broken else f'signed{MARK}')
    body = answer['vars']['do_install']
    status, said = run(f'module_do_install() {{ echo installed; }}\n{body}\n{body}')
    return status, said, {path.stem: path.read_text(encoding='utf-8') for path in modules}


def signed(release, build, work):
    """Yield what is installed where modules are signed, and where they are not."""
    asked = {'file': 'boardpack.bb', 'vars': ['do_install', 'SIGNING_ARTIFACTS']}
    place = {'UNPACKDIR': str(work / 'sign')}
    told = builds.ask(release, build, [
        {**asked, 'set': {**place, 'SIGN_API': 'https://sign'}}, {**asked, 'set': place}])['answers']
    (secure,), (plain,) = told
    for answer, name, text in ((secure, 'signed', f'signed{MARK}'), (plain, 'plain', 'plain')):
        found = installed(answer)
        yield '' if found == (0, 'installed\n' * 2, dict.fromkeys(MODULES, text)) else str(found), \
            f'boardpack: the {name} modules are installed {"with" if answer is secure else "without"}' \
            ' SIGN_API, and again'
    # What jq and base64 make of an empty answer, and of one without a module.
    for name, (text, what) in itertools.product(MODULES, ((None, 'no file'), ('', 'an empty one'),
                                                          ('xyz', 'one of 3 bytes'))):
        status, said, made = installed(secure, name, text)
        yield '' if status and f'{name}.ko was not signed' in said and 'installed' not in said and \
            made[name] == 'plain' else f'{status} "{said}"', \
            f'boardpack: {name} is not installed where {what} came back from signing'


def linked(release, build, work):
    """Yield how dtb-swap is linked, by a compiler that notes what it is told."""
    answer = builds.ask(release, build, [{
        'file': 'dtb-swap.bb', 'vars': ['S', 'CC', 'do_compile', 'LDFLAGS', 'DEPENDS',
                                          'INSANE_SKIP:dtb-swap'],
        'flags': [('LDFLAGS', 'export')], 'set': {
            'UNPACKDIR': str(work / 'swap'), 'B': str(work / 'swap/b')}}])
    answer = answer['answers'][0][0]
    values = answer['vars']
    compiler, log = work / 'bin' / values['CC'].split()[0], work / 'cc.log'
    builds.write(compiler, f'''#!/bin/sh
echo "$@" >>{log}
while [ $# -gt 1 ]; do [ "$1" != -o ] || : >"$2"; shift; done
''')
    compiler.chmod(0o755)
    place = pathlib.Path(values['S'])
    place.parent.mkdir(parents=True)
    place.symlink_to(builds.TOP)
    status, said = run('oe_runmake() { make -s "$@"; }\n' +
                       f'PATH={work}/bin:$PATH\nexport LDFLAGS="{values["LDFLAGS"]}"\n{values["do_compile"]}')
    link = log.read_text(encoding='utf-8').splitlines()[-1].split() if log.exists() else []
    good = not status and f'{work}/swap/b/out/dtb-swap' in link and '-lfdt' in link and \
        set(values['LDFLAGS'].split()) <= set(link) and answer['flags']['LDFLAGS[export]'] and \
        not {'-static', '-s'} & set(link)
    yield '' if good else f'{said}{link}\n{answer}', \
        'dtb-swap is linked as bitbake says, to libfdt.so'
    yield '' if 'dtc' in values['DEPENDS'].split() and not values['INSANE_SKIP:dtb-swap'] \
        else str(values), 'dtb-swap: dtc is built before it, and no check of the package is left out'


def results(release, build, work):
    """Yield (what is wrong, name) of all."""
    work = pathlib.Path(work)
    os.makedirs(work, exist_ok=True)
    yield from extension(release, build, work)
    yield from carrier(release, build, work)
    yield from override(release, build)
    yield from builtin(release, build, work)
    yield from contract(release, build, work)
    yield from signed(release, build, work)
    yield from linked(release, build, work)
