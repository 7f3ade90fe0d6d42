import { asAgentError } from '../../domain/errors.ts';
import type { ByteBudget, Share } from '../../lib/byte-budget.ts';
import type { Log } from '../../lib/log.ts';
import type { ClaimTarget } from './claimer.ts';
import type { FunctionCode } from './function-code.ts';
import type { RunBackoff } from './run-backoff.ts';
import type { RunResolver } from './run-resolver.ts';

/** The code for a claim, and the memory that it has together with the arguments. */
export type ClaimInput = { readonly code: Uint8Array; readonly share: Share };

export type ClaimInputDeps = {
  readonly functionCode: Pick<FunctionCode, 'of' | 'maxBytes'>;
  /** The memory that code and arguments of all claims have until they are on the disk. */
  readonly claimInput: ByteBudget;
  readonly resolver: Pick<RunResolver, 'resolveAgain' | 'unchanged'>;
  readonly backoff: Pick<RunBackoff, 'listFailed'>;
  readonly log: Log;
};

/** Waits for memory, and has the code for a claim before that is sent; undefined: it cannot be had now. */
export async function takeInput(
  deps: ClaimInputDeps,
  { fn, job, run }: ClaimTarget,
  signal: AbortSignal,
): Promise<ClaimInput | undefined> {
  const { backoff, claimInput, functionCode, log, resolver } = deps;
  using untilHad = new DisposableStack();
  try {
    const share = await claimInput.take(functionCode.maxBytes(fn) + job.argumentBytes, signal);
    if (share === undefined) return undefined;
    untilHad.use(share);
    const code = await functionCode.of(fn, signal);
    if (code === undefined) {
      resolver.resolveAgain(run.uuid);
      return undefined;
    }
    resolver.unchanged(run.uuid);
    share.resize(code.length + job.argumentBytes);
    untilHad.move();
    return { code, share };
  } catch (thrown) {
    const { code, message } = asAgentError(thrown);
    const fields = { event: 'function-code-failed', run: run.uuid, code };
    if (!signal.aborted) log.warn(fields, `code not fetched, nothing is claimed: ${message}`);
    backoff.listFailed(run.uuid);
    return undefined;
  }
}
