import type { Mutation } from '../../scripts/mutations/mutation.ts';

const TOKEN = 'src/config/token.ts';
const TOKEN_TEST = 'test/unit/config/token.test.ts';
const LOGIN_TEST = 'test/contract/cli/login.test.ts';
const SETUP_TEST = 'test/contract/cli/setup.test.ts';
const LOG_TEST = 'test/unit/lib/log.test.ts';

/** What protects the agent itself: its secrets, its state, and what it runs on. */
export const AGENT: readonly Mutation[] = [
  {
    protection: 'a token that others may read is refused',
    file: TOKEN,
    text: 'if ((mode & 0o077) === 0) return;',
    becomes: 'return;',
    test: { file: TOKEN_TEST, name: 'with mode %o is TOKEN_FILE_UNSAFE' },
  },
  {
    protection: 'a token that systemd copied is refused where others may read what it copied',
    file: TOKEN,
    text: "if (origin.kind === 'credential') await checkSource(origin.source);",
    becomes: '',
    test: {
      file: TOKEN_TEST,
      name: 'that systemd copied from an unsafe file is TOKEN_FILE_UNSAFE',
    },
  },
  {
    protection: 'a token of another user is refused',
    file: TOKEN,
    text: 'owner !== uid && owner !== 0',
    becomes: 'false',
    test: { file: TOKEN_TEST, name: 'of another user is TOKEN_FILE_UNSAFE' },
  },
  {
    protection: 'login verifies a token before it is written',
    file: 'src/cli/login/obtain-token.ts',
    text: 'return { token, account: await accountOf(config, token) };',
    becomes: 'return { token, account: { name: undefined, balance: undefined } };',
    test: { file: LOGIN_TEST, name: 'writes nothing with %s' },
  },
  {
    protection: 'login asks before it replaces a token',
    file: 'src/cli/login/command.ts',
    text: 'if (replaces && !(await mayReplace(context, path))) {',
    becomes: 'if (replaces && (await mayReplace(context, path)) === undefined) {',
    test: {
      file: LOGIN_TEST,
      name: 'asks before it replaces a token, and keeps the old one until the new one works',
    },
  },
  {
    protection: 'a password is not sent without encryption to another host',
    file: 'src/cli/login/command.ts',
    text: 'requireEncryption(config, context.has(INSECURE_HTTP));',
    becomes: 'requireEncryption(config, true);',
    test: { file: LOGIN_TEST, name: 'writes nothing with %s' },
  },
  {
    protection: 'setup keeps a copy of the configuration file that it changes',
    file: 'src/cli/setup/apply.ts',
    text: "before === undefined || before.trim() === '' ? undefined",
    becomes: 'true ? undefined',
    test: { file: SETUP_TEST, name: 'keeps comments, order and other values of a file, and a copy of it' },
  },
  {
    protection: 'setup does not overwrite what somebody else has changed meanwhile',
    file: 'src/cli/setup/apply.ts',
    text: 'if ((await readConfigText(path, uid)) !== before)',
    becomes: 'if (path === after)',
    test: { file: SETUP_TEST, name: 'leaves a file that was changed meanwhile' },
  },
  {
    protection: 'setup changes nothing else of a configuration file',
    file: 'src/config/toml-edit.ts',
    text: 'if (pair !== undefined) return splice(text, pair.start, pair.end, valueText(value));',
    becomes: '',
    test: { file: 'test/unit/config/toml-edit.test.ts', name: '%s keeps everything else' },
  },
  {
    protection: 'a configuration file with a password is not readable by others',
    file: 'src/cli/setup/apply.ts',
    text: 'if (!hasSecrets(plan.loaded)) return',
    becomes: 'return',
    test: { file: SETUP_TEST, name: 'writes a file with secrets for its owner only' },
  },
  {
    protection: 'no line of the log shows the token',
    file: 'src/lib/log.ts',
    text: 'const safe = redactor.line(line);',
    becomes: 'const safe = line;',
    test: { file: LOG_TEST, name: 'a token is redacted wherever it is (%s)' },
  },
  {
    protection: 'no writing of the token is shown',
    file: 'src/lib/secret-forms.ts',
    text: 'forms.push(encodeURIComponent(secret), ...base64, ...base64url);',
    becomes: '',
    test: {
      file: 'test/unit/lib/secret-forms.test.ts',
      name: 'a secret is removed in JSON, in a URL and in base64, whatever is around it',
    },
  },
  {
    protection: 'no command prints the token',
    file: 'src/cli/run.ts',
    text: 'stream.write(redact(text))',
    becomes: 'stream.write(text)',
    test: { file: 'test/unit/cli/command-line.test.ts', name: 'is in no output' },
  },
  {
    protection: 'no last words show the token',
    file: 'src/main.ts',
    text: 'const output = redacting(stderr, redactor);',
    becomes: 'const output = { ...stderr, redact: (text: string) => text };',
    test: {
      file: 'test/e2e/secrets/token.test.ts',
      name: 'is not in the last words of a daemon that breaks',
    },
  },
  {
    protection: 'no error repeats the token',
    file: 'src/broker/sanitize.ts',
    text: "return secretForms(token).reduce((rest, form) => rest.replaceAll(form, '[redacted]'), text);",
    becomes: 'return token === undefined ? text : text;',
    test: {
      file: 'test/contract/broker/answers.test.ts',
      name: 'never has the token that a broker echoes (%i)',
    },
  },
  {
    protection: 'no text from outside controls a terminal',
    file: 'src/lib/escape.ts',
    text: '(character) => NAMED.get(character) ??',
    becomes: '(character) => character ??',
    test: { file: LOG_TEST, name: 'no value can control the terminal or forge a line' },
  },
  {
    protection: 'one agent per state directory',
    file: 'src/state-dir/state-dir.ts',
    text: "lock.exec('BEGIN EXCLUSIVE');",
    becomes: '',
    test: {
      file: 'test/unit/state-dir/state-dir.test.ts',
      name: 'refuses a second agent until the first has closed, also in the same process',
    },
  },
  {
    protection: 'the state directory is its owner’s alone',
    file: 'src/state-dir/state-dir.ts',
    text: 'mkdirSync(path, { mode: 0o700 });',
    becomes: 'mkdirSync(path, { mode: 0o755 });',
    test: {
      file: 'test/unit/state-dir/state-dir.test.ts',
      name: 'creates a directory that only its owner can use',
    },
  },
  {
    protection: 'an engine without seccomp runs nothing',
    file: 'src/runtime/docker/engine/requirements.ts',
    text: 'if (!facts.seccomp && !acceptNoSeccomp) {',
    becomes: 'if (facts.os === undefined) {',
    test: { file: 'test/unit/runtime/docker/engine/requirements.test.ts', name: 'without seccomp' },
  },
  {
    protection: 'no runtime of GPUs takes the place of gVisor',
    file: 'src/runtime/docker/engine/requirements.ts',
    text: "if (runtime !== 'runc' && ",
    becomes: "if (runtime === '' && ",
    test: {
      file: 'test/unit/runtime/docker/engine/requirements.test.ts',
      name: 'that injects GPUs with another runtime than that of jobs',
    },
  },
  {
    protection: 'an unconfined profile is none',
    file: 'src/runtime/docker/engine/facts.ts',
    text: " && !option.includes('profile=unconfined')",
    becomes: '',
    test: { file: 'test/unit/runtime/docker/engine/requirements.test.ts', name: 'with seccomp off' },
  },
  {
    protection: 'an engine without limits runs nothing',
    file: 'src/runtime/docker/engine/requirements.ts',
    text: 'if (missing.length > 0) {',
    becomes: 'if (missing.length > 99) {',
    test: { file: 'test/unit/runtime/docker/engine/requirements.test.ts', name: 'without two of its limits' },
  },
  {
    protection: 'a toolkit that lets images out gets no GPU',
    file: 'src/domain/known-vulnerabilities.ts',
    text: "lets: 'an image take over this host',\n    consequence: 'refuse',",
    becomes: "lets: 'an image take over this host',\n    consequence: 'warn',",
    test: {
      file: 'test/unit/domain/vulnerabilities.test.ts',
      name: 'a refusal names the fixed version and the option that accepts it',
    },
  },
  {
    protection: 'a GPU behind a refused risk is not offered',
    file: 'src/agent/gpu-health/gpu-poller.ts',
    text: 'if (refusal === undefined) return',
    becomes: 'if (gpus.length > 0) return',
    test: {
      file: 'test/unit/agent/gpu-health/gpu-poller.test.ts',
      name: 'shows every GPU as faulty while known vulnerabilities refuse to offer any, its own fault first',
    },
  },
  {
    protection: 'pending reports of one broker go to no other',
    file: 'src/journal/broker-move.ts',
    text: 'throw otherBroker(file, from, url);',
    becomes: 'otherBroker(file, from, url);',
    test: {
      file: 'test/unit/journal/broker-move.test.ts',
      name: 'of any other kind is CONFIG_INVALID: %s, %s',
    },
  },
  {
    protection: 'a GPU that is added to the catalogue is heard of',
    file: 'src/agent/market/claim-loop.ts',
    text: 'if (isGpuUnknown) this.#askForUnknownGpus(signal);',
    becomes: '',
    test: {
      file: 'test/contract/agent/gpu-added.test.ts',
      name: 'a run that names a GPU which was added to the catalogue later is done, without a restart',
    },
  },
  {
    protection: 'a bogus GPU costs the broker no flood of requests',
    file: 'src/agent/offers/gpu-catalogue.ts',
    text: 'this.#freshUntil = clock.monotonic() + FRESH_MS;',
    becomes: 'this.#freshUntil = clock.monotonic();',
    test: {
      file: 'test/unit/agent/offers/gpu-catalogue.test.ts',
      name: 'has it asked for again, no sooner than ten minutes after the last time',
    },
  },
  {
    protection: 'one 404 does not close a run for good',
    file: 'src/agent/market/resolve-run.ts',
    text: 'if (fn === undefined) throw unknown(`function ${run.functionUuid}`);',
    becomes: "if (fn === undefined) return { kind: 'invalid', why: '' };",
    test: {
      file: 'test/unit/agent/market/run-resolver.test.ts',
      name: 'is resolved again after a 404 for its %s: a gateway may have said that',
    },
  },
  {
    protection: 'a report that never passes is not sent every second',
    file: 'src/agent/reports/reporter.ts',
    text: 'if (!tries.isFixed) this.#attempts.set',
    becomes: 'this.#attempts.set',
    test: {
      file: 'test/unit/agent/reports/reporter.test.ts',
      name: 'with %s is sent less and less often, and holds up none of them',
    },
  },
  {
    protection: 'an empty answer does not count as acceptance of a report',
    file: 'src/broker/answer.ts',
    text: 'return NO_CONTENT.includes(reply.status) && isEmpty(reply);',
    becomes: 'return isSuccess(reply) && isEmpty(reply);',
    test: {
      file: 'test/contract/broker/silent-answers.test.ts',
      name: '%s: the call fails, to be retried',
    },
  },
  {
    protection: 'a long report is not cut off on a slow line',
    file: 'src/broker/transport.ts',
    text: '() => void timer.refresh()',
    becomes: '() => undefined',
    test: {
      file: 'test/contract/broker/upload.test.ts',
      name: 'a report on a slow line is not aborted while it moves',
    },
  },
  {
    protection: 'no NUL of an output keeps a report from the broker',
    file: 'src/broker/wire-job.ts',
    text: "return text.replaceAll('\\0', '\\uFFFD').toWellFormed();",
    becomes: 'return text;',
    test: {
      file: 'test/contract/broker/answers.test.ts',
      name: 'is sent with storable output, and its answer has the cost',
    },
  },
  {
    protection: 'what an engine that stopped made of a job while no agent was there is no failure of the job',
    file: 'src/runtime/docker/container/exit-origin.ts',
    text: '!(engineWasUnreachable || alreadyExited)',
    becomes: '!engineWasUnreachable',
    test: {
      file: 'test/unit/runtime/docker/container/wait.test.ts',
      name: 'if %s',
    },
  },
  {
    protection: 'a failure that the engine has forgotten is one',
    file: 'src/runtime/docker/container/history.ts',
    text: 'startedAt < finishedAt ?',
    becomes: 'false ?',
    test: {
      file: 'test/unit/runtime/docker/container/wait.test.ts',
      name: 'if %s',
    },
  },
  {
    protection: 'a container whose wait is answered at once is not inspected without a pause',
    file: 'src/runtime/docker/container/wait.ts',
    text: ' || (isObserved && !isFirst)',
    becomes: '',
    test: {
      file: 'test/unit/runtime/docker/container/wait.test.ts',
      name: 'pauses between the inspects of a container whose wait is answered at once',
    },
  },
  {
    protection: 'the time of a job does not begin before its start',
    file: 'src/agent/jobs/job-runner.ts',
    text: 'bootTimeAgo(clock.bootTime(), clock.now() - startedAt, state.since)',
    becomes: 'state.since',
    test: {
      file: 'test/contract/agent/late-start.test.ts',
      name: 'the time of a job that an agent did not see start does not count from before its start',
    },
  },
  {
    protection: 'a job is not claimed again before its old container is gone',
    file: 'src/agent/market/claim-loop.ts',
    text: ' && !jobRunner.isActive(job.uuid)',
    becomes: '',
    test: {
      file: 'test/contract/agent/claimed-again.test.ts',
      name: 'a job that the broker took back is not claimed again while its old container is still being removed',
    },
  },
  {
    protection: 'output that could not be had while a job ran is read at its end',
    file: 'src/agent/jobs/output-capture.ts',
    text: 'output !== undefined && (output.result',
    becomes: 'output === undefined || (output.result',
    test: {
      file: 'test/contract/agent/lost-output.test.ts',
      name: 'output that could not be had while the job ran is read when it has %s',
    },
  },
  {
    protection: 'a host that starts no container blames no image',
    file: 'src/agent/jobs/start-attribution.ts',
    text: 'return (await this.#deps.testContainer(like, signal)) && !signal.aborted;',
    becomes: 'return !signal.aborted;',
    test: { file: 'test/unit/agent/jobs/start-attribution.test.ts', name: 'is a fault of the host where %s' },
  },
  {
    protection: 'an image that has started is not blamed',
    file: 'src/agent/jobs/start-attribution.ts',
    text: ' || this.#started.has(keyOf(image, like.gpu))) return false;',
    becomes: ') return false;',
    test: {
      file: 'test/unit/agent/jobs/start-attribution.test.ts',
      name: 'is a fault of the host where the image has started before',
    },
  },
  {
    protection: 'a container about which the engine does not answer hides no other',
    file: 'src/runtime/docker/container/listed.ts',
    text: "if (code !== 'RUNTIME_UNAVAILABLE') throw thrown;",
    becomes: 'throw thrown;',
    test: {
      file: 'test/unit/runtime/docker/container/listed.test.ts',
      name: 'a container about which the engine does not answer is taken as it is listed: %s',
    },
  },
  {
    protection: 'answers of the engine have a limit',
    file: 'src/runtime/docker/engine/bounded-answers.ts',
    text: 'if (length <= maxBytes) return void chunks.push(chunk);',
    becomes: 'if (length >= 0) return void chunks.push(chunk);',
    test: {
      file: 'test/unit/runtime/docker/engine/bounded-answers.test.ts',
      name: 'over its limit is a failed call',
    },
  },
  {
    protection: 'jobs wait for the removal of no probe',
    file: 'src/agent/jobs/internal-job.ts',
    text: 'await waitAtMost(clearMs, cleared, deps.detach);',
    becomes: 'await cleared;',
    test: {
      file: 'test/unit/agent/jobs/internal-job.test.ts',
      name: 'an internal job ends although the removal of its container %s',
    },
  },
];
