import { z } from 'zod';

/** The jobs' network, by its name at the engine. */
export const NETWORK_NAME = 'sharedcloud-jobs';
/** Its bridge on this host; the rules go by this name, whatever becomes of the bridge. */
export const BRIDGE_NAME = 'sharedcloud0';
/** Marks the network as ours; the value seeds the ruleTargets, see beacon.ts. */
export const SECRET_LABEL = 'sharedcloud.network';

const SECRET = /^[0-9a-f]{32}$/;

/** What the rules and the proof need to know of the network. */
export type JobsNetwork = {
  /** Such as `172.18.0.0/24`. */
  readonly subnet: string;
  /** The bridge's own address. */
  readonly gateway: string;
  readonly secret: string;
};

/** Options of the bridge, by the engine's names. */
const OPTIONS = {
  'com.docker.network.bridge.name': BRIDGE_NAME,
  'com.docker.network.bridge.enable_icc': 'false',
  'com.docker.network.bridge.enable_ip_masquerade': 'true',
} as const;

/**
 * What the engine is asked to make. Without a subnet it picks one itself, which none of its networks and no route of
 * this host uses.
 */
export function networkSpec(secret: string, subnet?: string) {
  return {
    Name: NETWORK_NAME,
    CheckDuplicate: true,
    Driver: 'bridge',
    Internal: false,
    Attachable: false,
    Ingress: false,
    EnableIPv6: false,
    Options: OPTIONS,
    Labels: { [SECRET_LABEL]: secret },
    ...(subnet !== undefined && { IPAM: { Config: [{ Subnet: subnet }] } }),
  } as const;
}

/** As many bits of a subnet name the network; the others, the 254 addresses in it. */
const SMALL_PREFIX = 24;

/**
 * The first part of a subnet, as large as the jobs' network has to be; a smaller one as it is. Each address that a job
 * tries in its own subnet takes a place in the one table of neighbours that the kernel has for all, 1024 places, and an
 * engine gives a network 65,536 addresses.
 */
export function smallSubnet(subnet: string): string {
  const [base = '', prefix = ''] = subnet.split('/');
  return Number(prefix) >= SMALL_PREFIX ? subnet : `${base}/${SMALL_PREFIX}`;
}

const IPV4 = z.ipv4();
const SUBNET = z.cidrv4();

const NETWORK = z.object({
  Name: z.string(),
  Scope: z.string(),
  Driver: z.string(),
  Internal: z.boolean(),
  Attachable: z.boolean(),
  Ingress: z.boolean(),
  EnableIPv6: z.boolean(),
  IPAM: z.object({
    Config: z.array(z.object({ Subnet: z.string(), Gateway: z.string().optional() })).nullish(),
  }),
  Options: z.record(z.string(), z.string()).nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
  Containers: z.record(z.string(), z.unknown()).nullish(),
});

/** A network as it is, and in what it differs from what it has to be; `network` only where nothing differs. */
export type NetworkLook = {
  readonly network: JobsNetwork | undefined;
  readonly differences: readonly string[];
  /** How many containers run on it. */
  readonly containers: number;
};

/** Takes apart the engine's description of the network named NETWORK_NAME. */
export function readNetwork(inspected: unknown): NetworkLook {
  const made = NETWORK.parse(inspected);
  const { CheckDuplicate: _, Labels: _labels, Options: wantedOptions, ...wanted } = networkSpec('');
  const options = made.Options ?? {};
  const [config, ...more] = made.IPAM.Config ?? [];
  const subnet = config === undefined ? undefined : SUBNET.safeParse(config.Subnet).data;
  const gateway = gatewayOf(config?.Gateway, subnet);
  const secret = made.Labels?.[SECRET_LABEL] ?? '';
  const differences = [
    ...Object.entries(wanted).flatMap(([field, value]) => (valueAt(made, field) === value ? [] : [field])),
    ...(made.Scope === 'local' ? [] : ['Scope']),
    ...Object.entries(wantedOptions).flatMap(([name, value]) => (options[name] === value ? [] : [name])),
    // An option that we do not know may open what is closed.
    ...Object.entries(options).flatMap(([name, value]) =>
      Object.hasOwn(wantedOptions, name) || isHarmless(name, value) ? [] : [name],
    ),
    ...(subnet !== undefined && gateway !== undefined && more.length === 0 ? [] : ['IPAM']),
    ...(SECRET.test(secret) ? [] : [`label ${SECRET_LABEL}`]),
  ];
  const network =
    differences.length > 0 || subnet === undefined || gateway === undefined
      ? undefined
      : { subnet, gateway, secret };
  return { network, differences, containers: Object.keys(made.Containers ?? {}).length };
}

/** What an engine adds of itself, or by its owner's defaults for all networks. */
function isHarmless(name: string, value: string): boolean {
  if (name === 'com.docker.network.driver.mtu') return true;
  return (
    (name === 'com.docker.network.enable_ipv4' && value === 'true') ||
    (name === 'com.docker.network.enable_ipv6' && value === 'false')
  );
}

function valueAt(from: object, name: string): unknown {
  return Object.entries(from).find(([key]) => key === name)?.[1];
}

/** Engines leave the gateway out until the bridge is up; then it is the first address. */
function gatewayOf(given: string | undefined, subnet: string | undefined): string | undefined {
  const written = given?.split('/', 1)[0];
  if (written !== undefined) return IPV4.safeParse(written).data;
  const base = subnet?.split('/', 1)[0];
  return base?.replace(/\d+$/, (last) => String(Number(last) + 1));
}
