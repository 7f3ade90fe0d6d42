import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { describeHost } from '../../support/network/describe.ts';
import { type Following, TestHost } from '../../support/network/host.ts';

describeHost('the command `network keep`', () => {
  let host: TestHost;
  let following: Following;

  beforeAll(async () => {
    host = await TestHost.open();
    following = await host.follow(
      ['network', 'keep', '--docker-host', host.dockerHost],
      'job-network-repaired',
    );
  });
  afterAll(async () => {
    await following?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  const status = async (): Promise<number | null> => (await host.network('status')).code;
  const repairs = (): number =>
    following.lines.filter((line) => line.includes('job-network-repaired')).length;
  const repaired = (times: number): Promise<void> =>
    vi.waitFor(() => expect(repairs()).toBe(times), { timeout: 60_000, interval: 100 });

  test('creates what is missing', async () => {
    expect(await status()).toBe(0);
  });

  test('creates the rules again when somebody flushes all rules of the host', async () => {
    await host.sh('nft delete table inet sharedcloud; nft delete table bridge sharedcloud');
    await repaired(2);
    expect(await status()).toBe(0);
  });

  test('creates both again after Docker restarted without them', async () => {
    await host.endEngine();
    await host.sh('nft delete table inet sharedcloud_line');
    await host.startEngine();
    await repaired(3);
    expect(await status()).toBe(0);
  });

  test('ends cleanly when it is asked to, and leaves the network to the jobs', async () => {
    expect(await following.end()).toBe(0);
    expect(await status()).toBe(0);
  });
});
