import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../../../domain/errors.ts';
import { PROGRAM_NOT_FOUND, ProgramError, type ProgramResult, runProgram } from '../../../lib/process.ts';
import { LINE_SETS, LINE_TABLE, type LineLimits, lineRules } from './line-rules.ts';
import type { JobsNetwork } from './network-spec.ts';
import { COUNTING_SETS, jobsRules, TABLES } from './rules.ts';

/** The directories of nft, which a user's PATH may lack. */
const SBIN = ['/usr/sbin', '/sbin'];
const DEADLINE_MS = 20_000;

/** How the kernel's rules compare with those of this version. */
export type RulesState = 'right' | 'absent' | 'different';

/** Reads and changes the kernel's rules with the program nft. Needs root. */
export class Nft {
  readonly #program: string;

  private constructor(program: string) {
    this.#program = program;
  }

  /** Finds nft in `path`, which has the form of $PATH. Throws NETWORK_UNSUPPORTED. */
  static async find(path: string): Promise<Nft> {
    for (const directory of [...path.split(':').filter(Boolean), ...SBIN]) {
      const program = join(directory, 'nft');
      const found = await access(program, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return new Nft(program);
    }
    throw new AgentError('NETWORK_UNSUPPORTED', 'nft is not installed on this host', {
      hint: 'install nftables (apt-get install nftables), or set --job-network none',
    });
  }

  /** Replaces our tables in one transaction. */
  async apply(network: JobsNetwork, limits: LineLimits): Promise<void> {
    await this.#change(`${DELETE_TABLES}${jobsRules(network)}${lineRules(network.secret, limits)}`);
  }

  /** Removes our tables, if there are any. */
  async remove(): Promise<void> {
    await this.#change(DELETE_TABLES);
  }

  /** Compares the rules of the isolation in the kernel with those for this network; without a network, with none. */
  compareIsolation(network: JobsNetwork | undefined): Promise<RulesState> {
    return this.#compare(TABLES, network && jobsRules(network));
  }

  /** The same for the rules that protect the owner's line. */
  compareLine(network: JobsNetwork | undefined, limits: LineLimits): Promise<RulesState> {
    return this.#compare([LINE_TABLE], network && lineRules(network.secret, limits));
  }

  /**
   * Each version of nft prints rules differently, so the expected rules are loaded in an empty network namespace and
   * printed by the same program.
   */
  async #compare(tables: readonly string[], rules: string | undefined): Promise<RulesState> {
    const list = tables.map((table) => `"$0" --stateless list table ${table}`).join(' && ');
    const loaded = await this.#run('/bin/sh', ['-c', list, this.#program]);
    if (loaded.code !== 0) {
      if (/No such file or directory/.test(loaded.stderr)) return 'absent';
      throw nftError(loaded.stderr);
    }
    if (rules === undefined) return 'different';
    const load = ['--net', '/bin/sh', '-c', `"$0" -f - && ${list}`, this.#program];
    const expected = await this.#run('unshare', load, rules);
    if (expected.code !== 0) throw nftError(expected.stderr);
    return withoutCounts(loaded.stdout) === withoutCounts(expected.stdout) ? 'right' : 'different';
  }

  async #change(script: string): Promise<void> {
    const { code, stderr } = await this.#run(this.#program, ['-f', '-'], script);
    if (code !== 0) throw nftError(stderr);
  }

  async #run(program: string, args: readonly string[], input = ''): Promise<ProgramResult> {
    try {
      const result = await runProgram(program, args, { deadlineMs: DEADLINE_MS, input });
      if (result.code !== PROGRAM_NOT_FOUND) return result;
    } catch (cause) {
      if (!(cause instanceof ProgramError)) throw cause;
      throw new AgentError('NETWORK_FAILED', `${program} ${cause.message}`, { cause });
    }
    throw new AgentError('NETWORK_FAILED', `${program} is not installed`);
  }
}

/** Removes our tables whether they exist or not, at the start of a transaction. */
const DELETE_TABLES = [...TABLES, LINE_TABLE]
  .map((table) => `table ${table} {}\ndelete table ${table}\n`)
  .join('');
const DYNAMIC_SETS = [...COUNTING_SETS, ...LINE_SETS];

/** A listing without the elements of the counting sets. Pure. */
export function withoutCounts(listing: string): string {
  const counted = new RegExp(
    `(\\tset (?:${DYNAMIC_SETS.join('|')}) \\{\\n[^}]*?)\\t\\telements = \\{[^}]*\\}\\n`,
    'g',
  );
  return listing.replace(counted, '$1');
}

function nftError(stderr: string): AgentError {
  const message = stderr.trim().split('\n')[0] ?? '';
  if (/Operation not permitted|Permission denied|must be root/i.test(stderr))
    return new AgentError('NETWORK_UNPRIVILEGED', `the rules need root: ${message}`, {
      hint: 'run the command with sudo',
    });
  if (/Operation not supported|Protocol not supported|No such file or directory|syntax error/.test(stderr))
    return new AgentError(
      'NETWORK_UNSUPPORTED',
      `this kernel or nft does not support the rules: ${message}`,
      {
        hint: 'use nftables 0.9.3 or newer, and Linux 5.3 or newer with nf_tables, nft_fib, nft_connlimit, nft_limit and the bridge family',
      },
    );
  return new AgentError('NETWORK_FAILED', `nft failed: ${message}`);
}
