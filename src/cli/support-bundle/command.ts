import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { path } from '../../config/text-types.ts';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { readableBytes } from '../../lib/readable.ts';
import { tar } from '../../lib/tar.ts';
import { collect } from '../check/collect.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch, type ValueFlag } from '../command.ts';
import { Interrupted, listenForInterruption } from '../interruption.ts';
import { type Collected, collectParts } from './collect-parts.ts';
import { functionNames, partsOf } from './parts.ts';
import { SCRUBBED } from './scrub.ts';
import { learnSecrets } from './secrets.ts';

const OUTPUT: ValueFlag<string> = {
  name: 'output',
  help: 'the file to write, which must not exist; by default one in this directory, named after the time',
  type: path,
  default: 'sharedcloud-agent-support.tar.gz',
};

const WITH_NAMES: Switch = {
  name: 'with-names',
  help: 'leave the names of functions in, which buyers have chosen',
};

/** Packs what helps to find out what is wrong on a host, without secrets. */
export const supportBundle: CliCommand = {
  name: 'support-bundle',
  summary: 'pack what helps others to help you into one file, without secrets',
  group: 'Set up',
  options: ['stateDir', 'brokerUrl', 'dockerHost', 'nvidiaSmi', 'configFile'],
  switches: [WITH_NAMES, JSON_SWITCH],
  values: [OUTPUT],
  examples: [
    { line: 'support-bundle', does: 'look through the file before you send it to anybody' },
    {
      line: 'support-bundle --output /tmp/host.tar.gz --json',
      does: 'says which parts are missing, as JSON',
    },
  ],
  run: async (context) => {
    const { clock, stderr } = context;
    const output = context.has(OUTPUT) ? context.valueOf(OUTPUT) : defaultOutput(clock.now());
    // Before the work: a name that is taken is no reason to wait.
    const file = createFile(output);
    const interruption = listenForInterruption();
    let isWritten = false;
    try {
      stderr.write('collecting, which takes up to two minutes\n');
      const collected = await collectAll(context, interruption.first);
      const bytes = packed(context, collected);
      write(file, output, bytes);
      isWritten = true;
      context.stdout.write(
        context.has(JSON_SWITCH)
          ? asJson(output, bytes.length, collected)
          : asText(output, bytes.length, collected),
      );
      return EXIT.OK;
    } catch (thrown) {
      const reason: unknown = interruption.first.reason;
      if (reason instanceof Interrupted) return reason.exit;
      throw thrown;
    } finally {
      interruption.ignore();
      closeSync(file);
      if (!isWritten) rmSync(output, { force: true });
    }
  },
};

async function collectAll(context: CliContext, signal: AbortSignal): Promise<readonly Collected[]> {
  const { redactor } = context;
  const loading = await context.loadConfig({ ask: false, ownWarnings: true }).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in loading) learnSecrets(loading.value, redactor);
  const loaded = () => {
    if ('error' in loading) throw asAgentError(loading.error);
    return loading.value;
  };
  let facts: ReturnType<typeof collect> | undefined;
  const parts = partsOf({
    context,
    loaded,
    facts: async () => (facts ??= collect(context, loaded())),
  });
  const names = 'value' in loading ? () => functionNames(loading.value.config.stateDir) : () => [];
  return collectParts(
    parts,
    {
      redact: (text) => redactor.text(text),
      names: context.has(WITH_NAMES) ? undefined : names,
    },
    signal,
  );
}

function defaultOutput(now: number): string {
  const stamp = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return resolve(`sharedcloud-agent-support-${stamp}.tar.gz`);
}

/** The archive; the same for the same files, whenever it is made. */
function packed({ clock, has, version }: CliContext, collected: readonly Collected[]): Buffer {
  const manifest = {
    schema: 1,
    at: new Date(clock.now()).toISOString(),
    version,
    leftOut: [...SCRUBBED, ...(has(WITH_NAMES) ? [] : ['names of functions'])],
    files: collected.map(({ text, ...about }) => ({
      ...about,
      bytes: text === null ? null : Buffer.byteLength(text),
    })),
  };
  const files = [
    { file: 'manifest.json', text: `${JSON.stringify(manifest, null, 2)}\n` },
    ...collected.flatMap(({ file, text }) => (text === null ? [] : [{ file, text }])),
  ];
  const folder = 'sharedcloud-agent-support';
  return gzipSync(
    tar([
      { path: folder, mode: 0o700 },
      ...files.map(({ file, text }) => ({
        path: `${folder}/${file}`,
        content: Buffer.from(text),
        mode: 0o600,
      })),
    ]),
  );
}

/** Throws BUNDLE_NOT_WRITTEN, also where there is something of this name. */
function createFile(output: string): number {
  try {
    return openSync(output, 'wx', 0o600);
  } catch (cause) {
    throw notWritten(output, cause);
  }
}

function write(file: number, output: string, bytes: Buffer): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } catch (cause) {
    throw notWritten(output, cause);
  }
}

function notWritten(output: string, cause: unknown): AgentError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const why = cause instanceof Error ? cause.message : String(cause);
  const message =
    code === 'EEXIST'
      ? `${output} is there already, and is not overwritten`
      : `${output} cannot be written: ${why}`;
  return new AgentError('BUNDLE_NOT_WRITTEN', message, { cause });
}

function asText(output: string, bytes: number, collected: readonly Collected[]): string {
  const gone = collected.filter(({ text }) => text === null);
  return [
    `wrote ${output} (${readableBytes(bytes)})`,
    ...gone.map(({ file, why }) => `  without ${file}: ${why}`),
    'look through it before you send it to anybody: tar -xzf it, and begin with manifest.json',
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function asJson(output: string, bytes: number, collected: readonly Collected[]): string {
  const files = collected.map(({ file, hint, text, why }) => ({ file, missing: text === null, why, hint }));
  return `${JSON.stringify({ output, bytes, files }, null, 2)}\n`;
}
