import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../../../domain/errors.ts';
import { PROGRAM_NOT_FOUND, ProgramError, type ProgramResult, runProgram } from '../../../lib/process.ts';
import type { JobsNetwork } from './network-spec.ts';
import { COUNTING_SETS, jobsRules, TABLES } from './rules.ts';

/** Where nft is on systems whose PATH leaves the administrator's programs out. */
const USUAL_PLACES = ['/usr/sbin', '/sbin'];
const DEADLINE_MS = 20_000;

/** How the rules in the kernel compare with those that should be there. */
export type RulesLook = 'right' | 'absent' | 'different';

/** The program nft, which reads and changes the kernel's rules. Needs root. */
export class Nft {
  readonly #program: string;

  private constructor(program: string) {
    this.#program = program;
  }

  /** Finds it on `path`, as $PATH is written. Throws NETWORK_UNSUPPORTED. */
  static async find(path: string): Promise<Nft> {
    for (const directory of [...path.split(':').filter(Boolean), ...USUAL_PLACES]) {
      const program = join(directory, 'nft');
      const found = await access(program, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return new Nft(program);
    }
    throw new AgentError('NETWORK_UNSUPPORTED', 'the program nft is not on this host', {
      hint: 'install nftables (apt-get install nftables), or leave --job-network at none',
    });
  }

  /** Puts our tables in force, all at once, in the place of what was in them. */
  async apply(network: JobsNetwork): Promise<void> {
    await this.#change(`${REPLACED}${jobsRules(network)}`);
  }

  /** Takes our tables away. Nothing to do where there are none. */
  async remove(): Promise<void> {
    await this.#change(REPLACED);
  }

  /**
   * Compares our tables with what they should be; without the network they should not be. How nft writes rules differs between its versions, so the right
   * ones are put in force in an empty network of their own, and both are listed by the same program.
   */
  async look(network: JobsNetwork | undefined): Promise<RulesLook> {
    const list = TABLES.map((table) => `"$0" --stateless list table ${table}`).join(' && ');
    const there = await this.#run('/bin/sh', ['-c', list, this.#program]);
    if (there.code !== 0) {
      if (/No such file or directory/.test(there.stderr)) return 'absent';
      throw nftError(there.stderr);
    }
    if (network === undefined) return 'different';
    const aside = ['--net', '/bin/sh', '-c', `"$0" -f - && ${list}`, this.#program];
    const right = await this.#run('unshare', aside, jobsRules(network));
    if (right.code !== 0) throw nftError(right.stderr);
    return withoutCounts(there.stdout) === withoutCounts(right.stdout) ? 'right' : 'different';
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
    throw new AgentError('NETWORK_FAILED', `${program} is not there`);
  }
}

/** Takes our tables away whether they are there or not, as the beginning of the same transaction. */
const REPLACED = TABLES.map((table) => `table ${table} {}\ndelete table ${table}\n`).join('');

/** A listing without what the kernel has counted so far; that there is a set to count in, stays. Pure. */
export function withoutCounts(listing: string): string {
  const counted = new RegExp(
    `(\\tset (?:${COUNTING_SETS.join('|')}) \\{\\n[^}]*?)\\t\\telements = \\{[^}]*\\}\\n`,
    'g',
  );
  return listing.replace(counted, '$1');
}

function nftError(said: string): AgentError {
  const words = said.trim().split('\n')[0] ?? '';
  if (/Operation not permitted|Permission denied|must be root/i.test(said))
    return new AgentError('NETWORK_UNPRIVILEGED', `the rules need root: ${words}`, {
      hint: 'run it with sudo',
    });
  if (/Operation not supported|Protocol not supported|No such file or directory|syntax error/.test(said))
    return new AgentError(
      'NETWORK_UNSUPPORTED',
      `this kernel or nft cannot do what the rules need: ${words}`,
      {
        hint: 'use nftables 0.9.3 and a kernel of 5.3 or newer with nf_tables, nft_fib, nft_connlimit, nft_limit and the bridge family',
      },
    );
  return new AgentError('NETWORK_FAILED', `nft failed: ${words}`);
}
