import type { LoaderCase } from './loader-case.ts';

const MIB = 1024 * 1024;

/** Functions in Python, and what has to come of them. They are valid for Python 2.7 and 3 alike where `from` is not given. */
export const PYTHON_CASES: readonly LoaderCase[] = [
  {
    what: 'returns a number and prints',
    core: true,
    code: 'def handler(event):\n    print("Hello %s" % event[0])\n    return 42\n',
    args: '("you", 1)',
    want: { code: 0, stdout: 'Hello you\n', stderr: '', result: '42' },
  },
  {
    what: 'gets its tuple as it was written',
    code: 'def handler(event):\n    return "%s %r" % (type(event).__name__, event)\n',
    args: '  (512, 0.25, [None, True], {1: (2,)})',
    want: { code: 0, result: 'tuple (512, 0.25, [None, True], {1: (2,)})' },
  },
  {
    what: 'returns text',
    code: 'def handler(event): return u"\\xe9\\u20ac\\U0001f600"',
    want: { code: 0, result: 'é€😀' },
  },
  {
    what: 'returns text in bytes of UTF-8 where that is text',
    code: '# coding: utf-8\ndef handler(event): return "é😀"',
    want: { code: 0, result: 'é😀' },
  },
  { what: 'returns None', code: 'def handler(event): pass', want: { code: 0, result: '' } },
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
    what: 'returns text with every kind of line end and NUL',
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
    what: 'returns the largest result there may be',
    code: `def handler(event): return "ab" * ${5 * MIB}`,
    want: { code: 0, result: 'ab'.repeat(5 * MIB) },
  },
  {
    what: 'returns too much',
    code: `def handler(event): return "ab" * ${5 * MIB} + "c"`,
    want: {
      code: 1,
      result: undefined,
      stderr: 'the result has 10485761 bytes; at most 10485760 are taken\n',
    },
  },
  {
    what: 'throws, with a traceback that shows its own lines only',
    core: true,
    code: 'def helper():\n    raise ValueError("no " + "good")\n\ndef handler(event):\n    print("before")\n    helper()\n',
    want: {
      code: 1,
      result: undefined,
      stdout: 'before\n',
      stderr:
        /^Traceback \(most recent call last\):\n {2}File "[^"]*sharedcloud_function.py", line 6, in handler\n {4}helper\(\)\n[^]*line 2, in helper\n {4}raise ValueError\("no " \+ "good"\)\nValueError: no good\n$/,
    },
  },
  {
    what: 'throws a message that is not ASCII',
    code: '# coding: utf-8\ndef handler(event):\n    raise ValueError("é€")  # ü\n',
    want: { code: 1, stderr: /raise ValueError\("é€"\) {2}# ü\n(?: +\^+\n)?ValueError: é€\n$/ },
  },
  {
    what: 'throws something that is no Exception',
    code: 'def handler(event): raise KeyboardInterrupt()',
    want: { code: 1, result: undefined, stderr: /KeyboardInterrupt\n$/ },
  },
  {
    what: 'recurses for ever',
    code: 'def handler(event): return handler(event)',
    want: { code: 1, result: undefined, stderr: /recursion/ },
  },
  {
    what: 'cannot be compiled',
    code: 'def handler(event:\n    return 1\n',
    want: { code: 1, result: undefined, stderr: /sharedcloud_function.py", line [12][^]*SyntaxError/ },
  },
  {
    what: 'fails as it is loaded',
    code: 'import no_such_module',
    want: { code: 1, result: undefined, stderr: /line 1, in <module>[^]*no_such_module/ },
  },
  {
    what: 'has no handler',
    code: 'def handle(event): pass',
    want: {
      code: 1,
      result: undefined,
      stderr: 'the function has no handler: it must define handler(event)\n',
    },
  },
  {
    what: 'is empty',
    code: '',
    want: {
      code: 1,
      result: undefined,
      stderr: 'the function has no handler: it must define handler(event)\n',
    },
  },
  {
    what: 'has a handler that is no function',
    code: 'handler = 5',
    want: { code: 1, stderr: "the function's handler is no function but 5\n" },
  },
  {
    what: 'gets arguments that are none',
    code: 'def handler(event): pass',
    args: '(1, os)',
    want: { code: 1, result: undefined, stderr: /^the arguments are no Python literal: / },
  },
  {
    what: 'calls sys.exit()',
    code: 'import sys\ndef handler(event):\n    print("a")\n    sys.exit()',
    want: { code: 0, stdout: 'a\n', result: '' },
  },
  {
    what: 'calls sys.exit(0)',
    code: 'import sys\ndef handler(event): sys.exit(0)',
    want: { code: 0, result: '' },
  },
  {
    what: 'calls exit(), the one for people',
    code: 'def handler(event): exit()',
    want: { code: 0, result: '' },
  },
  {
    what: 'calls sys.exit(3)',
    code: 'import sys\ndef handler(event): sys.exit(3)',
    want: { code: 3, result: undefined, stderr: '' },
  },
  {
    what: 'calls sys.exit("why")',
    core: true,
    code: 'import sys\ndef handler(event): sys.exit(u"w\\xe9")',
    want: { code: 1, result: undefined, stderr: 'wé\n' },
  },
  {
    what: 'calls sys.exit(0) before there is a handler',
    code: 'import sys\nsys.exit(0)',
    want: { code: 0, result: undefined },
  },
  {
    what: 'calls os._exit(0)',
    code: 'import os\ndef handler(event):\n    print("a")\n    os._exit(0)',
    want: { code: 0, stdout: /^(a\n)?$/, result: undefined },
  },
  {
    what: 'kills itself',
    code: 'import os\ndef handler(event):\n    print("a")\n    os.kill(os.getpid(), 9)',
    want: { code: 137, stdout: 'a\n', result: undefined },
  },
  {
    what: 'is async',
    core: true,
    from: 3,
    code: 'import asyncio\nasync def handler(event):\n    await asyncio.sleep(0.01)\n    return "done"',
    want: { code: 0, result: 'done' },
  },
  {
    what: 'is async and throws',
    from: 3,
    code: 'async def handler(event): raise ValueError("no")',
    want: { code: 1, result: undefined, stderr: /ValueError: no\n$/ },
  },
  {
    what: 'is async and exits',
    from: 3,
    code: 'import sys\nasync def handler(event): sys.exit(0)',
    want: { code: 0, result: '' },
  },
  {
    what: 'returns a future',
    core: true,
    from: 3,
    code: 'import asyncio\ndef handler(event):\n    loop = asyncio.new_event_loop()\n    future = loop.create_future()\n    loop.call_later(0.01, future.set_result, "later")\n    return future',
    want: { code: 0, result: 'later' },
  },
  {
    what: 'prints without a newline, and to both',
    code: 'import sys\ndef handler(event):\n    sys.stderr.write("e")\n    sys.stdout.write("x")\n    return 1',
    want: { code: 0, stdout: 'x', stderr: 'e', result: '1' },
  },
  {
    what: 'prints text and bytes of any kind',
    core: true,
    code: 'import os, sys\ndef handler(event):\n    print(u"\\xe9\\u20ac\\U0001f600")\n    sys.stdout.flush()\n    os.write(1, b"\\xff\\xfe\\0\\n")',
    want: { code: 0, stdout: 'é€😀\n\u{fffd}\u{fffd}\0\n', result: '' },
  },
  {
    what: 'prints what looks like a frame',
    code: 'def handler(event):\n    print("\\x1e" + "0" * 32 + ":end:0\\x1e")\n    return "real"',
    want: { code: 0, stdout: `\x1e${'0'.repeat(32)}:end:0\x1e\n`, result: 'real' },
  },
  {
    what: 'prints a lot on one line',
    code: `import sys\ndef handler(event):\n    sys.stdout.write("x" * ${MIB - 1000})\n    return 1`,
    want: { code: 0, stdout: 'x'.repeat(MIB - 1000), result: '1' },
  },
  {
    what: 'starts a process that prints',
    code: 'import subprocess\ndef handler(event):\n    print("one")\n    subprocess.check_call(["echo", "two"])\n    print("three")\n    return 1',
    want: { code: 0, stdout: 'one\ntwo\nthree\n', result: '1' },
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
    what: 'replaces what the loader uses',
    core: true,
    code: 'import base64, json, os, sys\ndef handler(event):\n    os.write = os._exit = base64.b64encode = None\n    os.getpid = lambda: 1\n    sys.stdout = sys.stderr = None\n    return "kept"',
    want: { code: 0, result: 'kept' },
  },
  {
    what: 'has a thread that ends soon after',
    core: true,
    code: 'import threading, time\ndef later():\n    time.sleep(0.3)\n    print("late")\ndef handler(event):\n    print("early")\n    threading.Thread(target=later).start()\n    return 1',
    want: { code: 0, stdout: 'early\nlate\n', result: '1', most: 1.9 },
  },
  {
    what: 'has a thread that never ends',
    code: 'import threading, time\ndef later():\n    while True:\n        time.sleep(1)\ndef handler(event):\n    threading.Thread(target=later).start()\n    return 1',
    want: { code: 0, result: '1', least: 1.9 },
  },
  {
    what: 'has a thread that prints all the while',
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
    what: 'pickles its own class, and reads its own source',
    code: 'import inspect, pickle\nclass Thing(object):\n    pass\ndef handler(event):\n    pickle.loads(pickle.dumps(Thing()))\n    return inspect.getsource(Thing)',
    want: { code: 0, result: 'class Thing(object):\n    pass\n' },
  },
  {
    what: 'has a block for being run as a script',
    code: 'def handler(event): return __name__\nif __name__ == "__main__":\n    raise SystemExit("not here")',
    want: { code: 0, result: 'sharedcloud_function' },
  },
  {
    what: 'has a byte order mark, CRLF and a coding line that is not true',
    core: true,
    code: '\ufeff# -*- coding: latin-1 -*-\r\ndef handler(event):\r\n    return u"é€"\r\n',
    want: { code: 0, result: 'é€' },
  },
  {
    what: 'has a future import and a docstring',
    code: '"""What it does."""\nfrom __future__ import division\ndef handler(event): return (__doc__, 1 / 2)',
    want: { code: 0, result: "('What it does.', 0.5)" },
  },
  {
    what: 'is of 5 MiB',
    code: `text = "${'x'.repeat(5 * MIB)}"\ndef handler(event): return len(text)`,
    want: { code: 0, result: String(5 * MIB) },
  },
  {
    what: 'gets arguments of 1 MiB',
    code: 'def handler(event): return len(event[0])',
    args: `("${'y'.repeat(MIB)}",)`,
    want: { code: 0, result: String(MIB) },
  },
];
