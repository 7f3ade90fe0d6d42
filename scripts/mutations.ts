import { resolve } from 'node:path';
import { MUTATIONS } from '../test/mutations/all.ts';
import { namePattern } from './mutations/mutation.ts';
import { runTests } from './mutations/run-tests.ts';
import { Tree } from './mutations/tree.ts';

/*
 * `npm run mutations [-- WORDS]`: removes each protection from a copy of the tree, one at a time, and expects the test named
 * for it to fail. WORDS select protections by their name, file or test. Exit code 1: a mutation survived.
 */

const words = process.argv.slice(2);
const picked = MUTATIONS.filter(
  ({ file, protection, test }) =>
    words.length === 0 ||
    words.some((word) => [protection, file, test.file, test.name].some((text) => text.includes(word))),
);

using tree = new Tree(resolve(import.meta.dirname, '..'));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const survivors: string[] = [];

// A test that fails without the mutation, too, shows nothing.
for (const [file, all] of Map.groupBy(picked, ({ test }) => test.file)) {
  const names = [...new Set(all.map(({ test }) => test.name))];
  const results = [...runTests(tree.path, file, names)];
  for (const name of names) {
    const own = results.filter(([full]) => namePattern(name).test(full));
    if (own.length > 0 && own.every(([, status]) => status === 'passed')) continue;
    survivors.push(`${file}: «${name}» does not pass as it is`);
    say(`NOT USABLE  ${survivors.at(-1)}`);
  }
}

for (const mutation of picked) {
  const { file, protection, test } = mutation;
  using _ = tree.without(mutation);
  const began = performance.now();
  const results = [...runTests(tree.path, test.file, [test.name]).values()];
  const isCaught = results.includes('failed');
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const line = `${protection} (${file}) by ${test.file}: ${test.name}, ${seconds} s`;
  if (!isCaught) survivors.push(line);
  say(`${isCaught ? 'caught     ' : 'NOT CAUGHT '} ${line}`);
}

say(`${picked.length} protections taken out, ${survivors.length} not caught`);
for (const line of survivors) say(`  ${line}`);
process.exitCode = survivors.length === 0 ? 0 : 1;
