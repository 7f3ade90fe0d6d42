import type { LoaderOutcome } from './run-loader.ts';

/** A function and its expected outcome; a field that `want` omits is not checked. */
export type LoaderCase = {
  readonly what: string;
  readonly code: string;
  readonly args?: string;
  /** The lowest major version of the language that can parse it. */
  readonly from?: number;
  /** Runs on every version; other cases only on the oldest and the newest, except on CI. */
  readonly core?: boolean;
  readonly want: {
    readonly code: number;
    readonly stdout?: string | RegExp;
    readonly stderr?: string | RegExp;
    readonly result?: string | undefined;
    readonly minSeconds?: number;
    readonly maxSeconds?: number;
  };
};

/** How an outcome differs from the expected one; empty: not at all. Long texts are shortened. */
export function differences({ want }: LoaderCase, got: LoaderOutcome): readonly string[] {
  const wrong: string[] = [];
  const check = (name: string, right: boolean, value: unknown): void => {
    if (!right) wrong.push(`${name}: ${(JSON.stringify(value) ?? 'undefined').slice(0, 2000)}`);
  };
  check('code', got.code === want.code, got.code);
  check('stdout', want.stdout === undefined || matches(want.stdout, got.stdout), got.stdout);
  check('stderr', want.stderr === undefined || matches(want.stderr, got.stderr), got.stderr);
  check('result', !('result' in want) || want.result === got.result, got.result);
  const { maxSeconds = Infinity, minSeconds = 0 } = want;
  check('seconds', got.seconds >= minSeconds && got.seconds <= maxSeconds, got.seconds);
  if (wrong.length > 0) wrong.push(`stderr was: ${got.stderr.slice(0, 2000)}`);
  return wrong;
}

function matches(want: string | RegExp, got: string): boolean {
  return typeof want === 'string' ? want === got : want.test(got);
}
