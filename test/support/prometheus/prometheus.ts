import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { freePort } from '../faults/listen.ts';

const RESULT = z.object({
  status: z.literal('success'),
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});

/** One value that a query answers. */
export type Point = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** A real Prometheus with a directory of its own; it ends with the test. */
export class Prometheus {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  /** Starts one that scrapes twice a second; `scrape`: the list below `scrape_configs`. */
  static async start(scrape: string, rules: readonly string[] = []): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'prometheus-'));
    const port = await freePort();
    const config = join(directory, 'prometheus.yml');
    const global = 'global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s }';
    await writeFile(
      config,
      [global, `rule_files: ${JSON.stringify(rules)}`, 'scrape_configs:', scrape, ''].join('\n'),
    );
    const child = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: 'ignore' },
    );
    onTestFinished(async () => {
      await end(child);
      await rm(directory, { recursive: true, force: true });
    });
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`);
    await prometheus.#ready(child);
    return prometheus;
  }

  /** What a query answers now. Throws where it is none. */
  async query(expr: string): Promise<readonly Point[]> {
    const answer = await fetch(`${this.#url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expr }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${expr}: ${text}`);
    const { data } = RESULT.parse(JSON.parse(text));
    return data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  }

  /** The one value of a query; undefined: it answers none, or several. */
  async value(expr: string): Promise<number | undefined> {
    const [point, ...more] = await this.query(expr);
    return more.length === 0 ? point?.value : undefined;
  }

  async #ready(child: ChildProcess): Promise<void> {
    for (;;) {
      if (child.exitCode !== null) throw new Error('Prometheus has ended');
      const answer = await fetch(`${this.#url}/-/ready`).catch(() => undefined);
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
