/** Why the broker refuses a request. */
export type RefusalKind = 'invalid' | 'unauthorized' | 'forbidden' | 'not-found' | 'conflict';

/** Messages by field, as Django REST Framework writes them; or one `detail` for the whole request. */
export type RefusalBody = Readonly<Record<string, string | readonly string[]>>;

/** The broker's answer to a request that it refuses. Not an AgentError, because it is for the client. */
export class Refusal extends Error {
  readonly kind: RefusalKind;
  readonly body: RefusalBody;

  constructor(kind: RefusalKind, body: RefusalBody) {
    super(`${kind}: ${JSON.stringify(body)}`);
    this.name = 'Refusal';
    this.kind = kind;
    this.body = body;
  }
}

/** The resource does not exist. */
export const notFound = (): Refusal => new Refusal('not-found', { detail: 'Not found.' });

/** A field is invalid. */
export const invalid = (field: string, message: string): Refusal =>
  new Refusal('invalid', { [field]: [message] });

/** The request as a whole is invalid. */
export const invalidRequest = (message: string): Refusal => invalid('non_field_errors', message);

/** A field refers to a resource that does not exist. */
export const noSuchObject = (field: string, uuid: string): Refusal =>
  invalid(field, `Invalid pk "${uuid}" - object does not exist.`);
