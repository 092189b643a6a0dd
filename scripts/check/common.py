# SPDX-License-Identifier: GPL-2.0-only
"""What the checks share: the files, the tools and a look at C."""

import fnmatch
import os
import re
import shutil
import subprocess
import threading
from collections import namedtuple

# No more tools at once than there are processors.
SLOTS = threading.Semaphore(len(os.sched_getaffinity(0)))

# Inputs of the tests of checks and verifiers are wrong on purpose.
INPUTS = ('selftests/*/bad-*', 'selftests/static/good/*')

Function = namedtuple('Function', 'name head line last')


class SetupError(Exception):
    """A check cannot be made; that never counts as passed."""


class NoFiles(Exception):
    """There is nothing yet that a check could look at."""


def tool(command, **options):
    """Run a tool and return its exit status, stdout and stderr."""
    if not shutil.which(command[0]):
        raise SetupError(f'{command[0]} is not installed')
    with SLOTS:
        result = subprocess.run(command, text=True, errors='replace',
                                check=False, capture_output=True, **options)
    return result.returncode, result.stdout, result.stderr


def complaints(command, **options):
    """Return the lines of a tool's output; a failure is never silent."""
    status, out, err = tool(command, **options)
    lines = (out + err).splitlines()
    if status and not lines:
        lines = [f'{command[0]} failed with status {status}']
    return lines


def linux(*path):
    """Return a path in the kernel source tree."""
    top = os.environ.get('LINUX_SRC')
    if not top:
        raise SetupError('LINUX_SRC is not set: name a kernel source tree')
    name = os.path.join(top, *path)
    if not os.path.exists(name):
        raise SetupError(f'{name} is missing: LINUX_SRC is not a whole tree')
    return name


def words_file(name):
    """Return the words of a list beside this file, without comments."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    with open(path, encoding='utf-8') as stream:
        lines = [line.split('#')[0].strip() for line in stream]
    return [line for line in lines if line]


class Tree:
    """The files to look at; the working directory is their root."""

    def __init__(self, named):
        self.texts = {}
        if named:
            self.paths = [os.path.relpath(path) for path in named]
        else:
            self.paths = [path for path in self._all()
                          if not any(fnmatch.fnmatch(path, pattern)
                                     for pattern in INPUTS)]

    @staticmethod
    def _all():
        if os.path.exists('.git'):
            status, out, err = tool(['git', 'ls-files', '-z'])
            if status:
                raise SetupError(f'git ls-files: {err.strip()}')
            return [p for p in sorted(out.split('\0')) if os.path.isfile(p)]
        return sorted(os.path.relpath(os.path.join(top, name))
                      for top, _, names in os.walk('.') for name in names)

    def text(self, path):
        """Return a file's text, or None when it is no text."""
        if path not in self.texts:
            with open(path, 'rb') as stream:
                data = stream.read()
            self.texts[path] = (None if b'\0' in data else
                                data.decode('utf-8', 'replace'))
        return self.texts[path]

    def some(self, *patterns):
        """Return the texts that match a pattern, there may be none."""
        return [path for path in self.paths
                if any(fnmatch.fnmatch(path, pat) for pat in patterns)
                and self.text(path) is not None]

    def match(self, *patterns):
        """Return the texts that match a pattern, there must be one."""
        found = self.some(*patterns)
        if not found:
            raise NoFiles(f'no {" ".join(patterns)}')
        return found

    def shells(self):
        """Return the shell scripts, also those without a suffix."""
        shebang = re.compile(r'#!\s*/\S*/(env )?(ba|da|busybox )?sh\b')
        found = [path for path in self.some('*')
                 if path.endswith('.sh') or shebang.match(self.text(path))]
        if not found:
            raise NoFiles('no shell scripts')
        return found


def blank(text):
    """Replace all but newlines by spaces."""
    return re.sub(r'[^\n]', ' ', text)


def bare(text):
    """Return C without comments and strings, line for line the same."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'
                         r"'(?:\\.|[^'\\\n])*'", re.S)
    return pattern.sub(lambda match: blank(match[0]), text)


def functions(text):
    """Return the functions that a C file defines."""
    code = re.sub(r'^[ \t]*#(?:[^\n\\]|\\.)*', lambda m: blank(m[0]),
                  bare(text), flags=re.M | re.S)
    found = []
    depth = begin = 0
    head = None
    for match in re.finditer(r'[{};]', code):
        place = match.start()
        if match[0] == '{':
            depth += 1
            if depth == 1:
                head = (begin, code[begin:place])
        elif match[0] == '}':
            depth -= 1
            if depth == 0:
                add_function(found, code, head, place)
        if depth == 0:
            begin = place + 1
    return found


def add_function(found, code, head, end):
    """Take a block in braces for a function if its head looks like one."""
    begin, words = head
    name = re.search(r'(\w+)\s*\(', words)
    if not name or '=' in words or not words.rstrip().endswith(')'):
        return
    begin += len(words) - len(words.lstrip())
    found.append(Function(name[1], ' '.join(words.split()),
                          code.count('\n', 0, begin) + 1,
                          code.count('\n', 0, end) + 1))
