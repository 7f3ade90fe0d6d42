/** The languages that the loaders speak. */
export type Language = 'python' | 'node';

/** The language of a platform runtime such as `python36` or `node8`; undefined where nobody here knows it. */
export function languageOf(runtime: string): Language | undefined {
  const name = /^(python|node(?:js)?)[\d.]*$/i.exec(runtime)?.[1]?.toLowerCase();
  if (name === undefined) return undefined;
  return name === 'python' ? 'python' : 'node';
}
