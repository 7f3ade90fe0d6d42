import { join } from 'node:path';
import { runIsolationProbe } from '../../agent/network/isolation-probe.ts';
import { jobResources } from '../../compose.ts';
import { dockerEndpoint, lineLimits, openDocker } from '../../compose-docker.ts';
import type { Loaded } from '../../config/config.ts';
import type { JobNetwork } from '../../domain/jobs-network.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobResources } from '../../domain/ports/runtime.ts';
import { JobFolders } from '../../function/job-files.ts';
import { hostAddresses } from '../../host/addresses.ts';
import type { Log } from '../../lib/log.ts';
import { CHECK_AGENT_ID } from '../../runtime/docker/container/spec.ts';
import { ENGINE_DEADLINES } from '../../runtime/docker/engine/call.ts';
import { openEngine } from '../../runtime/docker/engine/connection.ts';
import { openIsolatedNetwork } from '../../runtime/docker/network/isolated-network.ts';
import { findProbeImage } from '../../runtime/docker/network/probe-image.ts';
import { openCheckDirectory } from './check-directory.ts';

/** The network of jobs. Of the isolated one, `leak` says why it is not isolated, `unverified` why that is unknown. */
export type NetworkInspection = {
  readonly wanted: JobNetwork;
  readonly leak?: string;
  readonly unverified?: string;
  /** What the rules of an older agent leave open on the owner's line. */
  readonly line?: string;
};

/** Reads the job network and verifies its isolation from a short-lived container. Throws NETWORK_NOT_READY. */
export async function inspectNetwork(
  { clock, loaded, log }: { readonly loaded: Loaded; readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<NetworkInspection> {
  const { config } = loaded;
  const wanted = config.jobNetwork;
  if (wanted !== 'isolated') return { wanted };
  const engine = dockerEndpoint(loaded);
  const network = openIsolatedNetwork({ engine, line: lineLimits(config), hostAddresses });
  const probeTargets = await network.probeTargets(signal);
  const problem = await network.lineProblem(signal);
  const line = problem === undefined ? {} : { line: problem.what };
  const docker = openEngine(engine);
  const image = await findProbeImage(docker, config.images, ENGINE_DEADLINES.inspectMs, signal);
  if (image === undefined) return { wanted, ...line, unverified: 'no image of --images has been pulled yet' };
  await using directory = await openCheckDirectory(config.stateDir);
  const runtime = openDocker({ loaded, clock }, CHECK_AGENT_ID, () => undefined);
  const files = new JobFolders(join(directory.path, 'jobs'));
  const resources = (): JobResources => jobResources(config, 1);
  const deps = { runtime, files, clock, random: Math.random, log, resources, detach: signal };
  const leak = await runIsolationProbe(deps, image, probeTargets, signal);
  return { wanted, ...line, ...(leak !== undefined && { leak }) };
}
