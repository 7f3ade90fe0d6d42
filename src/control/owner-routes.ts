import type { Agent } from '../agent/agent.ts';
import type { Giver } from '../agent/holds/owner-control.ts';
import type { CommandAnswer as Done, Evicted, Lasting, TargetState } from '../agent/owner/owner-commands.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import {
  type CommandAnswer,
  type EvictedAnswer,
  type HoldAnswer,
  type ReclaimAnswer,
} from '../control-api/protocol.ts';
import { type Call, type Route, route } from '../control-api/route.ts';
import type { Hold } from '../domain/hold.ts';
import type { TargetNames } from '../domain/name-targets.ts';

/** What the owner may change: one route for each command. */
export function ownerRoutes(agent: Pick<Agent, 'owner'>): readonly Route[] {
  const { owner } = agent;
  return [
    route(ENDPOINTS.pause, async (call) =>
      commandAnswer(await owner.pause({ ...namesOf(call.body), ...pauseOf(call.body) }, giver(call))),
    ),
    route(ENDPOINTS.resume, async (call) =>
      commandAnswer(await owner.resume(namesOf(call.body), call.body.tag, giver(call))),
    ),
    route(ENDPOINTS.mode, async (call) =>
      commandAnswer(await owner.mode(namesOf(call.body), call.body.mode, lastingOf(call.body), giver(call))),
    ),
    route(ENDPOINTS.reclaim, async (call): Promise<ReclaimAnswer> => {
      const { confirmed, withinMs } = call.body;
      const request = { ...namesOf(call.body), ...pauseOf(call.body), withinMs, confirmed };
      const done = await owner.reclaim(request, giver(call));
      const gpus = done.gpus.map((gpu) => ({
        ...gpu,
        processes: gpu.processes.map(({ pid, usedMiB }) => ({ pid, usedMiB: usedMiB ?? null })),
      }));
      const { left, problem, tookMs } = done;
      return {
        ...commandAnswer(done),
        jobs: done.jobs.map(evictedAnswer),
        gpus,
        left: [...left],
        problem: problem === undefined ? null : { why: problem.why, hint: problem.hint ?? null },
        tookMs,
      };
    }),
    route(ENDPOINTS.preview, async (call) => ({
      jobs: (await owner.preview(namesOf(call.body))).map(evictedAnswer),
    })),
  ];
}

function giver({ caller, from }: Call<unknown>): Giver {
  return { by: caller, from };
}

type Ends = {
  readonly forMs?: number | undefined;
  readonly until?: number | undefined;
  readonly untilNext?: true | undefined;
};

function namesOf({
  minors,
  targets,
}: {
  readonly targets: readonly string[];
  readonly minors: readonly number[];
}): TargetNames {
  return { names: targets, minors };
}

function pauseOf(body: Ends & { readonly note?: string | undefined; readonly tag: string }) {
  return { lasting: lastingOf(body), note: body.note, tag: body.tag };
}

function lastingOf({ forMs, until, untilNext }: Ends): Lasting {
  if (forMs !== undefined) return { kind: 'after', ms: forMs };
  if (until !== undefined) return { kind: 'at', at: until };
  return untilNext === undefined ? undefined : 'next-change';
}

function commandAnswer({ changed, targets }: Done): CommandAnswer {
  return { changed, targets: targets.map(targetAnswer) };
}

function targetAnswer({ hold, mode, name, target }: TargetState) {
  return { target, name, mode, hold: hold === undefined ? null : holdAnswer(hold) };
}

/** A hold as the API shows it. */
export function holdAnswer({ hint, kind, until, why }: Hold): HoldAnswer {
  return { kind, why, until: until ?? null, hint: hint ?? null };
}

function evictedAnswer(evicted: Evicted): EvictedAnswer {
  return evicted;
}
