/** Why a request failed, in the agent's words or, where it did not answer, in the page's. */
export class ApiError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  /** Whether one may sign in by a password; undefined: the answer does not say. */
  readonly takesPassword: boolean | undefined;

  constructor(code: string, message: string, hint?: string, takesPassword?: boolean) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.hint = hint;
    this.takesPassword = takesPassword;
  }

  /** The agent does not answer. */
  get isUnanswered(): boolean {
    return this.code === UNANSWERED;
  }

  /** There is no session, or it has ended. */
  get isSignedOut(): boolean {
    return this.code === SIGNED_OUT;
  }
}

const UNANSWERED = 'UNANSWERED';
const SIGNED_OUT = 'SESSION_REQUIRED';

/** The failure of a request that reached nobody. */
export function unanswered(): ApiError {
  return new ApiError(
    UNANSWERED,
    'the agent does not answer',
    'see whether it runs: sharedcloud-agent status',
  );
}

/** Reads the answer to what failed; `status` is HTTP's. Pure. */
export function apiErrorOf(status: number, body: unknown): ApiError {
  const error = fieldOf(body, 'error');
  const code = textOf(error, 'code') ?? `HTTP_${status}`;
  const message = textOf(error, 'message') ?? `the agent answers with the status ${status}`;
  const password = fieldOf(body, 'password');
  return new ApiError(
    code,
    message,
    textOf(error, 'hint'),
    typeof password === 'boolean' ? password : undefined,
  );
}

/** Any failure as one that can be shown. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return new ApiError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown));
}

function textOf(value: unknown, name: string): string | undefined {
  const text = fieldOf(value, name);
  return typeof text === 'string' ? text : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map(Object.entries(value)).get(name);
}
