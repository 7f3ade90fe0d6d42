import { styleText } from 'node:util';
import { escapeControls } from './escape.ts';
import { readableBytes, readableDuration, readableEarnings, readablePrice } from './readable.ts';
import { shortIds } from './short-id.ts';
import { wrap } from './wrap.ts';

const LEVELS: Readonly<Record<string, 'gray' | 'green' | 'yellow' | 'red'>> = {
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
};

/** Fields for programs only, and those that repeat the message or another field. */
const HIDDEN: ReadonlySet<string> = new Set(['event', 'instance', 'pid', 'reason', 'slot', 'status']);
/**
 * Fields that are hidden beside another one, which says more. Beside its duration a job's earnings are an estimate;
 * the broker's figure follows with the delivered report.
 */
const HIDDEN_BESIDE: Readonly<Record<string, string>> = { run: 'job', offer: 'run', earned: 'durationMs' };
const PRICES: ReadonlySet<string> = new Set(['ask', 'before', 'bid']);

/** The width of `14:05:09 INFO  `, under which every further line is indented. */
const HEAD_WIDTH = 15;

/** How a terminal shows a line: whether in colour, and how wide it is. */
export type LineStyle = { readonly colour: boolean; readonly columns: number };

/**
 * A line of the JSON log as people read it: `14:05:09 INFO  job ended  job=531d8edc took=1.2s`. What
 * does not fit, the hint and the parts of an error follow on lines of their own. No value can control the terminal.
 */
export function prettyLine(json: string, { colour, columns }: LineStyle): string {
  const { level, time, msg, hint, err, ...fields } = record(JSON.parse(json));
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const name = String(level);
  const head = `${paint('gray', localTime(String(time)))} ${paint(LEVELS[name] ?? 'gray', name.toUpperCase().padEnd(5))} `;
  const message = escapeControls(typeof msg === 'string' ? msg : '');
  const pairs = pairsOf(fields);
  const width = columns - HEAD_WIDTH;
  const fits = pairs !== '' && message.length + 2 + pairs.length <= width;
  const below = [...(typeof hint === 'string' ? [`hint: ${hint}`] : []), ...errorLines(err)];
  const lines = [
    ...(fits ? [`${message}  ${paint('gray', pairs)}`] : wrap(message, width)),
    ...(fits || pairs === '' ? [] : wrap(pairs, width).map((line) => paint('gray', line))),
    ...below.flatMap((line) => wrap(escapeControls(line), width)),
  ];
  return `${head}${lines.join(`\n${' '.repeat(HEAD_WIDTH)}`)}\n`;
}

function pairsOf(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([key, value]) => value !== null && !HIDDEN.has(key))
    .filter(([key]) => fields[HIDDEN_BESIDE[key] ?? ''] === undefined)
    .map(([key, value]) => pairOf(key, value))
    .join(' ');
}

/** One field in the unit and precision that people read; its name loses the unit. */
function pairOf(key: string, value: unknown): string {
  if (typeof value === 'number') {
    if (key === 'durationMs') return `took=${readableDuration(value)}`;
    if (key.endsWith('Ms')) return `${key.slice(0, -2)}=${readableDuration(value)}`;
    if (key.endsWith('Bytes')) return `${key.slice(0, -5)}=${readableBytes(value).replace(' ', '')}`;
    if (key === 'earned') return `${key}=${readableEarnings(value)}`;
    if (PRICES.has(key)) return `${key}=${readablePrice(value)}`;
  }
  const list = Array.isArray(value) && value.every(isWord) ? value.join(',') : value;
  return `${escapeControls(key)}=${isWord(list) ? shortIds(list) : escapeControls(JSON.stringify(list))}`;
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[^\s"=\p{C}]+$/u.test(value);
}

function errorLines(err: unknown): readonly string[] {
  if (err === undefined) return [];
  const { code, message, hint, stack, cause } = record(err);
  const name = typeof code === 'string' ? `${code}: ` : '';
  return [
    ...(typeof stack === 'string' ? stack.split('\n') : [`${name}${String(message)}`]),
    ...(typeof hint === 'string' ? [`hint: ${hint}`] : []),
    ...errorLines(cause).map((line, index) => (index === 0 ? `caused by ${line}` : line)),
  ];
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
