import type { LoaderCase } from './loader-case.ts';

const MIB = 1024 * 1024;

/** Cases that only Node.js has. */
export const NODE_CASES: readonly LoaderCase[] = [
  {
    what: 'gets its arguments as JavaScript values',
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
    what: 'gets the key __proto__ and the like',
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
    what: 'is the whole export',
    code: 'module.exports = () => "exported"',
    want: { code: 0, result: 'exported' },
  },
  {
    what: 'is a let in strict mode',
    code: '"use strict";\nconst fs = require("fs"), path = require("path"), vm = 1, out = 2, load = 3;\nlet handler = () => typeof fs.readFileSync;',
    want: { code: 0, result: 'function' },
  },
  {
    what: 'returns an object',
    code: 'async function handler() { return { a: [1] }; }',
    want: { code: 0, result: '{"a":[1]}' },
  },
  { what: 'returns null', code: 'function handler() { return null; }', want: { code: 0, result: 'null' } },
  { what: 'returns NaN', code: 'function handler() { return NaN; }', want: { code: 0, result: 'null' } },
  {
    what: 'returns bytes',
    code: 'function handler() { return Buffer.from("a"); }',
    want: { code: 0, result: '{"type":"Buffer","data":[97]}' },
  },
  {
    what: 'returns a circular object',
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
    what: 'has an unhandled rejection',
    core: true,
    code: 'async function handler() { Promise.reject(new Error("forgot")); await new Promise((r) => setTimeout(r, 500)); }',
    want: { code: 1, result: undefined, stderr: /Error: forgot/ },
  },
  {
    what: 'handles rejections',
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
    what: 'awaits a promise that never settles',
    core: true,
    code: 'function handler() { return new Promise(() => {}); }',
    want: {
      code: 1,
      result: undefined,
      stderr: 'the handler never finished: what it awaits cannot come any more\n',
    },
  },
  {
    what: 'exits with 0 while it is awaited',
    code: 'function handler() { setTimeout(() => process.exit(0), 10); return new Promise(() => {}); }',
    want: { code: 0, result: '' },
  },
  {
    what: 'sets process.exitCode',
    code: 'function handler() { process.exitCode = 4; return 1; }',
    want: { code: 4 },
  },
  {
    what: 'prints 1 MiB and exits at once',
    core: true,
    code: `function handler() { process.stdout.write("x".repeat(${MIB - 1000})); process.exit(0); }`,
    want: { code: 0, stdout: 'x'.repeat(MIB - 1000), result: '' },
  },
  {
    what: 'replaces the functions that the loader uses',
    code: 'const fs = require("fs");\nfunction handler() { process.stdout.write = console.log = () => true; fs.writeSync = null; JSON.stringify = null; console.log("lost"); return { a: 1 }; }',
    want: { code: 0, stdout: '', result: '{"a":1}' },
  },
  {
    what: 'resolves twice',
    code: 'function handler() { return { then(done) { done("first"); done("second"); } }; }',
    want: { code: 0, result: 'first' },
  },
  {
    what: 'requires a built-in module and knows its file',
    code: 'exports.handler = () => require("path").basename(__filename)',
    want: { code: 0, result: 'sharedcloud_function.js' },
  },
  {
    what: 'has a byte order mark, a hash bang and CRLF',
    code: '\ufeff#!/usr/bin/env node\r\nfunction handler() {\r\n  return "é";\r\n}\r\n',
    want: { code: 0, result: 'é' },
  },
];

/** Cases that need a pipe as stdout, as in a container. */
export const NODE_PIPE_CASES: readonly LoaderCase[] = [
  {
    what: 'closes stdout',
    code: 'function handler() { console.log("a"); require("fs").closeSync(1); return "kept"; }',
    want: { code: 0, stdout: 'a\n', result: 'kept' },
  },
];
