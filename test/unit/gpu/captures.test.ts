import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseGpus } from '../../../src/gpu/csv.ts';
import { fieldsOf } from '../../../src/gpu/fields.ts';
import { parseSlices } from '../../../src/gpu/mig.ts';
import { columnsOf, sampleIn } from '../../../src/gpu/sample-row.ts';

/* Real output of nvidia-smi, if it lies beside the checkout. Each file has sections with the command as header. */

const FOLDER = new URL('../../../../shared/nvidia-smi/', import.meta.url);
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.txt')) : [];

type Section = { readonly command: string; readonly text: string };

function sectionsOf(file: string): readonly Section[] {
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  const bar = '#{80}';
  const header = new RegExp(`^${bar}\\n# [^\\n]* :: [^\\n]*\\n# \\$ nvidia-smi ([^\\n]*)\\n${bar}\\n`, 'gm');
  const heads = [...text.matchAll(header)];
  return heads.map((head, at) => ({
    command: (head[1] ?? '').trim(),
    text: text.slice(head.index + head[0].length, heads[at + 1]?.index).trim(),
  }));
}

/** The answer to our query: our columns of the answer to a query for all columns, with units. */
function answerTo(fields: readonly string[], { command, text }: Section): string {
  const asked = /^--query-gpu=(\S+)/.exec(command)?.[1]?.split(',') ?? [];
  const [, ...rows] = text.split('\n').filter((line) => line.trim() !== '');
  return rows
    .map((row) => row.split(','))
    .map((cells) => fields.map((field) => cells[asked.indexOf(field)]?.trim() ?? '?').join(', '))
    .join('\n');
}

const skip = files.length === 0 ? ' (skipped: no shared/nvidia-smi beside the checkout)' : '';

describe.skipIf(files.length === 0)(`real captures${skip}`, () => {
  test.each(files)('%s', (file) => {
    const sections = sectionsOf(file);
    const help = sections.find(({ command }) => command === '--help-query-gpu')?.text ?? '';
    const fields = fieldsOf(help);
    expect(fields).toContain('gpu_recovery_action');
    expect(fields).toContain('mig.mode.current');
    const queries = sections.filter(({ command }) => command.startsWith('--query-gpu='));
    expect(queries.length).toBeGreaterThan(0);
    for (const query of queries) {
      const { others, rows: gpus } = parseGpus(answerTo(fields, query), fields);
      expect(others).toEqual([]);
      expect(gpus).toHaveLength(1);
      const [gpu] = gpus;
      expect(gpu?.fault).toBeUndefined();
      expect(gpu?.model).toMatch(/^NVIDIA /);
      expect(gpu?.memoryTotalMiB).toBeGreaterThan(16_000);
      expect(gpu?.memoryUsedMiB).toBeGreaterThanOrEqual(0);
      expect(gpu?.temperatureC).toBeGreaterThan(10);
      expect(gpu?.powerDrawW).toBeGreaterThan(1);
      expect(gpu?.powerLimitW).toBeGreaterThan(100);
      expect(gpu?.migMode).toBe(file.includes('mig'));
    }
    const columns = columnsOf(help);
    expect(columns).toHaveLength(15);
    for (const query of queries) {
      const row = answerTo(
        columns.map(({ field }) => field),
        query,
      );
      const sample = sampleIn(row, columns, 7);
      expect(sample?.pstate).toMatch(/^P\d$/);
      expect(sample?.displayActive).toBe(file.includes('4080'));
      expect(sample?.utilizationPercent === undefined).toBe(file.includes('mig'));
      expect(sample?.powerW).toBeGreaterThan(1);
      expect(sample?.smClockMHz).toBeGreaterThan(100);
      expect(sample?.memoryFreeMiB).toBeGreaterThan(10_000);
    }
    const slices = [...parseSlices(sections.find(({ command }) => command === '-L')?.text ?? '').values()];
    expect(slices.map((own) => own.map(({ profile }) => profile))).toEqual([
      file.includes('mig') ? ['3g.40gb', '2g.20gb', '1g.10gb', '1g.10gb'] : [],
    ]);
  });
});
