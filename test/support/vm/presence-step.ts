/** Prints what the sources of presence answer, in this process's sandbox: the arguments are a container and its process. */
const PROBE = `
const dist = '/usr/lib/sharedcloud-agent/dist/host/';
const { Logind } = await import(dist + 'logind.js');
const { CgroupOwners } = await import(dist + 'process-owners.js');
const [container, pid] = process.argv.slice(2);
const owners = new CgroupOwners();
const ownerOf = owners.among([container]);
const sessions = await new Logind().read(AbortSignal.timeout(30000)).catch(({ message }) => message);
console.log(JSON.stringify({
  areIdsShared: owners.areIdsShared,
  owners: [ownerOf(Number(pid)), ownerOf(1)],
  sessions: Array.isArray(sessions) ? 'read' : sessions ?? 'none',
}));`;

/**
 * Runs that in the sandbox of the installed service, with a container of Docker beside it: a step of a virtual machine
 * after the package's installation.
 */
export const PRESENCE_STEP = `set -e
cat >/usr/lib/sharedcloud-agent/probe.mjs <<'PROBE'${PROBE}
PROBE
id=$(docker run -d localhost:5000/sharedcloud/busybox sleep 600)
pid=$(docker inspect --format '{{.State.Pid}}' "$id")
run="/usr/lib/sharedcloud-agent/bin/node /usr/lib/sharedcloud-agent/probe.mjs $id $pid"
sed -E "s|^ExecStart=.*|ExecStart=$run|; s/^Type=.*/Type=oneshot/; /^(Restart|WatchdogSec|ExecReload|LoadCredential|Wants|After)/d" \\
  /usr/lib/systemd/system/sharedcloud-agent.service >/run/systemd/system/presence-probe.service
systemctl start presence-probe
journalctl --sync; journalctl -u presence-probe -o cat | grep areIdsShared
docker rm -f "$id" >/dev/null
rm /usr/lib/sharedcloud-agent/probe.mjs`;
