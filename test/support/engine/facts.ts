import { type EngineFacts, readFacts } from '../../../src/runtime/docker/engine/facts.ts';

/** What a fit engine answers to `info`, */
export const INFO = {
  Driver: 'overlay2',
  DriverStatus: [['Backing Filesystem', 'xfs']],
  SecurityOptions: ['name=seccomp,profile=default'],
  Runtimes: { runc: {}, nvidia: {} },
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CpuCfsQuota: true,
  OSType: 'linux',
};
/** and to `version`. */
export const VERSION = {
  Version: '20.10.24+dfsg1',
  ApiVersion: '1.41',
  Components: [{ Name: 'runc', Version: '1.1.5+ds1' }],
};
/** What the agent knows of an engine that answers like that, but for these changes. */
export const facts = (changes: object = {}, versionChanges: object = {}): EngineFacts =>
  readFacts({ ...INFO, ...changes }, { ...VERSION, ...versionChanges });
