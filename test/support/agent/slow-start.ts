import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { withOther } from './with-other.ts';

/** A runtime in which a start takes until the job has printed `text` or ended: its time begins no earlier. */
export function slowStart(runtime: Runtime, text?: string): Runtime {
  return withOther(runtime, {
    start: async (id) => {
      await runtime.start(id);
      const seen = new AbortController();
      let all = '';
      await runtime.follow(
        id,
        (_, chunk) => {
          all += Buffer.from(chunk).toString();
          if (text !== undefined && all.includes(text)) seen.abort();
        },
        seen.signal,
      );
    },
  });
}
