# SPDX-License-Identifier: GPL-2.0-only
"""Ask a real bitbake what recipes are once they are parsed.

Run in a build folder with bitbake's lib in PYTHONPATH. On stdin JSON: a list of
questions, each with the recipe ("file", a pattern of file names), variables to be "set"
before, and the "vars" and "flags" that are asked for. On stdout JSON: the answers by file,
which files were appended to, and the appends of "layer" that no recipe takes.
"""

import fnmatch
import json
import os
import sys

import bb.cooker
import bb.data
import bb.tinfoil


def collect(tinfoil):
    """Return what bitbake finds below BBFILES: recipes, and which appends are for which."""
    priorities = [(name, pattern, __import__('re').compile(pattern), int(priority))
                  for name, pattern, _, priority in tinfoil.run_command('getLayerPriorities')]
    found = bb.cooker.CookerCollectFiles(priorities)
    recipes, *_ = found.collect_bbfiles(tinfoil.config_data, tinfoil.config_data)
    hidden = {path for paths in found.overlayed.values() for path in paths}
    return found, [path for path in recipes if path not in hidden]


def ask(tinfoil, question, path, appends):
    """Return what a recipe answers."""
    config = None
    if question.get('set'):
        config = bb.data.createCopy(tinfoil.config_data)
        for name, value in question['set'].items():
            config.setVar(name, value)
    data = tinfoil.parse_recipe_file(path, appendlist=list(appends), config_data=config)
    return {'file': path, 'appends': list(appends), 'skipped': data.getVar('__SKIPPED'),
            'vars': {name: data.getVar(name) for name in question.get('vars', ())},
            'flags': {f'{name}[{flag}]': data.getVarFlag(name, flag)
                      for name, flag in question.get('flags', ())}}


def answer(tinfoil, question, found, recipes):
    """Return the answers of all recipes that a question is about."""
    answers = []
    for path in recipes:
        if not fnmatch.fnmatch(os.path.basename(path), question['file']):
            continue
        appends = found.get_file_appends(path)
        try:
            answers.append(ask(tinfoil, question, path, appends))
        except Exception as error:      # pylint: disable=broad-exception-caught
            answers.append({'file': path, 'appends': list(appends),
                            'error': '\n'.join(str(error).strip().splitlines()[-3:])})
    return answers


def main():
    """Ask all."""
    job = json.load(sys.stdin)
    out, sys.stdout = os.fdopen(os.dup(1), 'w'), sys.stderr
    os.dup2(2, 1)
    with bb.tinfoil.Tinfoil() as tinfoil:
        tinfoil.prepare(config_only=True, quiet=2)
        found, recipes = collect(tinfoil)
        result = {'answers': [answer(tinfoil, one, found, recipes) for one in job['questions']],
                  'dangling': [path for base, path in found.bbappends
                               if path.startswith(job['layer']) and not any(
                                   path in found.get_file_appends(recipe) for recipe in recipes)],
                  'appends': [path for _, path in found.bbappends
                              if path.startswith(job['layer'])]}
    json.dump(result, out)
    out.close()


if __name__ == '__main__':
    main()
