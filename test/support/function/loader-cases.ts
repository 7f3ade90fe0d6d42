import type { Language } from '../../../src/domain/language.ts';
import type { LoaderCase } from './loader-case.ts';
import { NODE_CASES } from './node-cases.ts';
import { PYTHON_CASES } from './python-cases.ts';

const MIB = 1024 * 1024;

/** A function in both languages whose outcome is the same, but for what the language itself writes to stderr. */
type SharedCase = Omit<LoaderCase, 'code' | 'from'> & {
  readonly code: Readonly<Record<Language, string>>;
  readonly stderr?: Readonly<Record<Language, string | RegExp>>;
  /** The lowest major version of Python that can parse it. */
  readonly pythonFrom?: number;
};

/** The cases of a language: the shared ones and its own. */
export function casesOf(language: Language): readonly LoaderCase[] {
  const shared = SHARED_CASES.map(({ code, pythonFrom, stderr, want, ...same }): LoaderCase => {
    return {
      ...same,
      code: code[language],
      want: stderr === undefined ? want : { ...want, stderr: stderr[language] },
      ...(language === 'python' && pythonFrom !== undefined ? { from: pythonFrom } : {}),
    };
  });
  return [...shared, ...(language === 'python' ? PYTHON_CASES : NODE_CASES)];
}

