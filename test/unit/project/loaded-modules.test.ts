import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = new URL('../../../', import.meta.url);

/** Loads the main module with all that it imports, and prints what was loaded. */
const PROGRAM = `
  const { registerHooks } = require('node:module');
  const files = [];
  registerHooks({ load: (url, context, next) => (files.push(url), next(url, context)) });
  import('./src/main.ts').then(() => {
    process.stdout.write(JSON.stringify({ files, builtIn: process.moduleLoadList }));
    process.exit();
  });
`;

const LOADED = z.object({ files: z.array(z.string()), builtIn: z.array(z.string()) });

test('what an idle agent does not need is not loaded, because it would stay in memory', () => {
  const output = execFileSync(process.execPath, ['--eval', PROGRAM, '--', 'none'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { builtIn, files } = LOADED.parse(JSON.parse(output.slice(output.lastIndexOf('{"files"'))));
  const loaded = (pattern: RegExp): readonly string[] =>
    [...files, ...builtIn].filter((name) => pattern.test(name));
  expect(loaded(/src\/daemon\/run-daemon/)).toHaveLength(1);
  // Fetch and WebSockets of Node.js, which an import of node:http loads.
  expect(loaded(/internal\/deps\/undici/)).toEqual([]);
  expect(loaded(/undici\/(?:index|lib\/(?:web|cache|mock|interceptor|llhttp\/.*\.ts))/)).toEqual([]);
  expect(loaded(/systeminformation\/lib\/(?:index|network|wifi|filesystem)\.js/)).toEqual([]);
  expect(loaded(/@clack/)).toEqual([]);
  expect(loaded(/src\/embedded\/broker\/(?!catalogue-data)|node_modules\/fastify/)).toEqual([]);
});
