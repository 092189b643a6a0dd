# SPDX-License-Identifier: GPL-2.0-only
"""The pack's own recipes, and those of meta-balena that it appends to, on one release."""

import builds
import runs

MODULES = ('leds-identify', 'rtc-seed', 'usb-modeswitch')
LED = '/sys/class/leds/identify/brightness'
PLAIN = ('boardpack-units.bb', 'dtb-swap.bb')
SEVERAL = 'ACT,led0 usr3'
STUB = 'imx8mm-var-som'     # the machine of the layer that is made up
X86 = ('amd64', 'i386', 'i386-nlp')


def machines():
    """Return a row for each machine of boards.tsv."""
    return list({row.machine: row for row in builds.boards() if row.machine != '-'}.values())


def kinds(*columns):
    """Return a machine for each combination of what columns have."""
    found = {}
    for row in machines():
        found.setdefault((row.arch in X86, *(getattr(row, name) for name in columns)), row)
    return list(found.values())


def given(row):
    """Return what a machine's configuration would have set."""
    return {'MACHINE': row.machine, 'TARGET_ARCH': builds.TARGETS.get(row.arch, 'i586')}


def table(answer):
    """Yield where the layer's table of machines and boards.tsv differ."""
    for row in machines():
        for variable, value in (('LEDS', row.leds), ('FAMILY', row.family),
                                ('BOOT_OVERLAYS', row.overlays)):
            told = answer['flags'][f'BOARDPACK_MACHINE_{variable}[{row.machine}]'] or '-'
            if told != value:
                yield f'{row.machine}: {variable} is {told}, and in boards.tsv {value}'


def modules(release, build):
    """Yield the recipe of the modules, for each LED."""
    rows = kinds('leds')
    names = ['PN', 'S', 'B', 'UNPACKDIR', 'WORKDIR', 'SRC_URI', 'LICENSE', 'PV', 'EXTRA_OEMAKE',
             'module_conf_leds-identify', 'KERNEL_MODULE_AUTOLOAD', 'KERNEL_MODULE_PROBECONF',
             'RPROVIDES:boardpack', 'module_do_compile', 'module_do_install', 'do_install']
    told = builds.ask(release, build, [
        {'file': 'boardpack.bb', 'set': given(row), 'vars': names,
         'flags': [('do_sign_kmod', 'task')]} for row in rows] + [
        {'file': 'boardpack.bb', 'vars': [], 'flags': [
            (f'BOARDPACK_MACHINE_{name}', row.machine) for row in machines()
            for name in ('LEDS', 'FAMILY', 'BOOT_OVERLAYS')]},
        {'file': 'boardpack.bb', 'set': {'BOARDPACK_LEDS': SEVERAL}, 'vars': names},
        {'file': 'boardpack.bb', 'set': {'SIGN_API': 'https://sign'}, 'vars': names,
         'flags': [('do_sign_kmod', 'task'), ('do_sign_kmod', 'deps'), ('do_install', 'deps')]}])
    answers = [one[0] for one in told['answers']]
    wrong = [f'{row.machine}: {line}' for row, answer in zip(rows, answers)
             for line in of_machine(row, answer)]
    yield '\n'.join(table(answers[-3])), f'{len(machines())} machines are as in boards.tsv'
    yield '\n'.join(wrong), f'leds-identify: the options of {len(rows)} kinds of machines'
    several = answers[-2].get('vars', {}).get('module_conf_leds-identify')
    yield '' if several == f'options leds-identify leds="{SEVERAL}"' else f'"{several}"', \
        'leds-identify: several LEDs are one option'
    yield '\n'.join(of_modules(answers[0])), 'boardpack: sources, autoload, names'
    yield '\n'.join(of_signed(answers[-1])), 'boardpack: signed where SIGN_API is set'


def of_machine(row, answer):
    """Yield what is wrong with the modules' recipe for a machine."""
    if 'error' in answer:
        yield answer['error']
        return
    option = '' if row.leds == '-' else f'options leds-identify leds={row.leds}'
    if answer['vars']['module_conf_leds-identify'] != option:
        yield f'module_conf_leds-identify is "{answer["vars"]["module_conf_leds-identify"]}"'


