/** The languages that have a loader. */
export type Language = 'python' | 'node';

/** The language of a platform runtime such as `python36` or `node8`; undefined: unsupported. */
export function languageOf(runtime: string): Language | undefined {
  const name = /^(python|node(?:js)?)[\d.]*$/i.exec(runtime)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  return name === 'python' ? 'python' : 'node';
}
