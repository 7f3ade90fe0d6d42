import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { blocksOf, readDocuments } from '../../support/docs/markdown.ts';

const examples = (await readDocuments()).flatMap(({ path, text }) =>
  blocksOf(text, 'toml').map((body, index) => ({ name: `${path}, example ${index + 1}`, body })),
);

describe('examples of the configuration file', () => {
  test('are there', () => {
    expect(examples.map(({ name }) => name)).toContain('docs/configuration.md, example 1');
  });

  test.each(examples)('can be read: $name', async ({ body }) => {
    const sources = { flags: {}, env: {}, readFile: () => Promise.resolve(body) };
    const { config, warnings } = await loadConfig(sources, { ask: true });
    expect(warnings).toEqual([]);
    expect(config.askPrice).toBeGreaterThan(0);
    expect(config.gpus.length + config.availability.length).toBeGreaterThan(0);
  });
});
