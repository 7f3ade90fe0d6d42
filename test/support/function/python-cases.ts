import type { LoaderCase } from './loader-case.ts';

const MIB = 1024 * 1024;

/** Cases that only Python has. Without `from` they run on Python 2.7 and 3. */
export const PYTHON_CASES: readonly LoaderCase[] = [
  {
    what: 'gets its arguments as they were written',
    code: 'def handler(event):\n    return "%s %r" % (type(event).__name__, event)\n',
    args: '  (512, 0.25, [None, True], {1: (2,)})',
    want: { code: 0, result: 'tuple (512, 0.25, [None, True], {1: (2,)})' },
  },
  {
    what: 'returns text as bytes of UTF-8 in Python 2',
    code: '# coding: utf-8\ndef handler(event): return "é😀"',
    want: { code: 0, result: 'é😀' },
  },
  { what: 'returns an empty text', code: 'def handler(event): return ""', want: { code: 0, result: '' } },
  {
    what: 'returns a list',
    code: 'def handler(event): return [1, None, "a"]',
    want: { code: 0, result: "[1, None, 'a']" },
  },
  {
    what: 'returns text that looks like a frame',
    code: 'def handler(event): return "\\x1e0:end:0\\x1e\\n"',
    want: { code: 0, result: '\x1e0:end:0\x1e\n' },
  },
  {
    what: 'returns text with all line ends and NUL',
    code: 'def handler(event): return "a\\r\\nb\\0c\\n\\n"',
    want: { code: 0, result: 'a\r\nb\0c\n\n' },
  },
  {
    what: 'returns a lone surrogate',
    from: 3,
    code: 'def handler(event):\n    print("a\\ud800b")\n    return "\\udc00"',
    want: { code: 0, stdout: 'a\\ud800b\n', result: '\\udc00' },
  },
  {
    what: 'throws a message that is not ASCII',
    code: '# coding: utf-8\ndef handler(event):\n    raise ValueError("é€")  # ü\n',
    want: { code: 1, stderr: /raise ValueError\("é€"\) {2}# ü\n(?: +\^+\n)?ValueError: é€\n$/ },
  },
  {
    what: 'shows the line of an error although it has used up its file descriptors',
    code: 'import os\ndef handler(event):\n    kept = []\n    while True:\n        kept.append(os.open("/dev/null", 0))\n',
    want: { code: 1, stderr: /kept\.append\(os\.open\("\/dev\/null", 0\)\)\n(?: +[~^]+\n)?OSError: / },
  },
  {
    what: 'shows the line of an error in code with another coding line',
    from: 3,
    code: '# coding: latin-1\ndef handler(event):\n    raise ValueError("é")\n',
    want: { code: 1, stderr: /raise ValueError\("é"\)\n(?: +\^+\n)?ValueError: é\n$/ },
  },
  {
    what: 'gets negative, complex and unusual literals',
    code: 'def handler(event): return repr(event)',
    args: '(-1, 2.5, 1+2j, -1-0.5j, {"a": -0.0}, [()], "x" "y", 0x10)',
    want: { code: 0, result: "(-1, 2.5, (1+2j), (-1-0.5j), {'a': -0.0}, [()], 'xy', 16)" },
  },
  {
    what: 'returns a generator as it is',
    code: 'def handler(event): return (item for item in event)',
    want: { code: 0, stderr: '' },
  },
  {
    what: 'recurses forever',
    code: 'def handler(event): return handler(event)',
    want: { code: 1, result: undefined, stderr: /recursion/ },
  },
  {
    what: 'gets arguments that are not a literal',
    code: 'def handler(event): pass',
    args: '(1, os)',
    want: { code: 1, result: undefined, stderr: /^the arguments are no Python literal: / },
  },
  {
    what: 'calls sys.exit(0)',
    code: 'import sys\ndef handler(event): sys.exit(0)',
    want: { code: 0, result: '' },
  },
  {
    what: 'calls the built-in exit()',
    code: 'def handler(event): exit()',
    want: { code: 0, result: '' },
  },
  {
    what: 'calls sys.exit() with a message',
    core: true,
    code: 'import sys\ndef handler(event): sys.exit(u"w\\xe9")',
    want: { code: 1, result: undefined, stderr: 'wé\n' },
  },
  {
    what: 'calls os._exit(0)',
    code: 'import os\ndef handler(event):\n    print("a")\n    os._exit(0)',
    want: { code: 0, stdout: /^(a\n)?$/, result: undefined },
  },
  {
    what: 'is async and exits',
    from: 3,
    code: 'import sys\nasync def handler(event): sys.exit(0)',
    want: { code: 0, result: '' },
  },
  {
    what: 'prints text and invalid bytes',
    core: true,
    code: 'import os, sys\ndef handler(event):\n    print(u"\\xe9\\u20ac\\U0001f600")\n    sys.stdout.flush()\n    os.write(1, b"\\xff\\xfe\\0\\n")',
    want: { code: 0, stdout: 'é€😀\n\u{fffd}\u{fffd}\0\n', result: '' },
  },
  {
    what: 'prints 1 MiB on one line',
    code: `import sys\ndef handler(event):\n    sys.stdout.write("x" * ${MIB - 1000})\n    return 1`,
    want: { code: 0, stdout: 'x'.repeat(MIB - 1000), result: '1' },
  },
  {
    what: 'closes stdout',
    code: 'import os, sys\ndef handler(event):\n    print("a")\n    sys.stdout.close()\n    try:\n        os.close(1)\n    except OSError:\n        pass\n    return "kept"',
    want: { code: 0, stdout: 'a\n', result: 'kept' },
  },
  {
    what: 'redirects stdout',
    code: 'import io, os, sys\ndef handler(event):\n    sys.stdout = io.StringIO()\n    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)\n    sys.stdout.write(u"lost")\n    return "kept"',
    want: { code: 0, stdout: '', result: 'kept' },
  },
  {
    what: 'replaces the functions that the loader uses',
    core: true,
    code: 'import base64, json, os, sys\ndef handler(event):\n    os.write = os._exit = base64.b64encode = None\n    os.getpid = lambda: 1\n    sys.stdout = sys.stderr = None\n    return "kept"',
    want: { code: 0, result: 'kept' },
  },
  {
    what: 'has a thread that keeps printing',
    code: `import threading\ngo = True\ndef later():\n    while go:\n        print("y" * 50)\ndef handler(event):\n    thread = threading.Thread(target=later)\n    thread.daemon = True\n    thread.start()\n    return "z" * ${MIB}`,
    want: { code: 0, stdout: /^(y{50}\n|\[sharedcloud.*\n|y*\n?)*$/, result: 'z'.repeat(MIB) },
  },
  {
    what: 'has an exit handler',
    core: true,
    code: 'import atexit\ndef handler(event):\n    atexit.register(lambda: print_("bye"))\n    return 1\ndef print_(text):\n    print(text)',
    want: { code: 0, stdout: 'bye\n', result: '1' },
  },
  {
    what: 'forks, and the child returns too',
    code: 'import os\ndef handler(event):\n    pid = os.fork()\n    if pid:\n        os.waitpid(pid, 0)\n        return "parent"\n    print("child")\n    return "child"',
    want: { code: 0, stdout: 'child\n', result: 'parent' },
  },
  {
    what: 'uses multiprocessing',
    code: 'import multiprocessing\ndef square(n):\n    return n * n\ndef handler(event):\n    pool = multiprocessing.Pool(2)\n    try:\n        return pool.map(square, event)\n    finally:\n        pool.terminate()\n        pool.join()',
    args: '(1, 2, 3)',
    want: { code: 0, result: '[1, 4, 9]' },
  },
  {
    what: 'uses multiprocessing with new interpreters',
    core: true,
    from: 3,
    code: 'import multiprocessing\ndef square(n):\n    return n * n\ndef handler(event):\n    with multiprocessing.get_context("spawn").Pool(1) as pool:\n        return pool.map(square, event)',
    args: '(1, 2, 3)',
    want: { code: 0, result: '[1, 4, 9]' },
  },
  {
    what: 'pickles its class and reads its source',
    code: 'import inspect, pickle\nclass Thing(object):\n    pass\ndef handler(event):\n    pickle.loads(pickle.dumps(Thing()))\n    return inspect.getsource(Thing)',
    want: { code: 0, result: 'class Thing(object):\n    pass\n' },
  },
  {
    what: 'has a block for running as a script',
    code: 'def handler(event): return __name__\nif __name__ == "__main__":\n    raise SystemExit("not here")',
    want: { code: 0, result: 'sharedcloud_function' },
  },
  {
    what: 'has a byte order mark, CRLF and a wrong coding line',
    core: true,
    code: '\ufeff# -*- coding: latin-1 -*-\r\ndef handler(event):\r\n    return u"é€"\r\n',
    want: { code: 0, result: 'é€' },
  },
  {
    what: 'has a future import and a docstring',
    code: '"""What it does."""\nfrom __future__ import division\ndef handler(event): return (__doc__, 1 / 2)',
    want: { code: 0, result: "('What it does.', 0.5)" },
  },
];
