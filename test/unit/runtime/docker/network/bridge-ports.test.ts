import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  interfaceBehind,
  portOf,
  trafficOf,
} from '../../../../../src/runtime/docker/network/bridge-ports.ts';

/** An entry of `brforward` as the kernel writes it. */
function entry(address: string, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.write(address.replaceAll(':', ''), 0, 'hex');
  bytes.writeUInt8(port & 255, 6);
  bytes.writeUInt8(port >> 8, 12);
  return bytes;
}

const ONE = '02:42:ac:12:00:02';
const OTHER = '02:42:ac:12:00:03';
const TABLE = Buffer.concat([entry(ONE, 1), entry(OTHER, 300), Buffer.alloc(7)]);

test('an address is found behind its port, in any spelling', () => {
  expect(portOf(TABLE, ONE)).toBe(1);
  expect(portOf(TABLE, OTHER.toUpperCase())).toBe(300);
  expect(portOf(TABLE, '02:42:ac:12:00:04')).toBeUndefined();
  expect(portOf(Buffer.alloc(0), ONE)).toBeUndefined();
});

test('the interface of a port has the traffic of the container, whose sent is its received', async () => {
  const sysfs = await mkdtemp(join(tmpdir(), 'sysfs-'));
  onTestFinished(() => rm(sysfs, { recursive: true }));
  const net = join(sysfs, 'class/net');
  for (const [name, port] of Object.entries({ veth1: '0x1', veth2: '0x12c' })) {
    await mkdir(join(net, 'bridge0/brif', name), { recursive: true });
    await writeFile(join(net, 'bridge0/brif', name, 'port_no'), `${port}\n`);
  }
  await writeFile(join(net, 'bridge0/brforward'), TABLE);
  await mkdir(join(net, 'veth2/statistics'), { recursive: true });
  await writeFile(join(net, 'veth2/statistics/rx_bytes'), '123\n');
  await writeFile(join(net, 'veth2/statistics/tx_bytes'), '4567\n');
  expect(interfaceBehind('bridge0', ONE, sysfs)).toBe('veth1');
  expect(interfaceBehind('bridge0', OTHER, sysfs)).toBe('veth2');
  expect(trafficOf('veth2', sysfs)).toEqual({ sentBytes: 123, receivedBytes: 4567 });
  expect(() => interfaceBehind('bridge1', ONE, sysfs)).toThrow(/ENOENT/);
});
