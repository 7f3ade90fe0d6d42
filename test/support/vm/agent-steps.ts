import { TOKEN } from '../e2e/scenario.ts';
import { PYTHON } from '../engine/docker.ts';

/** The embedded broker of the package, as a program: it writes each run's job to /run/broker.json. */
const BROKER = `
import { existsSync, renameSync, writeFileSync } from 'node:fs';
const dist = '/usr/lib/sharedcloud-agent/dist/';
const { EmbeddedBroker } = await import(dist + 'embedded/broker/embedded-broker.js');
const { JOB_STATUS } = await import(dist + 'domain/job.js');
const broker = new EmbeddedBroker({ token: '${TOKEN}', leaseSeconds: 120, leaveOutUnwinnable: false });
await broker.listen(8080);
const image = broker.store.addImage({ registryPath: '${PYTHON}', requiresGpu: false, runtime: 'python36' });
const add = (name, code, parameters) => {
  const fn = broker.store.addFunction({ name, code, image });
  return [name, broker.store.addRun({ function: fn, parameters, bidPrice: 0.5 })];
};
const runs = [add('hello', 'def handler(event):\\n    return event[0]\\n', "(('works',),)")];
const slow = 'import time\\ndef handler(event):\\n    time.sleep(event[0])\\n    return event[0]\\n';
const nameOf = (status) => Object.keys(JOB_STATUS).find((name) => JOB_STATUS[name] === status);
setInterval(() => {
  if (runs.length === 1 && existsSync('/run/add-slow')) runs.push(add('slow', slow, '((10,),)'));
  const jobs = runs.map(([name, run]) => [name, broker.store.jobsOf(run).map(({ status, result }) => [nameOf(status), result])[0]]);
  writeFileSync('/run/broker.part', JSON.stringify(Object.fromEntries(jobs)));
  renameSync('/run/broker.part', '/run/broker.json');
}, 200);
`;

const CONFIG = `
broker-url = "http://127.0.0.1:8080"
ask-price = 0.05
cpu-slots = 2
images = ["localhost:5000/sharedcloud/*"]
min-free-disk = "0 B"
poll-interval = "500ms"
`;

/** A program that asks the socket that is for looking only, and prints the status of the answer. */
const ASK = `const [method, path] = process.argv.slice(1);
const at = { socketPath: "/run/sharedcloud-agent/read.sock", method, path };
require("node:http").request(at, ({ statusCode }) => console.log(statusCode)).end();`;

/** Waits for a pattern in what the broker tells, for five minutes of the machine’s. */
const until = (pattern: string): string =>
  `timeout 300 sh -c 'until grep -q "${pattern}" /run/broker.json; do sleep 0.2; done'`;

/**
 * The Debian package as the service that it is, from its installation to the end of its drain: steps of a virtual
 * machine that is given the package as `agent.deb`. The last three print what the broker has of both jobs.
 */
export const AGENT_STEPS = {
  install: `set -e
dpkg --force-unsafe-io -i /payload/agent.deb
echo '${TOKEN}' | install -m 600 /dev/stdin /etc/sharedcloud-agent/token
cat >>/etc/sharedcloud-agent/config.toml <<'CONFIG'${CONFIG}CONFIG
cat >/root/broker.mjs <<'BROKER'${BROKER}BROKER
# The machine is emulated, on cores that other tests use.
mkdir -p /etc/systemd/system/sharedcloud-agent.service.d
printf '[Service]\\nTimeoutStartSec=15min\\n' >/etc/systemd/system/sharedcloud-agent.service.d/slow.conf
systemctl daemon-reload
systemd-run --quiet --unit broker /usr/lib/sharedcloud-agent/bin/node /root/broker.mjs
timeout 300 sh -c 'until [ -e /run/broker.json ]; do sleep 0.2; done'`,
  job: `set -e
systemctl start sharedcloud-agent
${until('hello....SUCCEEDED')}
sharedcloud-agent health
cat /run/broker.json`,
  // A member of the service's group may control it, another user may not, and the other socket is for looking only.
  group: `set -e
ASK='${ASK}'
useradd -m member && usermod -aG sharedcloud-agent member && useradd -m stranger
su member -c 'sharedcloud-agent pause --for 2h --json' | tr -d ' \\n'; echo
su stranger -c 'sharedcloud-agent resume --json' 2>&1 | grep -o AGENT_OUT_OF_REACH
stat --format '%A %G' /run/sharedcloud-agent/read.sock
/usr/lib/sharedcloud-agent/bin/node -e "$ASK" GET /api/health
/usr/lib/sharedcloud-agent/bin/node -e "$ASK" POST /api/resume
systemctl restart sharedcloud-agent
timeout 300 sh -c 'until sharedcloud-agent health >/dev/null; do sleep 0.2; done'
su member -c 'sharedcloud-agent resume --json' | grep -o '"changed": true'`,
  reloadUnits: `set -e
touch /run/add-slow
timeout 300 sh -c 'until docker ps --quiet | grep -q .; do sleep 0.2; done'
systemctl daemon-reload
${until('slow....SUCCEEDED')}
cat /run/broker.json`,
  drain: `sharedcloud-agent drain
timeout 300 sh -c 'while systemctl is-active --quiet sharedcloud-agent; do sleep 0.2; done'
systemctl show --value -p Result -p ExecMainStatus sharedcloud-agent
docker ps --all --quiet
journalctl --no-pager -o cat -u sharedcloud-agent | grep -c '"level":"error"'`,
  log: `journalctl --no-pager -o cat -u sharedcloud-agent -u sharedcloud-agent-network | tail -n 40; systemctl --failed --no-legend`,
} as const;
