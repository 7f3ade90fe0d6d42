/** An error as the log shows it. */
export type DescribedError = {
  readonly code?: string;
  readonly message: string;
  readonly hint?: string;
  /** Only where there is no code: such an error is a defect, and its place matters. */
  readonly stack?: string;
  readonly cause?: DescribedError;
};

const MOST_CAUSES = 5;

/** Takes an error apart, its causes too. Anything may be thrown, so anything is taken. */
export function describeError(thrown: unknown, depth = 0): DescribedError {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  const code = textOf(thrown, 'code');
  const hint = textOf(thrown, 'hint');
  const stack = code === undefined ? thrown.stack : undefined;
  const cause =
    thrown.cause === undefined || depth >= MOST_CAUSES ? undefined : describeError(thrown.cause, depth + 1);
  return {
    ...(code === undefined ? {} : { code }),
    message: thrown.message,
    ...(hint === undefined ? {} : { hint }),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined ? {} : { cause }),
  };
}

function textOf(error: Error, key: string): string | undefined {
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'string' ? value : undefined;
}
