/** An error as it is logged. */
export type DescribedError = {
  readonly code?: string;
  readonly message: string;
  readonly hint?: string;
  /** Only without a code: such an error is a defect, and its origin matters. */
  readonly stack?: string;
  readonly cause?: DescribedError;
};

const MAX_CAUSES = 5;

/** Describes an error and its causes. Accepts anything that was thrown. */
export function describeError(thrown: unknown, depth = 0): DescribedError {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  const code = textOf(thrown, 'code');
  const hint = textOf(thrown, 'hint');
  const stack = code === undefined ? thrown.stack : undefined;
  const cause =
    thrown.cause === undefined || depth >= MAX_CAUSES ? undefined : describeError(thrown.cause, depth + 1);
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
