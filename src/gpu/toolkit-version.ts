import { execFile } from 'node:child_process';

const DEADLINE_MS = 5_000;

/** Keeps the token out of the program's environment, and its words in one language. */
const LAUNCH = 'unset SHAREDCLOUD_TOKEN; LC_ALL=C; export LC_ALL; exec "$0" --version';

/**
 * The version of Nvidia's container toolkit on this machine, such as `1.19.1`; undefined where it is not there, gives no
 * answer in time or says something else. `program` is its command line tool.
 */
export function toolkitVersion(program = 'nvidia-ctk'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: DEADLINE_MS, killSignal: 'SIGKILL', maxBuffer: 65_536 } as const;
    execFile('/bin/sh', ['-c', LAUNCH, program], options, (error, stdout) => {
      resolve(error === null ? /\bversion v?(\d+(?:\.\d+)+)/i.exec(stdout)?.[1] : undefined);
    });
  });
}
