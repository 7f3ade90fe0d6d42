import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Redactor } from '../../../src/lib/redactor.ts';
import { secretForms } from '../../../src/lib/secret-forms.ts';

const TOKEN = 'sc/AZ09+tok=en?&"quoted"x';

test('a secret is removed in JSON, in a URL and in base64, whatever is around it', () => {
  const redactor = new Redactor();
  redactor.add(TOKEN);
  const writings: readonly ((text: string) => string)[] = [
    (text) => text,
    (text) => JSON.stringify(text),
    encodeURIComponent,
    (text) => Buffer.from(text).toString('base64'),
    (text) => Buffer.from(text).toString('base64url'),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...writings), fc.string(), fc.string(), (write, before, after) => {
      fc.pre(before.isWellFormed() && after.isWellFormed());
      const shown = redactor.text(write(`${before}${TOKEN}${after}`));
      expect(secretForms(TOKEN).filter((form) => shown.includes(form))).toEqual([]);
      expect(shown).toContain('[redacted]');
    }),
  );
});

test('a short secret has no forms that would be found in everything', () => {
  expect(secretForms('ab')).toEqual(['ab']);
  expect(secretForms('')).toEqual([]);
});
