import { readFileSync, statfsSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import type Docker from 'dockerode';
import { z } from 'zod';

const ENGINE = z.object({
  ServerVersion: z.string(),
  Driver: z.string(),
  CgroupVersion: z.string().optional(),
});
const PACKAGE = z.object({ version: z.string() });

/** The machine of the figures. */
export type Machine = {
  readonly agent: string;
  readonly node: string;
  readonly engine: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  /** The type of the file system of state directories, by its number. */
  readonly disk: string;
  readonly at: string;
};

/** Describes this machine. */
export async function describeMachine(docker: Docker): Promise<Machine> {
  const info = ENGINE.parse(await docker.info());
  const packageFile = new URL('../../package.json', import.meta.url);
  const [first] = cpus();
  return {
    agent: PACKAGE.parse(JSON.parse(readFileSync(packageFile, 'utf8'))).version,
    node: process.version,
    engine: `Docker ${info.ServerVersion}, ${info.Driver}, cgroup v${info.CgroupVersion ?? '1'}`,
    kernel: release(),
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 1e9),
    disk: `0x${statfsSync(tmpdir()).type.toString(16)}`,
    at: new Date().toISOString(),
  };
}