def of_modules(answer):
    """Yield what is wrong with it for all machines."""
    values = answer['vars']
    for name in MODULES:
        if name not in values['KERNEL_MODULE_AUTOLOAD'].split():
            yield f'KERNEL_MODULE_AUTOLOAD has no {name}'
        if f'kernel-module-{name}' not in values['RPROVIDES:boardpack'].split():
            yield f'RPROVIDES has no kernel-module-{name}'
    if 'leds-identify' not in values['KERNEL_MODULE_PROBECONF'].split():
        yield 'KERNEL_MODULE_PROBECONF has no leds-identify'
    if not values['S'].startswith(values['UNPACKDIR'] + '/') or values['B'] != values['S']:
        yield f'S is {values["S"]}, B {values["B"]}'
    if 'file://drivers;subdir=boardpack-' not in values['SRC_URI']:
        yield f'SRC_URI is {values["SRC_URI"]}'
    if 'modules_install' not in values['module_do_install'] or \
            'module_do_install' not in values['do_install'] or \
            'KERNEL_PATH' not in values['module_do_compile']:
        yield 'module.bbclass does not build it'
    if 'CONFIG_MODULE_SIG_ALL' in values['EXTRA_OEMAKE'] or answer['flags']['do_sign_kmod[task]']:
        yield 'it is signed without SIGN_API'


def of_signed(answer):
    """Yield what is wrong with it where modules are signed."""
    if 'error' in answer:
        yield answer['error']
        return
    if not answer['flags']['do_sign_kmod[task]']:
        yield 'no task do_sign_kmod'
    if 'do_sign_kmod' not in (answer['flags']['do_install[deps]'] or ()):
        yield f'do_install is not after do_sign_kmod: {answer["flags"]["do_install[deps]"]}'
    if 'do_compile' not in (answer['flags']['do_sign_kmod[deps]'] or ()):
        yield f'do_sign_kmod is not after do_compile: {answer["flags"]["do_sign_kmod[deps]"]}'
    if not answer['vars']['EXTRA_OEMAKE'].endswith(' CONFIG_MODULE_SIG_ALL='):
        yield f'EXTRA_OEMAKE is {answer["vars"]["EXTRA_OEMAKE"]}'


def appended(release, build):
    """Yield meta-balena's recipes, the supervisor for each machine, the image for each kind."""
    rows = kinds('overlays')
    # What a board's own layer may say: nothing, that it has no LED, or one, as the layer here does.
    supervised = [(row, builds.FAMILY_LED if row.machine == STUB else None) for row in machines()] + [
        (row, own) for own in ('/dev/null', builds.FAMILY_LED) for row in kinds('leds')]
    told = builds.ask(release, build, [
        {'file': 'balena-supervisor.bb',
         'set': {**given(row), **({f'LED_FILE:{row.machine}': own} if own else {})},
         'vars': ['LED_FILE']} for row, own in supervised] + [
        {'file': 'balena-image.bb', 'set': given(row),
         'vars': ['IMAGE_INSTALL', 'BALENA_BOOT_PARTITION_FILES'],
         'flags': [('do_resin_boot_dirgen_and_deploy', 'depends')]} for row in rows])
    answers = [one[0] for one in told['answers']]
    wrong = [line for (row, own), answer in zip(supervised, answers) for line in of_led(row, own, answer)]
    yield '\n'.join(wrong), f'LED_FILE of {len(machines())} machines, whatever the board\'s own is'
    wrong = [f'{row.machine}: {line}' for row, answer in zip(rows, answers[len(supervised):])
             for line in of_image(row, answer)]
    yield '\n'.join(wrong), f'overlays on the boot partition of {len(rows)} kinds of machines'


def of_led(row, own, answer):
    """Yield what is wrong with LED_FILE of a machine: another layer's counts where no LED is known."""
    led = answer.get('vars', {}).get('LED_FILE')
    if led != (own if own == builds.FAMILY_LED and row.leds == '-' else LED):
        yield f'{row.machine}: LED_FILE is {led} {answer.get("error", "")}'


def led_file(release, build):
    """Yield LED_FILE of a board whose LED is not known, by what is chosen for it."""
    row = next(row for row in builds.boards() if row.slug == runs.CARRIED)
    own = {f'LED_FILE:{row.machine}': builds.FAMILY_LED}
    carrier = {'BOARDPACK_CARRIERS': row.carrier}
    chosen = (({}, LED), (own, builds.FAMILY_LED), (carrier, LED), ({**own, **carrier}, LED),
              ({'BOARDPACK_LED_FILE': '/x'}, '/x'), ({**own, 'BOARDPACK_LEDS': 'usr3'}, LED),
              ({'BOARDPACK_LED_FILE': '/dev/null'}, '/dev/null'),
              ({**own, **carrier, 'BOARDPACK_LED_FILE': ''}, builds.FAMILY_LED))
    told = builds.ask(release, build, [
        {'file': 'balena-supervisor.bb', 'set': {**given(row), **more}, 'vars': ['LED_FILE']}
        for more, _ in chosen])
    for (more, wanted), (answer,) in zip(chosen, told['answers']):
        led = answer.get('vars', {}).get('LED_FILE')
        yield '' if led == wanted else f'it is {led} {answer.get("error", "")}', \
            f'{runs.CARRIED}: LED_FILE is {wanted} with {" and ".join(more) or "nothing chosen"}'


