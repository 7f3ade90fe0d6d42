import { styleText } from 'node:util';
import { escapeControls } from './escape.ts';

const LEVELS: Readonly<Record<string, 'gray' | 'green' | 'yellow' | 'red'>> = {
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
};

/**
 * A line of the JSON log as people read it on a terminal: `14:05:09 INFO  job ended  job=... earned=0.01`. What to
 * do and the parts of an error follow on lines of their own. Nothing in a value can steer the terminal.
 */
export function prettyLine(json: string, colour: boolean): string {
  const { level, time, msg, hint, err, ...fields } = record(JSON.parse(json));
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const name = String(level);
  const pairs = Object.entries(fields).map(([key, value]) => `${escapeControls(key)}=${shown(value)}`);
  const head = [
    paint('gray', localTime(String(time))),
    paint(LEVELS[name] ?? 'gray', name.toUpperCase().padEnd(5)),
    escapeControls(typeof msg === 'string' ? msg : ''),
  ].join(' ');
  const more = [...(typeof hint === 'string' ? [`hint: ${hint}`] : []), ...errorLines(err)];
  const indented = more.map((line) => `\n           ${escapeControls(line)}`).join('');
  return `${head}${pairs.length === 0 ? '' : paint('gray', `  ${pairs.join(' ')}`)}${indented}\n`;
}

function errorLines(err: unknown): readonly string[] {
  if (err === undefined) return [];
  const { code, message, hint, stack, cause } = record(err);
  const name = typeof code === 'string' ? `${code}: ` : '';
  return [
    ...(typeof stack === 'string' ? stack.split('\n') : [`${name}${String(message)}`]),
    ...(typeof hint === 'string' ? [`hint: ${hint}`] : []),
    ...errorLines(cause).map((line, index) => (index === 0 ? `because of ${line}` : line)),
  ];
}

/** A value in one word where it is one, else in quotes or as JSON. */
function shown(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return escapeControls(value);
  return escapeControls(JSON.stringify(value));
}

function localTime(iso: string): string {
  const time = new Date(iso);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
