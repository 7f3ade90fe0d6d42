import { AgentError } from '../../../domain/errors.ts';
import { escapeControls } from '../../../lib/escape.ts';
import { LIMITS } from '../../../limits.ts';
import { cdiName, type GpuInjection } from '../container/gpu-injection.ts';
import { imageFault, readFault } from './errors.ts';
import { type EngineFacts, NVIDIA_GPU } from './facts.ts';

/** A GPU, the way in which a container gets it, and what was known of the engine then. */
export type Injected = {
  readonly gpu: string;
  readonly injection: GpuInjection;
  readonly facts: Pick<EngineFacts, 'cdi' | 'runtimes'>;
};

const RESTART = 'sudo systemctl restart docker';
/** Writes the CDI spec of the GPUs that the driver has now. */
export const GENERATE_CDI = 'sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml';
/** Installs what gives containers a GPU. */
export const INSTALL_TOOLKIT = `install the Nvidia container toolkit, then: sudo nvidia-ctk runtime configure --runtime=docker && ${RESTART}`;
/** For a runtime without its hook: Docker looks on its own PATH. */
export const INSTALL_HOOK = `Docker has the runtime nvidia, but finds no nvidia-container-runtime-hook on its PATH: install the Nvidia container toolkit (package nvidia-container-toolkit), then: ${RESTART}`;

/** For a Docker that reads no CDI specs. */
export const ENABLE_CDI =
  'with Docker 25 or newer, set "features": {"cdi": true} in Docker’s daemon.json and restart Docker; or choose another --gpu-mode';

const MAX_NAMES = 12;

/** A message of the engine, its OCI runtime or a hook that says that a container could not get its GPU. */
type Fault = { readonly pattern: RegExp; readonly hint: (injected: Injected) => string };

/** In this order: a message of a hook may also say what the hook failed at. */
const FAULTS: readonly Fault[] = [
  { pattern: /could not select device driver/i, hint: noDriver },
  {
    pattern:
      /unresolvable CDI device|unknown CDI device|(?:CDI|cdi) device injection failed|failed to inject CDI|CDI registry/i,
    hint: staleSpec,
  },
  {
    // The spec names files of the driver that was there before, or of a GPU that is gone.
    pattern:
      /failed to stat CDI host device|error gathering device information[^"]*"\/dev\/(?:nvidia|dxg)|(?:error mounting|failed to fulfil mount request: open) "?[^"]*(?:nvidia|cuda)/i,
    hint: ({ injection }) =>
      injection === 'cdi'
        ? `the CDI spec is older than the driver: ${GENERATE_CDI}`
        : 'reboot, if the driver was updated',
  },
  {
    pattern: /(?:unknown or invalid runtime name:?|unknown runtime specified) "?nvidia/i,
    hint: () => INSTALL_TOOLKIT,
  },
  {
    pattern: /nvproxy/i,
    hint: () => 'see which drivers the runtime knows: runsc nvproxy list-supported-drivers',
  },
  {
    pattern:
      /nvidia-container-[a-z-]+"?: (?:executable file )?(?:not found|no such file)|nvidia-(?:ctk|cdi-hook)"?: (?:executable file not found|no such file)/i,
    hint: ({ facts }) => (facts.runtimes.includes('nvidia') ? INSTALL_HOOK : INSTALL_TOOLKIT),
  },
  {
    pattern: /driver\/library version mismatch/i,
    hint: () => 'reboot: the driver was updated while its old kernel module is loaded',
  },
  { pattern: /unknown device/i, hint: () => 'see whether nvidia-smi -L still lists this GPU' },
  {
    pattern:
      /nvidia-container-(?:cli|runtime)|nvidia-(?:ctk|cdi-hook)|error running (?:prestart |createRuntime |createContainer )?hook|nvidia-container-toolkit/i,
    hint: () => 'run nvidia-smi and sudo nvidia-container-cli info, and fix what they report',
  },
];

/**
 * A failed create or start of a container with a GPU, as GPU_INJECTION_FAILED; undefined if it has another cause.
 * `thrown` is what dockerode threw.
 */
export function injectionError(thrown: unknown, injected: Injected): AgentError | undefined {
  const { message, status } = readFault(thrown);
  // First, because the image's command is in that message and may imitate a fault of the host.
  if (status === undefined || imageFault(message, thrown) !== undefined) return undefined;
  const fault = FAULTS.find(({ pattern }) => pattern.test(message));
  if (fault === undefined) return undefined;
  const words = escapeControls(message.replace(/\s+/g, ' ')).slice(0, LIMITS.engine.gpuError.max);
  return new AgentError(
    'GPU_INJECTION_FAILED',
    `Docker cannot give GPU ${injected.gpu} to a container by ${INJECTION_NAMES[injected.injection]}: ${words}`,
    { hint: fault.hint(injected), cause: thrown },
  );
}

/** The ways for people. */
export const INJECTION_NAMES = {
  cdi: 'CDI',
  'device-requests': 'device requests',
  runtime: 'runtime nvidia',
} as const;

function noDriver(injected: Injected): string {
  const { cdi, runtimes } = injected.facts;
  if (injected.injection !== 'cdi') return runtimes.includes('nvidia') ? INSTALL_HOOK : INSTALL_TOOLKIT;
  return cdi.enabled ? staleSpec(injected) : ENABLE_CDI;
}

/** For a device that is not in the engine's CDI specs: what the specs have instead. */
export function staleSpec({ facts, gpu }: Pick<Injected, 'gpu' | 'facts'>): string {
  const names = facts.cdi.devices?.map((name) => name.slice(NVIDIA_GPU.length)) ?? [];
  const shown = names.slice(0, MAX_NAMES).join(', ') + (names.length > MAX_NAMES ? ', ...' : '');
  const has = names.length === 0 ? '' : ` (they have only ${NVIDIA_GPU}${escapeControls(shown)})`;
  return `no CDI spec has ${cdiName(gpu)}${has}, so generate it again: ${GENERATE_CDI}`;
}
