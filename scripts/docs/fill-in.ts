const PART = /(<!-- generated: ([\w-]+) -->\n)(?:(?!<!-- )[\s\S])*(<!-- \/generated -->)/g;
const OPENING = /<!-- generated: .* -->/g;

/**
 * A document with each part between `<!-- generated: NAME -->` and `<!-- /generated -->` rendered again. Throws for a
 * name that is not among the parts, and for an opening mark without its closing one.
 */
export function fillIn(document: string, parts: ReadonlyMap<string, () => string>): string {
  let filled = 0;
  const text = document.replace(PART, (_, opening: string, name: string, closing: string) => {
    const render = parts.get(name);
    if (render === undefined) throw new Error(`nothing generates the part «${name}»`);
    filled += 1;
    return `${opening}\n${render()}\n\n${closing}`;
  });
  if (filled !== (document.match(OPENING) ?? []).length) {
    throw new Error('a generated part has no end, or a name that is none');
  }
  return text;
}
