import { request } from 'node:http';
import { createServer } from 'node:https';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { addRun, HELLO_PYTHON, openScenario, TOKEN } from '../../support/e2e/scenario.ts';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';
import { close, listen } from '../../support/faults/listen.ts';
import { PROXIES, startProxy } from '../../support/proxy/proxies.ts';
import { CertificateAuthority } from '../../support/tls-certificates.ts';

const PASSWORD = 'p@ss:w/rd#1';

/** The broker at `target` over TLS. */
async function overTls(target: string, certificate: { readonly key: string; readonly cert: string }) {
  const server = createServer(certificate, (incoming, outgoing) => {
    const { headers, method, url = '/' } = incoming;
    const onward = request(new URL(url, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  const port = await listen(server);
  return {
    // An address of this machine that is not of the loopback, which would not go through a proxy.
    url: `https://0.0.0.0:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await close(server);
    },
  };
}

describeDocker('an agent behind a proxy, with a broker of a private authority', (engine) => {
  test.skipIf(!PROXIES.includes('squid'))('runs and reports a job (needs squid)', async () => {
    using ca = new CertificateAuthority();
    await using set = await openScenario(engine.host, { SHAREDCLOUD_CPU_SLOTS: '1' });
    await using front = await overTls(set.url, ca.issue('IP:0.0.0.0'));
    await using proxy = await startProxy('squid', { user: 'me', password: PASSWORD });
    const run = addRun(set.broker, PYTHON, HELLO_PYTHON, "(('a',),)");
    const env = {
      ...set.env,
      SHAREDCLOUD_BROKER_URL: front.url,
      SSL_CERT_FILE: ca.file,
      HTTPS_PROXY: proxy.url.replace('://', `://me:${encodeURIComponent(PASSWORD)}@`),
    };
    await using agent = new AgentProcess(['start', '--once'], env);
    const { code, stderr, stdout } = await agent.ended;
    expect(set.broker.store.jobsOf(run).map(({ result }) => result)).toEqual(['a']);
    expect(code).toBe(0);
    expect(stderr).toContain('"event":"broker-proxy-used"');
    for (const secret of [TOKEN, PASSWORD, encodeURIComponent(PASSWORD)])
      expect(stderr + stdout).not.toContain(secret);
    expect(proxy.log()).toContain(`CONNECT ${new URL(front.url).host}`);
    const [{ uuid } = { uuid: '' }] = set.broker.store.jobsOf(run);
    await using show = new AgentProcess(['jobs', 'show', uuid.slice(0, 8), '--json'], env);
    const shown = z
      .object({ job: z.object({ history: z.array(z.object({ state: z.string() })) }).loose() })
      .parse(JSON.parse((await show.ended).stdout));
    expect(shown.job).toMatchObject({ job: uuid, outcome: 'succeeded', broker: `${front.url}/` });
    expect(shown.job.history.map(({ state }) => state)).toEqual([
      'claiming',
      'claimed',
      'starting',
      'running',
      'finished',
      'reported',
    ]);
  });
});
