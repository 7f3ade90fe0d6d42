import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../faults/listen.ts';
import { attempt } from './attempt.ts';

const run = promisify(execFile);
const HOOKS = resolve(import.meta.dirname, '../../../packaging/slurm');

/** A node of the cluster: its GPUs' device numbers, and the agent's command there. */
export type SlurmNode = {
  readonly gpus: readonly number[];
  /** The program that commands the node's agent; undefined: it has none. */
  readonly agent?: string;
};

/** A real Slurm: a controller and a daemon for each node, all on this machine, with GPUs that are only files. */
export class SlurmCluster implements AsyncDisposable {
  readonly #directory: string;
  readonly #daemons: readonly ChildProcess[];

  private constructor(directory: string, daemons: readonly ChildProcess[]) {
    this.#directory = directory;
    this.#daemons = daemons;
  }

  /** Starts one whose nodes are `a`, `b` and so on, with the project's hooks; resolves when they take jobs. */
  static async start(nodes: Readonly<Record<string, SlurmNode>>): Promise<SlurmCluster> {
    await haveAddress();
    const directory = await mkdtemp(join(tmpdir(), 'slurm-'));
    await chmod(directory, 0o755);
    for (const part of ['state', 'munge', 'devices', ...Object.keys(nodes)])
      await mkdir(join(directory, part), { mode: 0o755 });
    await writeFile(join(directory, 'munge.key'), randomBytes(128), { mode: 0o400 });
    for (const gpu of new Set(Object.values(nodes).flatMap(({ gpus }) => gpus)))
      await run('mknod', [join(directory, 'devices', `nvidia${gpu}`), 'c', '1', '3']);
    await writeFile(join(directory, 'slurm.conf'), await slurmConf(directory, nodes));
    await writeFile(join(directory, 'gres.conf'), gresConf(directory, nodes));
    for (const hook of ['prolog', 'epilog'])
      await writeFile(join(directory, hook), hookScript(hook, nodes), { mode: 0o755 });
    const daemons = [start(directory, 'munged', ...mungeFlags(join(directory, 'munge')))];
    const cluster = new SlurmCluster(directory, daemons);
    const munge = join(directory, 'munge/socket');
    await attempt(() => run('munge', ['--no-input', '--socket', munge]));
    daemons.push(start(directory, 'slurmctld', '-D'));
    for (const node of Object.keys(nodes)) daemons.push(start(directory, 'slurmd', '-D', '-N', node));
    await attempt(async () => {
      const states = await cluster.run('sinfo', '--noheader', '--Node', '--format=%T');
      if (states.split('\n').some((state) => state !== 'idle')) throw new Error(`the nodes are ${states}`);
    });
    return cluster;
  }

  /** Runs one of Slurm's commands to its end; fails where that fails. Answers what it printed. */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await run(program, args, { env: environment(this.#directory), cwd: this.#directory });
    return stdout.trim();
  }

  /** Starts a command of Slurm's that lasts, such as `srun`. */
  spawn(program: string, ...args: readonly string[]): ChildProcess {
    return spawn(program, args, {
      env: environment(this.#directory),
      cwd: this.#directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /** The errors in the log of a node’s daemon, with the output of failed hooks. */
  async errors(node: string): Promise<string> {
    const log = await readFile(join(this.#directory, `${node}.log`), 'utf8').catch(() => '');
    return log.slice(Math.max(log.indexOf(' error: '), 0));
  }

  /** The process ids of the prologs that were started on a node so far. */
  async prologs(node: string): Promise<readonly number[]> {
    const text = await readFile(join(this.#directory, `prolog.${node}`), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).map(Number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('scancel', '--user=root').catch(() => undefined);
    for (const daemon of this.#daemons.toReversed()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const gone = once(daemon, 'close');
      daemon.kill('SIGKILL');
      await gone;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function environment(directory: string): NodeJS.ProcessEnv {
  return { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', SLURM_CONF: join(directory, 'slurm.conf') };
}

function start(directory: string, program: string, ...args: readonly string[]): ChildProcess {
  return spawn(program, args, { env: environment(directory), cwd: directory, stdio: 'ignore' });
}

function mungeFlags(directory: string): readonly string[] {
  const at = (name: string): string => join(directory, name);
  return [
    '--foreground',
    '--force',
    `--socket=${at('socket')}`,
    `--key-file=${directory}.key`,
    `--pid-file=${at('pid')}`,
    `--log-file=${at('log')}`,
    `--seed-file=${at('seed')}`,
  ];
}

/** Slurm looks up addresses of the kinds that the host has, and loopback addresses do not count. */
async function haveAddress(): Promise<void> {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  if (addresses.some(({ address, family }) => family === 'IPv4' && !address.startsWith('127.'))) return;
  await run('ip', ['address', 'add', '192.0.2.1/32', 'dev', 'lo']);
}

async function slurmConf(directory: string, nodes: Readonly<Record<string, SlurmNode>>): Promise<string> {
  const host = hostname();
  const lines: string[] = [];
  for (const [name, { gpus }] of Object.entries(nodes))
    lines.push(
      `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${await freePort()} CPUs=4 RealMemory=1000 ` +
        `Gres=gpu:${gpus.length}`,
    );
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${await freePort()}
AuthType=auth/munge
AuthInfo=socket=${directory}/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${directory}/state
SlurmdSpoolDir=${directory}/%n
SlurmctldPidFile=${directory}/slurmctld.pid
SlurmdPidFile=${directory}/%n.pid
SlurmctldLogFile=${directory}/slurmctld.log
SlurmdLogFile=${directory}/%n.log
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
# One machine plays all nodes, whatever it has.
SlurmdParameters=config_overrides
ReturnToService=2
GresTypes=gpu
PrologFlags=Alloc
PrologEpilogTimeout=120
Prolog=${directory}/prolog
Epilog=${directory}/epilog
${lines.join('\n')}
PartitionName=all Nodes=${Object.keys(nodes).join(',')} Default=YES MaxTime=INFINITE State=UP
`;
}

function gresConf(directory: string, nodes: Readonly<Record<string, SlurmNode>>): string {
  return Object.entries(nodes)
    .map(
      ([name, { gpus }]) => `NodeName=${name} Name=gpu File=${directory}/devices/nvidia[${gpus.join(',')}]\n`,
    )
    .join('');
}

/** The project's hook, with the node's own agent; on a machine of its own the hook finds it by itself. */
function hookScript(hook: string, nodes: Readonly<Record<string, SlurmNode>>): string {
  const cases = Object.entries(nodes).map(
    ([name, { agent = '/none' }]) => `${name}) export AGENT=${agent} ;;`,
  );
  return `#!/bin/sh
case $SLURMD_NODENAME in
${cases.join('\n')}
esac
echo $$ >>"\${0%/*}/${hook}.$SLURMD_NODENAME"
exec ${HOOKS}/${hook}.sh
`;
}
