import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const POST = 'src/notify/post.ts';
const WEBHOOK = 'src/notify/webhook.ts';
const SCRUB = 'src/cli/support-bundle/scrub.ts';
const MESSAGE = 'src/agent/notifications/message.ts';
const TARGETS_TEST = 'test/unit/notify/targets.test.ts';
const SCRUB_TEST = 'test/unit/cli/support-bundle-scrub.test.ts';
const AGENT_TEST = 'test/unit/agent/notifications/notifications.test.ts';

const ROWS: readonly MutationRow[] = [
  [
    'the signature of a webhook covers the timestamp',
    WEBHOOK,
    '.update(`${timestamp}.${body}`)',
    '.update(body)',
    TARGETS_TEST,
    'is received by the receiver of the documents',
  ],
  [
    'a webhook is signed with the secret of the owner',
    WEBHOOK,
    'signatureOf(readSecret(secretFile), timestamp, body)',
    "signatureOf('', timestamp, body)",
    TARGETS_TEST,
    'gets documented JSON, signed as documented',
  ],
  [
    'a secret that others can read is not used',
    'src/lib/own-file.ts',
    'if ((found.mode & 0o077) !== 0)',
    'if (false)',
    TARGETS_TEST,
    'others can read',
  ],
  [
    'a notification is not sent to another origin than the owner named',
    POST,
    'next.origin !== url.origin || next.protocol !== url.protocol',
    'false',
    TARGETS_TEST,
    'is followed within its origin, and not to another one',
  ],
  [
    'a redirect that drops the body is not followed',
    POST,
    'status === 307 || status === 308',
    'status >= 300 && status < 400',
    TARGETS_TEST,
    'that answers with %d has not taken it',
  ],
  [
    'an empty redirect is not followed to where it is from',
    POST,
    "location === '' ? undefined : ",
    '',
    TARGETS_TEST,
    'an empty place',
  ],
  [
    'the path of a webhook stays secret',
    'src/lib/secret-url.ts',
    '? `${url.origin}/…` :',
    '? written :',
    TARGETS_TEST,
    'that is not there fails, and its path stays secret',
  ],
  [
    'a hook gets no variable of the agent',
    'src/lib/owner-program.ts',
    '    env,\n',
    '    env: { ...Object.fromEntries(Object.entries(process.env).map(([k, v]) => [k, v ?? ""])), ...env },\n',
    TARGETS_TEST,
    'gets the JSON on stdin and six variables, and no others of the agent',
  ],
  [
    'the exit code of a hook counts, whatever it leaves running',
    'src/lib/owner-program.ts',
    '    lingerMs: LINGER_MS,\n',
    '',
    TARGETS_TEST,
    'that ends with 0 has taken it, though what it left running holds its output',
  ],
  [
    'notifications contain no secrets',
    MESSAGE,
    'redact(text).split',
    'text.split',
    AGENT_TEST,
    'tell of a cordoned GPU and that it is well again, without secrets',
  ],
  [
    'a support bundle has no headers with credentials',
    SCRUB,
    'authorization|set-cookie|cookie)("?',
    'never-a-header)("?',
    SCRUB_TEST,
    'has no credentials: %s',
  ],
  [
    'a support bundle has no credentials of URLs',
    SCRUB,
    String.raw`:\/\/)[^\s/"'@]+@/gi`,
    String.raw`:\/\/)never@/gi`,
    SCRUB_TEST,
    'has no credentials: %s',
  ],
  [
    'a support bundle has no public addresses',
    SCRUB,
    'isIP(found) > 0 && isPublicAddress(found)',
    'false',
    SCRUB_TEST,
    'has no public address: %s',
  ],
  [
    'a support bundle has no names of functions',
    SCRUB,
    'return safe.replace(new RegExp(`(?<![\\\\w-])',
    'return safe || safe.replace(new RegExp(`(?<![\\\\w-])',
    SCRUB_TEST,
    'has no names of functions, in the fields of the log and wherever a known one stands',
  ],
];

/** What keeps secrets out of notifications and support bundles, and others out of notifications. */
export const NOTIFICATIONS: readonly Mutation[] = mutationsOf(ROWS);