const SHARED_CASES: readonly SharedCase[] = [
  {
    what: 'returns a number and prints',
    core: true,
    code: {
      python: 'def handler(event):\n    print("Hello %s" % event[0])\n    return 42\n',
      node: 'function handler(event) {\n  console.log("Hello", event[0]);\n  return 42;\n}',
    },
    args: '("you", 1)',
    want: { code: 0, stdout: 'Hello you\n', stderr: '', result: '42' },
  },
  {
    what: 'returns text',
    code: {
      python: 'def handler(event): return u"\\xe9\\u20ac\\U0001f600"',
      node: 'var handler = () => "é€😀"',
    },
    want: { code: 0, result: 'é€😀' },
  },
  {
    what: 'returns nothing',
    code: {
      python: 'def handler(event): pass',
      node: 'function handler() {}',
    },
    want: { code: 0, result: '' },
  },
  {
    what: 'returns the largest possible result',
    code: {
      python: `def handler(event): return "ab" * ${5 * MIB}`,
      node: `function handler() { return "ab".repeat(${5 * MIB}); }`,
    },
    want: { code: 0, result: 'ab'.repeat(5 * MIB) },
  },
  {
    what: 'returns a result that is too large',
    code: {
      python: `def handler(event): return "ab" * ${5 * MIB} + "c"`,
      node: `function handler() { return "ab".repeat(${5 * MIB}) + "c"; }`,
    },
    want: {
      code: 1,
      result: undefined,
      stderr: 'the result has 10485761 bytes; at most 10485760 are taken\n',
    },
  },
  {
    what: 'throws, with a trace of its own lines only',
    core: true,
    code: {
      python:
        'def helper():\n    raise ValueError("no " + "good")\n\ndef handler(event):\n    print("before")\n    helper()\n',
      node: 'function helper() {\n  throw new TypeError("no good");\n}\nfunction handler() {\n  console.log("before");\n  helper();\n}',
    },
    want: {
      code: 1,
      result: undefined,
      stdout: 'before\n',
    },
    stderr: {
      python:
        /^Traceback \(most recent call last\):\n {2}File "[^"]*sharedcloud_function.py", line 6, in handler\n {4}helper\(\)\n[^]*line 2, in helper\n {4}raise ValueError\("no " \+ "good"\)\nValueError: no good\n$/,
      node: /TypeError: no good\n {4}at helper \(.*sharedcloud_function\.js:2:9\)\n {4}at handler \(.*sharedcloud_function\.js:6:3\)\n$/,
    },
  },
  {
    what: 'throws something that is not an ordinary error',
    code: {
      python: 'def handler(event): raise KeyboardInterrupt()',
      node: 'function handler() { throw undefined; }',
    },
    want: { code: 1, result: undefined },
    stderr: { python: /KeyboardInterrupt\n$/, node: 'thrown: undefined\n' },
  },
  {
    what: 'cannot be compiled',
    core: true,
    code: {
      python: 'def handler(event:\n    return 1\n',
      node: 'function handler( {\n  return 1;\n',
    },
    want: { code: 1, result: undefined },
    stderr: {
      python: /sharedcloud_function.py", line [12][^]*SyntaxError/,
      node: /sharedcloud_function\.js:2\n[^]*SyntaxError/,
    },
  },
  {
    what: 'fails while it is loaded',
    code: {
      python: 'import no_such_module',
      node: 'require("no_such_module")',
    },
    want: { code: 1, result: undefined },
    stderr: { python: /line 1, in <module>[^]*no_such_module/, node: /no_such_module/ },
  },
  {
    what: 'has no handler',
    code: {
      python: 'def handle(event): pass',
      node: 'function handle() {}',
    },
    want: {
      code: 1,
      result: undefined,
      stderr: 'the function has no handler: it must define handler(event)\n',
    },
  },
  {
    what: 'is empty',
    code: {
      python: '',
      node: '',
    },
    want: {
      code: 1,
      result: undefined,
      stderr: 'the function has no handler: it must define handler(event)\n',
    },
  },
  {
    what: 'has a handler that is not a function',
    code: {
      python: 'handler = 5',
      node: 'exports.handler = 5',
    },
    want: { code: 1, result: undefined },
    stderr: {
      python: "the function's handler is no function but 5\n",
      node: "the function's handler is no function: 5\n",
    },
  },
  {
    what: 'exits with 0 in the handler',
    code: {
      python: 'import sys\ndef handler(event):\n    print("a")\n    sys.exit()',
      node: 'function handler() { console.log("a"); process.exit(); }',
    },
    want: { code: 0, stdout: 'a\n', result: '' },
  },
  {
    what: 'exits with 3 in the handler',
    code: {
      python: 'import sys\ndef handler(event): sys.exit(3)',
      node: 'function handler() { process.exit(3); }',
    },
    want: { code: 3, result: undefined, stderr: '' },
  },
  {
    what: 'exits with 0 before the handler',
    code: {
      python: 'import sys\nsys.exit(0)',
      node: 'process.exit(0)',
    },
    want: { code: 0, result: undefined },
  },
  {
    what: 'kills itself',
    code: {
      python: 'import os\ndef handler(event):\n    print("a")\n    os.kill(os.getpid(), 9)',
      node: 'function handler() { console.log("a"); process.kill(process.pid, "SIGKILL"); while (true); }',
    },
    want: { code: 137, stdout: 'a\n', result: undefined },
  },
  {
    what: 'is async',
    core: true,
    pythonFrom: 3,
    code: {
      python: 'import asyncio\nasync def handler(event):\n    await asyncio.sleep(0.01)\n    return "done"',
      node: 'async function handler() { await new Promise((r) => setTimeout(r, 10)); return "done"; }',
    },
    want: { code: 0, result: 'done' },
  },
  {
    what: 'is async and throws',
    pythonFrom: 3,
    code: {
      python: 'async def handler(event): raise ValueError("no")',
      node: 'async function handler() { throw new Error("no"); }',
    },
    want: { code: 1, result: undefined },
    stderr: { python: /ValueError: no\n$/, node: /^Error: no\n {4}at/ },
  },
  {
    what: 'returns a future or thenable',
    core: true,
    pythonFrom: 3,
    code: {
      python:
        'import asyncio\ndef handler(event):\n    loop = asyncio.new_event_loop()\n    future = loop.create_future()\n    loop.call_later(0.01, future.set_result, "later")\n    return future',
      node: 'function handler() { return { then(done) { setTimeout(done, 10, "later"); } }; }',
    },
    want: { code: 0, result: 'later' },
  },
  {
    what: 'prints without a newline to stdout and stderr',
    code: {
      python:
        'import sys\ndef handler(event):\n    sys.stderr.write("e")\n    sys.stdout.write("x")\n    return 1',
      node: 'function handler() { process.stdout.write("x"); process.stderr.write("e"); return 1; }',
    },
    want: { code: 0, stdout: 'x', stderr: 'e', result: '1' },
  },
  {
    what: 'prints text that looks like a record',
    code: {
      python: 'def handler(event):\n    print("\\x1e" + "0" * 32 + ":end:0\\x1e")\n    return "real"',
      node: 'function handler() { console.log("\\x1e" + "0".repeat(32) + ":end:0\\x1e"); return "real"; }',
    },
    want: { code: 0, stdout: `\x1e${'0'.repeat(32)}:end:0\x1e\n`, result: 'real' },
  },
  {
    what: 'starts a process that prints',
    code: {
      python:
        'import subprocess\ndef handler(event):\n    print("one")\n    subprocess.check_call(["echo", "two"])\n    print("three")\n    return 1',
      node: 'function handler() { console.log("one"); require("child_process").execFileSync("echo", ["two"], { stdio: "inherit" }); console.log("three"); return 1; }',
    },
    want: { code: 0, stdout: 'one\ntwo\nthree\n', result: '1' },
  },
  {
    what: 'has a thread or timer that ends soon after',
    core: true,
    code: {
      python:
        'import threading, time\ndef later():\n    time.sleep(0.3)\n    print("late")\ndef handler(event):\n    print("early")\n    threading.Thread(target=later).start()\n    return 1',
      node: 'function handler() { setTimeout(() => console.log("late"), 300); console.log("early"); return 1; }',
    },
    want: { code: 0, stdout: 'early\nlate\n', result: '1', maxSeconds: 1.9 },
  },
  {
    what: 'has a thread or timer that never ends',
    code: {
      python:
        'import threading, time\ndef later():\n    while True:\n        time.sleep(1)\ndef handler(event):\n    threading.Thread(target=later).start()\n    return 1',
      node: 'function handler() { setInterval(() => {}, 100); return 1; }',
    },
    want: { code: 0, result: '1', minSeconds: 1.9 },
  },
  {
    what: 'has 5 MiB of code',
    code: {
      python: `text = "${'x'.repeat(5 * MIB)}"\ndef handler(event): return len(text)`,
      node: `const text = "${'x'.repeat(5 * MIB)}";\nfunction handler() { return text.length; }`,
    },
    want: { code: 0, result: String(5 * MIB) },
  },
  {
    what: 'gets arguments of 1 MiB',
    code: {
      python: 'def handler(event): return len(event[0])',
      node: 'function handler(event) { return event[0].length; }',
    },
    args: `("${'y'.repeat(MIB)}",)`,
    want: { code: 0, result: String(MIB) },
  },
];
