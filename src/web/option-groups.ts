import type { Configuration } from './answers.ts';

export type Option = Configuration['options'][number];

/** Options under one heading. */
export type OptionGroup = { readonly title: string; readonly options: readonly Option[] };

/** Whether somebody has set an option. Pure. */
export function isChanged({ source }: Pick<Option, 'source'>): boolean {
  return source !== 'default';
}

/** The options with a text in them: what was changed first, then the others by their groups. Pure. */
export function optionGroups(options: readonly Option[], text: string): readonly OptionGroup[] {
  const wanted = text.toLowerCase();
  const found = options.filter(({ group, help, option, value }) =>
    [option, `--${option}`, help, value, group].some((part) => part?.toLowerCase().includes(wanted)),
  );
  const changed = found.filter(isChanged);
  const others = Map.groupBy(
    found.filter((option) => !isChanged(option)),
    ({ group }) => group,
  );
  return [
    ...(changed.length > 0 ? [{ title: 'Changed from the default', options: changed }] : []),
    ...[...others].map(([title, options]) => ({ title, options })),
  ];
}
