import { expect, test } from 'vitest';
import { csvRow } from '../../../src/lib/csv.ts';

test.each([
  [['a', 1, null, -0.5, ''], 'a,1,,-0.5,'],
  [['a,b', 'say "hi"', 'two\nlines', ' padded '], '"a,b","say ""hi""","two\nlines"," padded "'],
  [['=1+1', '+1', '-1', '@x', '\t=1'], `'=1+1,'+1,'-1,'@x,"\t'=1"`],
  [['  =cmd|x', 'a;=1', 'a,-1', 'a\r\n@b', '＝1'], `"  '=cmd|x","a;'=1","a,'-1","a\r\n'@b",'＝1`],
  [['a=b', '1-2', 'naïve ☕', 'sha256:0'], 'a=b,1-2,naïve ☕,sha256:0'],
  [['\0\u001b[2J', '\uD800'], '\uFFFD\uFFFD[2J,\uFFFD'],
])('%j is the row %j', (cells, row) => {
  expect(csvRow(cells)).toBe(`${row}\r\n`);
});
