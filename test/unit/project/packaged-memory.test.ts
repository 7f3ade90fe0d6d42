import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AS_PACKAGED } from '../../support/e2e/as-packaged.ts';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

test('bench and chaos start the agent as the packages do', () => {
  const script = read('packaging/deb/sharedcloud-agent');
  const { NODE_OPTIONS, ...variables } = AS_PACKAGED;
  const flags = /\/bin\/node ((?:--\S+ )+)/.exec(script)?.[1]?.trim();
  const exported = /^export (.*)$/m.exec(script)?.[1]?.split(' ');
  expect(flags).toBe(NODE_OPTIONS);
  expect(exported).toEqual(Object.entries(variables).map(([name, value]) => `${name}=${value}`));
});

test('the service and the container may use more than the heap, and not much more', () => {
  const heapMB = Number(/--max-old-space-size=(\d+)/.exec(read('packaging/deb/sharedcloud-agent'))?.[1]);
  const service = Number(/^MemoryMax=(\d+)M$/m.exec(read('systemd/sharedcloud-agent.service'))?.[1]);
  const container = Number(/^ *mem_limit: (\d+)m$/m.exec(read('compose.yaml'))?.[1]);
  expect(service).toBe(2 * heapMB);
  expect(container).toBe(service);
});
