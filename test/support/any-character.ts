import * as fc from 'fast-check';

/** Any character, as the unit of `fc.string`. fast-check's own `binary` takes a second to prepare. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .integer({ min: 0, max: 0x10_ffff })
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));
