import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { EncodedItem } from './encoded-item.ts';
import type { Endpoint } from './endpoints.ts';
import type { Right } from './sockets.ts';

/** A request that was understood. */
export type Call<Body> = {
  readonly body: Body;
  readonly query: URLSearchParams;
  /** What stood in the path behind the route's own, decoded; empty: nothing. */
  readonly rest: string;
  /** Who calls, as they name themselves; not verified. */
  readonly caller: string;
  /** The path of the socket, or the session of the page and its address. */
  readonly from: string;
  readonly rights: readonly Right[];
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
};

/** An endpoint with what answers it: with an object, or a stream of objects, one a line. */
export type Route = Pick<Endpoint, 'method' | 'path' | 'right'> & {
  answer(request: RawCall): Promise<object> | AsyncIterable<object>;
};

export type RawCall = Call<unknown>;

/** Answers an endpoint. What its request's schema does not know is refused. */
export function route<Request extends z.ZodType, Answer extends z.ZodType>(
  endpoint: Endpoint<Request, Answer>,
  answer: (
    call: Call<z.infer<Request>>,
  ) => Promise<z.infer<Answer> & object> | AsyncIterable<(z.infer<Answer> & object) | EncodedItem>,
): Route {
  const { method, path, request, right } = endpoint;
  return {
    method,
    path,
    right,
    answer: (call) => {
      const parsed = request.safeParse(method === 'POST' ? (call.body ?? {}) : undefined);
      if (parsed.success) return encoded(endpoint.answer, answer({ ...call, body: parsed.data }));
      const what = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
      throw new AgentError('CONTROL_INVALID', `${path} does not take this: ${what.join('; ')}`);
    },
  };
}

/** As it is between processes. */
function encoded(
  schema: z.ZodType,
  answer: Promise<object> | AsyncIterable<object>,
): Promise<object> | AsyncIterable<object> {
  const one = (value: object): object => z.looseObject({}).parse(z.encode(schema, value));
  return isStream(answer) ? eachOf(answer, one) : answer.then(one);
}

async function* eachOf(
  items: AsyncIterable<object>,
  change: (item: object) => object,
): AsyncGenerator<object, void> {
  for await (const item of items) yield item instanceof EncodedItem ? item : change(item);
}

/** Whether an endpoint answers with one object after the other. */
export function isStream(answer: Promise<object> | AsyncIterable<object>): answer is AsyncIterable<object> {
  return Symbol.asyncIterator in answer;
}