def of_image(row, answer):
    """Yield what is wrong with the image for a machine."""
    if 'error' in answer:
        yield answer['error']
        return
    if 'packagegroup-boardpack' not in answer['vars']['IMAGE_INSTALL'].split():
        yield 'IMAGE_INSTALL has no packagegroup-boardpack'
    files = [word for word in answer['vars']['BALENA_BOOT_PARTITION_FILES'].split()
             if word.startswith('devicetree/')]
    depends = answer['flags']['do_resin_boot_dirgen_and_deploy[depends]'] or ''
    here = row.overlays != '-'
    if here != ('boardpack-devicetree:do_deploy' in depends.split()):
        yield f'do_resin_boot_dirgen_and_deploy depends on {depends}'
    if here and f'devicetree/rtc-ds3231.dtbo:{row.overlays}rtc-ds3231.dtbo' not in files:
        yield f'the boot partition has {files}'
    if not here and files:
        yield f'the boot partition has {files}, and nobody looks for them'


def of_sources(values):
    """Yield what is wrong with where a recipe looks for what is unpacked."""
    top = f'{values["UNPACKDIR"]}/{values["BP"]}'
    if values['S'] != top:
        yield f'S is {values["S"]}, and its sources are in {top}'
    for word in values['SRC_URI'].split():
        if not word.endswith(f';subdir={values["BP"]}'):
            yield f'{word} is unpacked elsewhere'
    include = (values.get('DT_INCLUDE') or '').split()
    if 'DT_INCLUDE' in values and include[:2] != [f'{top}/overlays', f'{top}/dts']:
        yield f'DT_INCLUDE is {include}'


def others(release, build):
    """Yield the pack's other recipes."""
    x86 = {'MACHINE': 'genericx86-64', 'TARGET_ARCH': 'x86_64'}
    told = builds.ask(release, build, [
        *({'file': name, 'vars': ['S', 'UNPACKDIR', 'BP', 'SRC_URI']} for name in PLAIN),
        {'file': 'boardpack-devicetree.bb', 'vars': ['S', 'UNPACKDIR', 'BP', 'SRC_URI', 'DT_INCLUDE']},
        {'file': 'boardpack-devicetree.bb', 'set': x86, 'vars': []},
        {'file': 'packagegroup-boardpack.bb', 'vars': ['RDEPENDS:packagegroup-boardpack']},
        {'file': 'packagegroup-boardpack.bb', 'set': x86,
         'vars': ['RDEPENDS:packagegroup-boardpack']}])
    answers = [one[0] for one in told['answers']]
    for answer in answers[:3]:
        yield answer.get('error') or '\n'.join(of_sources(answer['vars'])), \
            f'{answer["file"].rsplit("/", 1)[1]} parses, and finds its sources'
    yield '' if 'no device tree' in str(answers[3].get('skipped')) else str(answers[3]), \
        'boardpack-devicetree.bb is left out on x86'
    trees, plain = (answer.get('vars', {}).get('RDEPENDS:packagegroup-boardpack', str(answer))
                    for answer in answers[4:])
    yield '' if trees.split() == ['boardpack', 'boardpack-units', 'boardpack-devicetree',
                                  'dtb-swap'] else f'"{trees}"', 'packagegroup-boardpack has all'
    yield '' if plain.split() == ['boardpack', 'boardpack-units'] else f'"{plain}"', \
        'on x86 it has no device trees'


def hashed(release, build):
    """Yield that what is known of a machine decides what is built, and where the pack lies does not."""
    row = next(row for row in machines() if '-' not in (row.leds, row.family, row.overlays))
    wanted = {'BOARDPACK_LEDS': row.leds, 'BOARDPACK_FAMILY': row.family,
              'BOARDPACK_BOOT_OVERLAYS': row.overlays, 'BOARDPACK_TOP': '', 'BOARDPACK_LAYER': ''}
    answer, = builds.ask(release, build, [{
        'file': 'boardpack.bb', 'set': given(row),
        'flags': [(name, 'vardepvalue') for name in wanted]}])['answers'][0]
    told = {name: answer.get('flags', {}).get(f'{name}[vardepvalue]') for name in wanted}
    yield '' if told == wanted else f'{told}\n{answer.get("error", "")}', \
        'hashes have what is known of the machine, and not where the pack lies'


def results(release, work):
    """Yield (what is wrong, name) of all."""
    row = next(row for row in builds.boards() if row.slug == STUB)
    layers = builds.stub(work / 'plain/layer', release, row)
    build = work / 'plain/build'
    builds.build_folder(build, [*release.base(), builds.LAYER, *layers], row.machine)
    for step in (modules, appended, led_file, others, hashed):
        yield from step(release, build)
    yield from runs.results(release, build, work / 'plain/runs')
