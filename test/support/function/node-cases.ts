import type { LoaderCase } from './loader-case.ts';

const MIB = 1024 * 1024;

/** Functions in JavaScript, and what has to come of them. */
export const NODE_CASES: readonly LoaderCase[] = [
  {
    what: 'returns a number and prints',
    core: true,
    code: 'function handler(event) {\n  console.log("Hello", event[0]);\n  return 42;\n}',
    args: '("you", 1)',
    want: { code: 0, stdout: 'Hello you\n', stderr: '', result: '42' },
  },
  {
    what: 'gets its tuple as an array of what JavaScript has',
    core: true,
    code: 'const handler = (event) => [Array.isArray(event), event, event[6].toString(), Object.is(event[7], -0), 1 / event[8]]',
    args: '(512, 0.25, [None, True, ...], {1: (2,), "a": {None: 1.5}}, "é", {3}, b"by\\xc3\\xa9", -0.0, -1e999, 1+2j)',
    want: {
      code: 0,
      result:
        '[true,[512,0.25,[null,true,null],{"1":[2],"a":{"null":1.5}},"é",[3],{"type":"Buffer","data":[98,121,195,169]},0,null,{"real":1,"imag":2}],"byé",true,0]',
    },
  },
  {
    what: 'gets keys that are dangerous elsewhere',
    code: 'function handler([d]) { return [Object.keys(d), d.__proto__, Object.getPrototypeOf(d) === Object.prototype, ({}).x === undefined]; }',
    args: '({"__proto__": {"x": 1}, "constructor": 2, "int": 3, "dict": 4, (1, "a"): 5},)',
    want: {
      code: 0,
      result: '[["__proto__","constructor","int","dict","[1,\\"a\\"]"],{"x":1},true,true]',
    },
  },
  {
    what: 'gets an integer too large for a number',
    core: true,
    code: 'function handler([n]) { return typeof BigInt === "function" ? [typeof n, String(n)] : ["bigint", typeof n === "number" ? "123456789012345678901234567890" : ""]; }',
    args: '(123456789012345678901234567890,)',
    want: { code: 0, result: '["bigint","123456789012345678901234567890"]' },
  },
  {
    what: 'is exported',
    code: 'exports.handler = (event) => "exported"',
    want: { code: 0, result: 'exported' },
  },
  {
    what: 'is exported in an object',
    code: 'module.exports = { handler: async () => "exported" }',
    want: { code: 0, result: 'exported' },
  },
  {
    what: 'is all that is exported',
    code: 'module.exports = () => "exported"',
    want: { code: 0, result: 'exported' },
  },
  {
    what: 'is a let, in strict mode, with names of its own',
    code: '"use strict";\nconst fs = require("fs"), path = require("path"), vm = 1, out = 2, load = 3;\nlet handler = () => typeof fs.readFileSync;',
    want: { code: 0, result: 'function' },
  },
  {
    what: 'is an async function',
    core: true,
    code: 'async function handler() { await new Promise((r) => setTimeout(r, 10)); return { a: [1] }; }',
    want: { code: 0, result: '{"a":[1]}' },
  },
  {
    what: 'returns a thenable',
    code: 'function handler() { return { then(done) { setTimeout(done, 10, "later"); } }; }',
    want: { code: 0, result: 'later' },
  },
  { what: 'returns text', code: 'var handler = () => "é€😀"', want: { code: 0, result: 'é€😀' } },
  { what: 'returns undefined', code: 'function handler() {}', want: { code: 0, result: '' } },
  { what: 'returns null', code: 'function handler() { return null; }', want: { code: 0, result: 'null' } },
  { what: 'returns NaN', code: 'function handler() { return NaN; }', want: { code: 0, result: 'null' } },
  {
    what: 'returns bytes',
    code: 'function handler() { return Buffer.from("a"); }',
    want: { code: 0, result: '{"type":"Buffer","data":[97]}' },
  },
  {
    what: 'returns something circular',
    code: 'function handler() { const a = {}; a.a = a; return a; }',
    want: {
      code: 1,
      result: undefined,
      stderr: /^what the handler returned cannot be written as JSON: TypeError/,
    },
  },
  {
    what: 'returns a function',
    code: 'function handler() { return handler; }',
    want: { code: 1, result: undefined, stderr: 'the handler returned a function, which is no JSON\n' },
  },
  {
    what: 'returns a BigInt',
    code: 'function handler() { return typeof BigInt === "function" ? [BigInt(1)] : ["1"]; }',
    want: { code: 0, result: '["1"]' },
  },
  {
    what: 'returns half a surrogate pair',
    code: 'function handler() { return "a\\ud800"; }',
    want: { code: 0, result: 'a\u{fffd}' },
  },
  {
    what: 'returns the largest result there may be',
    code: `function handler() { return "ab".repeat(${5 * MIB}); }`,
    want: { code: 0, result: 'ab'.repeat(5 * MIB) },
  },
  {
    what: 'returns too much',
    code: `function handler() { return "ab".repeat(${5 * MIB}) + "c"; }`,
    want: {
      code: 1,
      result: undefined,
      stderr: 'the result has 10485761 bytes; at most 10485760 are taken\n',
    },
  },
  {
    what: 'throws, with a stack that shows its own lines',
    code: 'function helper() {\n  throw new TypeError("no good");\n}\nfunction handler() {\n  console.log("before");\n  helper();\n}',
    want: {
      code: 1,
      result: undefined,
      stdout: 'before\n',
      stderr:
        /TypeError: no good\n {4}at helper \(.*sharedcloud_function\.js:2:9\)\n {4}at handler \(.*sharedcloud_function\.js:6:3\)\n$/,
    },
  },
  {
    what: 'throws nothing of use',
    code: 'function handler() { throw undefined; }',
    want: { code: 1, result: undefined, stderr: 'thrown: undefined\n' },
  },
  {
    what: 'rejects',
    code: 'async function handler() { throw new Error("no"); }',
    want: { code: 1, result: undefined, stderr: /^Error: no\n {4}at/ },
  },
  {
    what: 'forgets a promise that rejects',
    core: true,
    code: 'async function handler() { Promise.reject(new Error("forgot")); await new Promise((r) => setTimeout(r, 500)); }',
    want: { code: 1, result: undefined, stderr: /Error: forgot/ },
  },
  {
    what: 'handles rejections itself',
    code: 'process.on("unhandledRejection", (e) => console.log("saw", e.message));\nasync function handler() { Promise.reject(new Error("it")); await new Promise((r) => setTimeout(r, 50)); return 1; }',
    want: { code: 0, stdout: 'saw it\n', result: '1' },
  },
  {
    what: 'throws in a timer',
    core: true,
    code: 'function handler() { return new Promise(() => setTimeout(() => { throw new Error("late"); }, 10)); }',
    want: { code: 1, result: undefined, stderr: /Error: late/ },
  },
  {
    what: 'never finishes',
    core: true,
    code: 'function handler() { return new Promise(() => {}); }',
    want: {
      code: 1,
      result: undefined,
      stderr: 'the handler never finished: what it awaits cannot come any more\n',
    },
  },
  {
    what: 'cannot be compiled',
    core: true,
    code: 'function handler( {\n  return 1;\n',
    want: { code: 1, result: undefined, stderr: /sharedcloud_function\.js:2\n[^]*SyntaxError/ },
  },
  {
    what: 'fails as it is loaded',
    code: 'require("no_such_module")',
    want: { code: 1, result: undefined, stderr: /no_such_module/ },
  },
  {
    what: 'has no handler',
    code: 'function handle() {}',
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
    code: 'exports.handler = 5',
    want: { code: 1, result: undefined, stderr: "the function's handler is no function: 5\n" },
  },
  {
    what: 'calls process.exit()',
    code: 'function handler() { console.log("a"); process.exit(); }',
    want: { code: 0, stdout: 'a\n', result: '' },
  },
  {
    what: 'calls process.exit(0) later',
    code: 'function handler() { setTimeout(() => process.exit(0), 10); return new Promise(() => {}); }',
    want: { code: 0, result: '' },
  },
  {
    what: 'calls process.exit(3)',
    code: 'function handler() { process.exit(3); }',
    want: { code: 3, result: undefined, stderr: '' },
  },
  {
    what: 'sets process.exitCode',
    code: 'function handler() { process.exitCode = 4; return 1; }',
    want: { code: 4 },
  },
  {
    what: 'calls process.exit(0) before there is a handler',
    code: 'process.exit(0)',
    want: { code: 0, result: undefined },
  },
  {
    what: 'kills itself',
    code: 'function handler() { console.log("a"); process.kill(process.pid, "SIGKILL"); while (true); }',
    want: { code: 137, stdout: 'a\n', result: undefined },
  },
  {
    what: 'prints without a newline, and to both',
    code: 'function handler() { process.stdout.write("x"); process.stderr.write("e"); return 1; }',
    want: { code: 0, stdout: 'x', stderr: 'e', result: '1' },
  },
  {
    what: 'prints a lot and exits at once',
    core: true,
    code: `function handler() { process.stdout.write("x".repeat(${MIB - 1000})); process.exit(0); }`,
    want: { code: 0, stdout: 'x'.repeat(MIB - 1000), result: '' },
  },
  {
    what: 'prints what looks like a frame',
    code: 'function handler() { console.log("\\x1e" + "0".repeat(32) + ":end:0\\x1e"); return "real"; }',
    want: { code: 0, stdout: `\x1e${'0'.repeat(32)}:end:0\x1e\n`, result: 'real' },
  },
  {
    what: 'starts a process that prints',
    code: 'function handler() { console.log("one"); require("child_process").execFileSync("echo", ["two"], { stdio: "inherit" }); console.log("three"); return 1; }',
    want: { code: 0, stdout: 'one\ntwo\nthree\n', result: '1' },
  },
  {
    what: 'replaces what prints',
    code: 'const fs = require("fs");\nfunction handler() { process.stdout.write = console.log = () => true; fs.writeSync = null; JSON.stringify = null; console.log("lost"); return { a: 1 }; }',
    want: { code: 0, stdout: '', result: '{"a":1}' },
  },
  {
    what: 'has a timer that ends soon after',
    core: true,
    code: 'function handler() { setTimeout(() => console.log("late"), 300); console.log("early"); return 1; }',
    want: { code: 0, stdout: 'early\nlate\n', result: '1', most: 1.9 },
  },
  {
    what: 'has a timer that never ends',
    code: 'function handler() { setInterval(() => {}, 100); return 1; }',
    want: { code: 0, result: '1', least: 1.9 },
  },
  {
    what: 'calls back twice',
    code: 'function handler() { return { then(done) { done("first"); done("second"); } }; }',
    want: { code: 0, result: 'first' },
  },
  {
    what: 'requires what Node.js has, and knows its file',
    code: 'exports.handler = () => require("path").basename(__filename)',
    want: { code: 0, result: 'sharedcloud_function.js' },
  },
  {
    what: 'has a byte order mark, a hash bang and CRLF',
    code: '\ufeff#!/usr/bin/env node\r\nfunction handler() {\r\n  return "é";\r\n}\r\n',
    want: { code: 0, result: 'é' },
  },
  {
    what: 'is of 5 MiB',
    code: `const text = "${'x'.repeat(5 * MIB)}";\nfunction handler() { return text.length; }`,
    want: { code: 0, result: String(5 * MIB) },
  },
  {
    what: 'gets arguments of 1 MiB',
    code: 'function handler(event) { return event[0].length; }',
    args: `("${'y'.repeat(MIB)}",)`,
    want: { code: 0, result: String(MIB) },
  },
];

/** What only holds where stdout is a pipe, as in a container. */
export const NODE_PIPE_CASES: readonly LoaderCase[] = [
  {
    what: 'closes stdout',
    code: 'function handler() { console.log("a"); require("fs").closeSync(1); return "kept"; }',
    want: { code: 0, stdout: 'a\n', result: 'kept' },
  },
];
