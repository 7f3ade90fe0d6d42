import type { IncomingMessage } from 'node:http';
import { addAbortSignal } from 'node:stream';
import type Docker from 'dockerode';
import { http } from '../../../lib/http.ts';
import { LIMITS } from '../../../limits.ts';

/** A call as dockerode makes it. */
type DialOptions = Parameters<Docker['modem']['dial']>[0];
type StatusCodes = NonNullable<DialOptions['statusCodes']>;

/** The code of the error for an answer over its limit. */
export const ANSWER_TOO_LARGE = 'ANSWER_TOO_LARGE';

/** What a stranger's image fills with text. */
const IMAGE_DESCRIPTION = /^\/images\/.*\/(?:json|history)\b/;

/** Every status: which ones are errors is decided here, and not before their text is read. */
const ANY_STATUS: StatusCodes = new Proxy({}, { get: () => true });

/**
 * The client itself, which from now on reads at most so much of each answer (LIMITS.engine, LIMITS.image). dockerode reads
 * answers and error texts whole, however long. Streams are bounded where they are read.
 */
export function boundAnswers(docker: Docker): Docker {
  const { modem } = docker;
  const dial = modem.dial.bind(modem);
  modem.dial = (options, callback = () => undefined) => {
    if (options.hijack === true || options.openStdin === true) return dial(options, callback);
    dial({ ...options, isStream: true, statusCodes: ANY_STATUS }, (error, answer) => {
      if (error === null && answer instanceof http.IncomingMessage) void settle(options, answer, callback);
      else callback(error, null);
    });
  };
  return docker;
}

/** In bytes. */
function longestAnswer(path: string): number {
  if (path.startsWith('/images/json')) return LIMITS.engine.images.max;
  return IMAGE_DESCRIPTION.test(path) ? LIMITS.image.description.max : LIMITS.engine.answer.max;
}

/** Calls back as dockerode expects it of the call: with its stream, its answer, or the error of its status. */
async function settle(
  options: DialOptions,
  answer: IncomingMessage,
  callback: NonNullable<Parameters<Docker['modem']['dial']>[1]>,
): Promise<void> {
  const { abortSignal, isStream, path, statusCodes = {} } = options;
  const status = answer.statusCode ?? 0;
  const reason = statusCodes[status];
  if (reason === true && isStream === true) return callback(null, answer);
  if (abortSignal !== undefined) addAbortSignal(abortSignal, answer);
  try {
    const body = await readAtMost(answer, reason === true ? longestAnswer(path) : LIMITS.engine.answer.max);
    const json = parsed(body);
    if (reason === true) return callback(null, json ?? body);
    callback(errorOf(status, reason, json, body.toString('utf8', 0, LIMITS.engine.error.max)), null);
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    // Of an error whose text has no end, the status still counts.
    callback(reason === true ? error : errorOf(status, reason, { message: error.message }, ''), null);
  }
}

/** An answer with an error as dockerode throws it. Its text is cut in the middle, where paths of megabytes stand. */
function errorOf(
  status: number,
  reason: string | false | undefined,
  json: object | undefined,
  body: string,
): Error {
  const said = json !== undefined && 'message' in json ? withoutMiddle(String(json.message)) : undefined;
  const error = new Error(`(HTTP code ${status}) ${reason ?? 'unexpected'} - ${said ?? body} `);
  const answer = said === undefined ? json : { message: said };
  return Object.assign(error, { reason, statusCode: status, json: answer });
}

/** A text with its beginning, which says what failed, and its end, which says why. */
function withoutMiddle(text: string): string {
  const { max } = LIMITS.engine.error;
  if (text.length <= LIMITS.engine.error.max) return text;
  const part = Math.floor(max / 2);
  return `${text.slice(0, part)}… (${text.length} characters) …${text.slice(-part)}`;
}

/** undefined for what is no JSON object or array, as an empty answer is not. */
function parsed(bytes: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** By events: an iterator costs more than all the rest of a call. */
function readAtMost(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    answer.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) return void chunks.push(chunk);
      const error = new Error(`the answer has more than ${maxBytes} bytes`);
      answer.destroy(Object.assign(error, { code: ANSWER_TOO_LARGE }));
    });
    answer.on('end', () => resolve(Buffer.concat(chunks)));
    answer.on('error', reject);
    answer.on('close', () => {
      if (answer.readableEnded) return;
      reject(Object.assign(new Error('the answer broke off'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }));
    });
  });
}
