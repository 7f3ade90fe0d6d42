import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type Docker from 'dockerode';
import { z } from 'zod';
import { AgentError } from '../../../domain/errors.ts';
import { TEST_IMAGE_REPOSITORY } from '../../../domain/image-ref.ts';
import { JOB_INPUT_PATH, PYTHON_CODE_FILE } from '../../../domain/job-input.ts';
import { escapeControls } from '../../../lib/escape.ts';
import { tar } from '../../../lib/tar.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { engineError, readFault } from '../engine/errors.ts';
import { hostHint } from '../engine/host-hints.ts';
import { linesOf } from '../engine/json-lines.ts';
import { copyProgram, type ProgramArchitecture } from './program.ts';

/** To be increased with every change of the image. */
const VERSION = 1;

/** Where Nvidia's tools and OCI runtimes mount or write something, which a minimal image would not have. */
const DIRECTORIES = ['dev', 'etc', 'proc', 'sys', 'tmp', 'usr', 'usr/bin', 'usr/lib'] as const;

const ARCHITECTURES: Readonly<Record<string, ProgramArchitecture>> = {
  amd64: 'amd64',
  x86_64: 'amd64',
  arm64: 'arm64',
  aarch64: 'arm64',
};

/** Characters of the engine's message. */
const MAX_SHOWN = 600;

const VERSION_ANSWER = z.object({ Arch: z.string() });
const INSPECTED = z.object({
  Id: z.string(),
  RootFS: z.object({ Layers: z.array(z.string()) }),
  Config: z.object({
    Cmd: z.array(z.string()).nullish(),
    Entrypoint: z.array(z.string()).nullish(),
    Env: z.array(z.string()).nullish(),
  }),
});

/** The image of test containers: its name, an archive as `docker save` writes it, and what the engine shows of it. */
export type TestImage = {
  readonly ref: string;
  readonly archive: Buffer;
  /** The digest of its only layer, uncompressed. */
  readonly diffId: string;
  readonly command: readonly string[];
};

/** The image for this architecture: a program that copies one of the job's files to its output, and nothing else. Pure. */
export function testImage(architecture: ProgramArchitecture): TestImage {
  const ref = `${TEST_IMAGE_REPOSITORY}:${VERSION}-${architecture}`;
  const layer = tar([
    ...DIRECTORIES.map((path) => ({ path })),
    { path: 'copy', content: copyProgram(architecture), mode: 0o755 },
  ]);
  const diffId = `sha256:${sha256(layer)}`;
  const command = ['/copy', `${JOB_INPUT_PATH}/${PYTHON_CODE_FILE}`];
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: { Cmd: command },
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'sharedcloud-agent' }],
    }),
  );
  const configFile = `${sha256(config)}.json`;
  const manifest = [{ Config: configFile, RepoTags: [ref], Layers: ['layer.tar'] }];
  const archive = tar([
    { path: configFile, content: config },
    { path: 'layer.tar', content: layer },
    { path: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)) },
  ]);
  return { ref, archive, diffId, command };
}

/**
 * The id of the image for test containers, imported where its name is missing or another image has it; undefined where the engine's architecture has
 * none. Throws RUNTIME_*.
 */
export async function importTestImage(
  docker: Docker,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<string | undefined> {
  const architecture = await engineArchitecture(docker, deadlines.inspectMs, signal);
  if (architecture === undefined) return undefined;
  const image = testImage(architecture);
  const known = await findImage(docker, image, deadlines.inspectMs, signal);
  if (known !== undefined) return known;
  await callEngine({ action: IMPORT, ms: deadlines.createMs, signal }, async (abortSignal) => {
    const answer = await docker.loadImage(Readable.from([image.archive]), { abortSignal });
    // The engine has imported it once its answer has ended, whose status is 200 even where a later line is an error.
    for await (const line of linesOf(answer)) {
      const { error } = LOAD_LINE.parse(parsedJson(line));
      if (error !== undefined) throw notImported(error);
    }
  });
  const imported = await findImage(docker, image, deadlines.inspectMs, signal);
  if (imported === undefined) throw notImported(`Docker does not have ${image.ref} after it`);
  return imported;
}

const IMPORT = 'import the image of test containers';
const LOAD_LINE = z.object({ error: z.string().optional().catch(undefined) }).catch({ error: undefined });

function notImported(why: string): AgentError {
  return new AgentError('RUNTIME_FAILED', `could not ${IMPORT}: ${escapeControls(why).slice(0, MAX_SHOWN)}`, {
    hint: hostHint(why) ?? 'see Docker’s log (journalctl -u docker) for what its store of images refuses',
  });
}

/** `docker load` answers with lines of JSON or of text. */
function parsedJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The engine's own, which may be on another machine. */
async function engineArchitecture(
  docker: Docker,
  ms: number,
  signal: AbortSignal,
): Promise<ProgramArchitecture | undefined> {
  // dockerode's type does not know the signal.
  const client: { version(options: { abortSignal: AbortSignal }): Promise<unknown> } = docker;
  const call = { action: 'read Docker’s version', ms, signal };
  const answer = await callEngine(call, (abortSignal) => client.version({ abortSignal }));
  return ARCHITECTURES[VERSION_ANSWER.safeParse(answer).data?.Arch ?? ''];
}

/** The id of the image of this name; undefined where there is none, or anything else has its name. */
async function findImage(
  docker: Docker,
  image: TestImage,
  ms: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { ref } = image;
  const action = `inspect image ${ref}`;
  const inspected: unknown = await callEngine({ action, ms, signal }, async () => {
    try {
      return await docker.getImage(ref).inspect();
    } catch (thrown) {
      if (readFault(thrown).status === 404) return undefined;
      throw engineError(thrown, action);
    }
  });
  const { data } = INSPECTED.safeParse(inspected);
  return data !== undefined && isThisImage(data, image) ? data.Id : undefined;
}

/** Whether an inspected image has these files and runs this program: the id differs between Docker's image stores. */
function isThisImage({ Config, RootFS }: z.infer<typeof INSPECTED>, image: TestImage): boolean {
  const shown = [RootFS.Layers, Config.Cmd ?? [], Config.Entrypoint ?? [], Config.Env ?? []];
  return isDeepStrictEqual(shown, [[image.diffId], image.command, [], []]);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
