import type { CommandAnswer } from '../../agent/owner/owner-commands.ts';
import { nameOf, unknownTargets } from '../../agent/owner/owner-commands.ts';
import { openProbe } from '../../compose-gpu.ts';
import type { Config } from '../../config/config.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { CPU_TARGET } from '../../domain/hold.ts';
import { SLOT_STATES } from '../../domain/job.ts';
import { type NameableGpu, nameTargets, type TargetNames } from '../../domain/name-targets.ts';
import { applyCommand, type OwnerCommand, type Targets } from '../../domain/owner-command.ts';
import { ALL_TARGETS, decided } from '../../domain/owner-decisions.ts';
import { openDecisions } from '../../journal/open-journal.ts';
import { actAsOwner } from '../../state-dir/act-as-owner.ts';
import { ownerFor } from '../../state-dir/ownership.ts';
import { openStateDir } from '../../state-dir/state-dir.ts';
import type { CliContext } from '../command.ts';
import { WITHOUT_AGENT } from './agent-or-journal.ts';
import { nextChange } from './next-change.ts';

const PROBE_MS = 20_000;

/** What a command has done without a running agent; the next start obeys. */
export type Offline = CommandAnswer & {
  /** How many jobs of the agent that is not running may still run in their containers. */
  readonly unattended: number;
};

/**
 * Carries out a command in the journal, for the next start of the agent, with the state directory locked meanwhile. Throws
 * STATE_DIR_IN_USE where an agent has it, TARGET_UNKNOWN, and what the journal throws; then nothing is changed.
 */
export async function commandWithoutAgent(
  { caller, clock, uid }: CliContext,
  config: Config,
  names: TargetNames,
  command: (targets: Targets, nextChange: () => number) => OwnerCommand,
): Promise<Offline> {
  const known = await gpusFor(names, config);
  const named = nameTargets(names, known, true);
  if (named.kind === 'unknown') throw unknownTargets(named.unknown, known);
  using opened = new DisposableStack();
  opened.use(actAsOwner(config.stateDir));
  const dir = opened.adopt(openStateDir(config.stateDir, ownerFor(config.stateDir, uid)), (one) =>
    one.close(),
  );
  const journal = opened.adopt(openDecisions(dir, clock), (one) => one.close());
  const now = { wall: clock.now(), boot: clock.bootTime() };
  const given = command(named.targets, () => nextChange(config, named.targets, known, now.wall));
  const parents = new Map(
    known.flatMap(({ slices, uuid }) => slices.map((slice) => [slice.uuid, uuid] as const)),
  );
  const { changed, decisions } = applyCommand(journal.decisions.load(), given, {
    by: caller,
    parents,
    now,
  });
  if (changed)
    journal.decisions.save(decisions, {
      at: now.wall,
      by: caller,
      from: WITHOUT_AGENT,
      action: given.kind,
      detail: JSON.stringify(given),
    });
  const shown =
    named.targets === ALL_TARGETS ? [...known.map(({ uuid }) => uuid), CPU_TARGET] : named.targets;
  return {
    changed,
    unattended: journal.inState(...SLOT_STATES).filter(({ gpu }) => isMeant(named.targets, gpu)).length,
    targets: shown.map((target) => ({
      target,
      name: nameOf(target, known),
      ...decided(decisions, target, parents.get(target), now),
    })),
  };
}

function isMeant(targets: Targets, gpu: string | null): boolean {
  return targets === ALL_TARGETS || targets.includes(gpu ?? CPU_TARGET);
}

/** The GPUs of this host, where the names need them. */
async function gpusFor(
  { minors, names }: TargetNames,
  config: Pick<Config, 'nvidiaSmi' | 'nvidiaSmiTimeout'>,
): Promise<readonly NameableGpu[]> {
  const probe = openProbe(config);
  const signal = AbortSignal.timeout(PROBE_MS);
  let gpus: readonly Gpu[];
  try {
    ({ gpus } = await probe.read(signal));
  } catch (thrown) {
    // Whole uuids, `cpu` and everything need no nvidia-smi.
    if (
      minors.length === 0 &&
      names.every((name) => name === CPU_TARGET || name === ALL_TARGETS || /^(?:GPU|MIG)-/i.test(name))
    )
      return [];
    throw thrown;
  }
  if (minors.length === 0) return gpus;
  const found = await probe.minors(gpus, signal);
  return gpus.map((gpu) => ({ ...gpu, minor: found.get(gpu.uuid) }));
}
