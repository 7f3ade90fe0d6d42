/** Why the broker will not do what it was asked. */
export type RefusalKind = 'invalid' | 'unauthorized' | 'forbidden' | 'not-found' | 'conflict';

/** Messages by field, as Django REST Framework writes them; or one `detail` for the whole request. */
export type RefusalBody = Readonly<Record<string, string | readonly string[]>>;

/**
 * The broker's answer to a request that it will not carry out. It is meant for the client at the other end, not
 * for the owner of this process: that is why it is not an AgentError.
 */
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

/** No such thing, or no longer. */
export const notFound = (): Refusal => new Refusal('not-found', { detail: 'Not found.' });

/** A field's value cannot be used. */
export const invalid = (field: string, message: string): Refusal =>
  new Refusal('invalid', { [field]: [message] });

/** The request as a whole cannot be carried out now. */
export const invalidAsAWhole = (message: string): Refusal => invalid('non_field_errors', message);

/** A reference to something that there is not. */
export const noSuchObject = (field: string, uuid: string): Refusal =>
  invalid(field, `Invalid pk "${uuid}" - object does not exist.`);
