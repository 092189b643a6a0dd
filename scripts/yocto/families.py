# SPDX-License-Identifier: GPL-2.0-only
"""The kernel recipe of each family, parsed with the pack's layer beside the family's."""

import builds

BLOCKS = ('leds', 'rtc', 'usb')
TASKS = ('do_kernel_resin_injectconfig', 'do_kernel_resin_reconfigure',
         'do_kernel_resin_checkconfig')
ASKED = {'leds': 'CONFIG_LEDS_CLASS=y', 'rtc': 'CONFIG_RTC_CLASS=y', 'usb': 'CONFIG_USB=y'}
DTC_FLAGS = 'KERNEL_DTC_FLAGS'
LED = '/sys/class/leds/identify/brightness'


def of(series):
    """Return the layers and kernel recipes of the families on a release."""
    return sorted({(row.layer, row.recipe) for row in builds.boards()
                   if row.series == series and '-' not in (row.machine, row.layer, row.recipe)})


def question(recipe):
    """Return what is asked of a kernel recipe."""
    name = recipe.removesuffix('.bb')
    return {'file': f'{name}.bb' if recipe.endswith('.bb') else f'{name}_*.bb',
            'vars': ['BALENA_CONFIGS', DTC_FLAGS, 'KERNEL_BALENA_OVERRIDE_FRAGMENTS', 'FILESPATH',
                     'TARGET_ARCH'],
            'flags': [*(('BALENA_CONFIGS', f'boardpack-{name}') for name in (*BLOCKS, 'of')),
                      ('BALENA_CONFIGS_DEPS', 'boardpack-leds'),
                      ('BALENA_CONFIGS_DEPS', 'boardpack-dtb-swap'),
                      *((task, 'task') for task in TASKS)]}


def untouched(answer):
    """Tell whether a recipe is as it was: its options are not kernel-balena's business."""
    flags = answer['vars'][DTC_FLAGS] or ''
    return not (answer['vars']['BALENA_CONFIGS'] or '-@' in flags or answer['flags'][f'{TASKS[0]}[task]'])


def wrong(answer, stubbed):
    """Yield what is wrong with a kernel recipe."""
    if 'error' in answer:
        yield answer['error']
        return
    configs = (answer['vars']['BALENA_CONFIGS'] or '').split()
    for block in BLOCKS:
        times = configs.count(f'boardpack-{block}')
        if times != 1:
            yield f'BALENA_CONFIGS has boardpack-{block} {times} times'
        text = answer['flags'][f'BALENA_CONFIGS[boardpack-{block}]'] or ''
        if ASKED[block] not in text.split():
            yield f'BALENA_CONFIGS[boardpack-{block}] is "{text}"'
    for word in ('leds-gpio', 'cdc-acm', *(('its-own',) if stubbed else ())):
        if word not in configs:
            yield f'BALENA_CONFIGS has lost {word}'
    if answer['flags']['BALENA_CONFIGS_DEPS[boardpack-leds]'] != 'CONFIG_NEW_LEDS=y':
        yield 'BALENA_CONFIGS_DEPS[boardpack-leds] is not CONFIG_NEW_LEDS=y'
    x86 = answer['vars']['TARGET_ARCH'] in ('x86_64', 'i586', 'i686')
    if ('boardpack-of' in configs) == x86:
        yield f'boardpack-of {"is" if x86 else "is not"} in BALENA_CONFIGS'
    if ('boardpack-dtb-swap' in configs) == x86:
        yield f'boardpack-dtb-swap {"is" if x86 else "is not"} in BALENA_CONFIGS'
    yield from (f'no task {task}' for task in TASKS if not answer['flags'][f'{task}[task]'])
    if ('-@' in (answer['vars'][DTC_FLAGS] or '')) == x86:
        yield f'{DTC_FLAGS} is "{answer["vars"][DTC_FLAGS]}"'
    yield from fragments(answer['vars'])


def fragments(values):
    """Yield which fragments of kernel-balena-override are not found where it looks."""
    names = (values['KERNEL_BALENA_OVERRIDE_FRAGMENTS'] or '').split()
    if not {f'boardpack-{block}.cfg' for block in BLOCKS} <= set(names):
        yield f'KERNEL_BALENA_OVERRIDE_FRAGMENTS is "{" ".join(names)}"'
    where = str(builds.LAYER / 'kconfig')
    if where not in [path.rstrip('/') for path in (values['FILESPATH'] or '').split(':')]:
        yield f'FILESPATH has no {where}'


def judged(title, answers, stubbed):
    """Yield (what is wrong, name) for the recipes of a family's kernel, a version each."""
    ours = [answer for answer in answers if not answer.get('skipped') and
            any(str(builds.LAYER) in path for path in answer['appends'])]
    theirs = [answer for answer in ours if 'error' in answer or
              answer['flags'][f'{TASKS[0]}[task]']]
    said = '\n'.join(f'{answer["file"]}: {answer.get("skipped") or answer["appends"]}'
                     for answer in answers)
    yield '' if theirs else f'no append for it\n{said}', f'{title}: has an append'
    for answer in ours:
        name = f'{title}: {answer["file"].rsplit("/", 1)[1]}'
        if answer in theirs:
            yield '\n'.join(wrong(answer, stubbed)), f'{name} has blocks, tasks, labels'
        else:
            yield '' if untouched(answer) else str(answer), f'{name} is not balena\'s, left alone'


def results(release, work, layer, recipe):
    """Yield (what is wrong, name) for one kernel recipe."""
    row = next(row for row in builds.boards() if (row.layer, row.recipe) == (layer, recipe) and
               row.series == release.name)
    folder = work / f'{layer}-{recipe}'
    real = release.real(layer, recipe)
    layers = real or builds.stub(folder / 'layer', release, row)
    build = folder / 'build'
    builds.build_folder(build, [*release.base(), builds.LAYER, *layers], row.machine)
    told = builds.ask(release, build, [
        question(recipe), {'file': 'balena-supervisor.bb', 'vars': ['LED_FILE']},
        {**question(recipe), 'file': 'linux-another_*'}])
    kind = 'its own layers' if real else 'a layer that stands for it'
    title = f'{layer}: {recipe} ({kind}, {row.machine})'
    yield from judged(title, told['answers'][0], not real)
    yield '\n'.join(told['dangling']), f'{title}: no append is without its recipe'
    led = told['answers'][1][0].get('vars', {}).get('LED_FILE')
    wanted = LED if real or row.leds != '-' else builds.FAMILY_LED
    yield '' if led == wanted else f'LED_FILE is {led}', f'{title}: LED_FILE is {wanted}'
    for answer in told['answers'][2]:
        yield '' if 'vars' in answer and untouched(answer) else str(answer), \
            f'{title}: another kernel is as it was'
