/** Options of a call in the fields by which docker-modem tells query and body apart. */
type BodyOnly = { readonly _query: object; readonly _body: object; readonly abortSignal: AbortSignal };

/**
 * The options of a dockerode call that sends `body`, and only `query` in its URL. Otherwise dockerode repeats the body in
 * the URL: a container has 27 kB of settings, and proxies before an engine answer 400 or log the job's code.
 */
export function bodyOnly(body: object, query: object, abortSignal: AbortSignal): BodyOnly {
  return { _query: query, _body: body, abortSignal };
}
