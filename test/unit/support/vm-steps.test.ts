import { expect, test } from 'vitest';
import { readSteps } from '../../support/vm/vm.ts';

test('what a virtual machine said of its steps is kept apart from all else on its line', () => {
  const said =
    'SeaBIOS\r\n\n=== step 000-first\r\na\r\nb\n\n=== ended 000-first 0 3\n[ 9.1] a driver\n' +
    '\n=== step 001-second\n\n=== ended 001-second 7 0\n\n=== step 002-third\nno end';
  expect(Object.fromEntries(readSteps(said))).toEqual({
    first: { code: 0, output: 'a\nb', seconds: 3 },
    second: { code: 7, output: '', seconds: 0 },
  });
});
