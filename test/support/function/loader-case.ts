import type { TrialResult } from './run-job.ts';

/** A function, and what has to come of it. What `want` leaves out may be anything. */
export type LoaderCase = {
  readonly what: string;
  readonly code: string;
  readonly args?: string;
  /** The least major version of the language that can read it. */
  readonly from?: number;
  /** Tried on every version; the others on the oldest and the newest, unless all are asked for. */
  readonly core?: boolean;
  readonly want: {
    readonly code: number;
    readonly stdout?: string | RegExp;
    readonly stderr?: string | RegExp;
    readonly result?: string | undefined;
    /** Seconds that it takes at least and at most. */
    readonly least?: number;
    readonly most?: number;
  };
};

/** What is not as wanted; empty where all is. Long texts are cut, so that a failure can be read. */
export function differences({ want }: LoaderCase, got: TrialResult): readonly string[] {
  const wrong: string[] = [];
  const check = (name: string, right: boolean, value: unknown): void => {
    if (!right) wrong.push(`${name}: ${(JSON.stringify(value) ?? 'undefined').slice(0, 2000)}`);
  };
  check('code', got.code === want.code, got.code);
  check('stdout', want.stdout === undefined || matches(want.stdout, got.stdout), got.stdout);
  check('stderr', want.stderr === undefined || matches(want.stderr, got.stderr), got.stderr);
  check('result', !('result' in want) || want.result === got.result, got.result);
  check('seconds', got.seconds >= (want.least ?? 0) && got.seconds <= (want.most ?? Infinity), got.seconds);
  if (wrong.length > 0) wrong.push(`stderr was: ${got.stderr.slice(0, 2000)}`);
  return wrong;
}

function matches(want: string | RegExp, got: string): boolean {
  return typeof want === 'string' ? want === got : want.test(got);
}
