import { describe, expect, test } from 'vitest';
import { DEFAULT_CATALOGUE } from '../../../../src/embedded/broker/catalogue-data.ts';

describe('the catalogue', () => {
  test.each(['uuid', 'name', 'codename'] as const)('has every %s once', (key) => {
    expect(new Set(DEFAULT_CATALOGUE.map((gpu) => gpu[key])).size).toBe(DEFAULT_CATALOGUE.length);
  });

  test('has names in the broker’s style and valid uuids', () => {
    for (const gpu of DEFAULT_CATALOGUE) {
      expect(gpu.name).toMatch(/^Nvidia [A-Z].* \d+GB$/);
      expect(gpu.codename).toMatch(/^[a-z0-9-]+$/);
      expect(gpu.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(gpu.cudaCores % 32).toBe(0);
    }
  });
});
