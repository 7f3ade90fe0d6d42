import { describe, expect, test } from 'vitest';
import {
  scrub,
  withoutNames,
  withoutProcesses,
  withoutProcessName,
} from '../../../src/cli/support-bundle/scrub.ts';

const PLANTED = 'Sw0rdfish-99';

describe('a text of the bundle', () => {
  test.each([
    `Authorization: Token ${PLANTED}`,
    `{"authorization":"Bearer ${PLANTED}"}`,
    `proxy-authorization: Basic ${PLANTED}==`,
    `Cookie: session=${PLANTED}; other=x`,
    `set-cookie: a=${PLANTED}`,
    `sent Bearer ${PLANTED} to it`,
    `http://ada:${PLANTED}@proxy.example:3128/`,
    `https://${PLANTED}@registry.example`,
    `/api/live?key=${PLANTED}&since=1`,
    `http://127.0.0.1:8470/#link=${PLANTED}`,
    `SHAREDCLOUD_TOKEN=${PLANTED}`,
    `Environment=DB_PASSWORD=${PLANTED}`,
    `{"registryToken": "${PLANTED}"}`,
    `{"password":"a \\"${PLANTED}"}`,
    `password: ${PLANTED}`,
    `"x-sharedcloud-key": "${PLANTED}"`,
    `-----BEGIN RSA PRIVATE KEY-----\n${PLANTED}\n-----END RSA PRIVATE KEY-----`,
  ])('has no credentials: %s', (text) => {
    expect(scrub(text)).not.toContain(PLANTED);
  });

  test.each(['8.8.8.8', '203.0.113.9', '2a00:1450:4001:80b::200e', '2001:db8::7'])(
    'has no public address: %s',
    (address) => {
      expect(scrub(`connect ECONNREFUSED ${address}:443 (${address})`)).not.toContain(address);
      expect(scrub(`[${address}]`)).toBe('[[public address]]');
    },
  );

  test.each([
    'address 10.1.2.3, 172.17.0.2, 192.168.1.7:80, 127.0.0.1, fe80::1, ::1',
    'driver 550.90.07, VBIOS 92.00.45.00.03, Docker 20.10.24, ask 0.1',
    'GPU 00000000:65:00.0 at 14:05:09, 2026-11-27T08:00:10.000Z',
    'token renewed; the token file /etc/sharedcloud-agent/token is absent',
    '{"check":"token","found":"file /etc/x","key":"gpu:NVIDIA T4"}',
    'GPU-1f2e3d4c-5b6a-7988-a1b2-c3d4e5f60718',
    'NVRM: Xid (PCI:0000:65:00): 79, GPU has fallen off the bus.',
    'option notify-webhook https://example.org/…',
  ])('keeps what helps: %s', (text) => {
    expect(scrub(text)).toBe(text);
  });

  test('of one long word is read in a moment', () => {
    const word = '0f'.repeat(500_000);
    expect(scrub(word) === word).toBe(true);
  });

  test('has no names of functions, in the fields of the log and wherever a known one stands', () => {
    const text =
      '{"function":"my-secret-model","x":1} function=other-name job=1 my-secret-model ran; my-secret-models';
    expect(withoutNames(text, ['my-secret-model', 'a'])).toBe(
      '{"function":"[redacted]","x":1} function=[redacted] job=1 [redacted] ran; my-secret-models',
    );
  });

  test('has no serial numbers of GPUs and no names of processes', () => {
    const smi =
      '    Serial Number                         : 1324\n        Name                          : /home/ada/x\n    Driver : 1';
    expect(withoutProcesses(smi)).not.toMatch(/1324|ada/);
    expect(withoutProcesses(smi)).toContain('Driver : 1');
    expect(withoutProcessName('NVRM: Xid (PCI:0000:65:00): 31, pid=7, name=/home/ada/x, Ch 1')).toBe(
      'NVRM: Xid (PCI:0000:65:00): 31, pid=7, name=[redacted], Ch 1',
    );
  });
});
