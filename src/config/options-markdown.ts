import { GROUPS, maySet, type Option } from './option.ts';
import { OPTION_KEYS, optionOf } from './options.ts';

/** The table of options in docs/options.md; ends without a line break. */
export function optionsTable(): string {
  const rows = GROUPS.flatMap((group) =>
    OPTION_KEYS.map(optionOf)
      .filter((option) => option.group === group)
      .map(row),
  );
  return ['| option | environment | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** An option's default for help and tables, as Markdown. */
export function defaultText(option: Option<unknown>): string {
  if (option.default !== undefined && option.default !== '') return `\`${option.default}\``;
  return option.unset ?? 'none';
}

function row(option: Option<unknown>): string {
  const flag = maySet(option, 'flag') ? `\`--${option.name} ${option.type.metavar}\`` : '';
  const cells = [flag, `\`${option.env}\``, defaultText(option), option.help];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
