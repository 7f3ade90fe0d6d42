import { z } from 'zod';

/** The engine's name of the jobs' network. */
export const NETWORK_NAME = 'sharedcloud-jobs';
/** Its bridge on this host. The rules match this name even while the bridge does not exist. */
export const BRIDGE_NAME = 'sharedcloud0';
/** The label whose value is the secret of the rule targets (rule-targets.ts). */
export const SECRET_LABEL = 'sharedcloud.network';

const SECRET = /^[0-9a-f]{32}$/;

/** What the rules and their verification need to know about the network. */
export type JobsNetwork = {
  /** Such as `172.18.0.0/24`. */
  readonly subnet: string;
  /** The bridge's own address. */
  readonly gateway: string;
  readonly secret: string;
};

/** The bridge's options in the engine's names. */
const OPTIONS = {
  'com.docker.network.bridge.name': BRIDGE_NAME,
  'com.docker.network.bridge.enable_icc': 'false',
  'com.docker.network.bridge.enable_ip_masquerade': 'true',
} as const;

/** The request that creates the network. Without a subnet, the engine picks one that no network or route uses. */
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

/** 24 bits of network leave 254 addresses. */
const SMALL_PREFIX = 24;

/**
 * The first /24 of a larger subnet; a smaller one as it is. Each address that a job tries in its own subnet takes one of
 * the 1024 entries of the kernel's neighbour table, and an engine gives a network up to 65,536 addresses.
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

/** A network's state. `network` is undefined if anything differs from the spec. */
export type NetworkState = {
  readonly network: JobsNetwork | undefined;
  readonly differences: readonly string[];
  /** How many containers are connected to it. */
  readonly containers: number;
};

/** Reads the engine's description of the network named NETWORK_NAME. */
export function readNetwork(inspected: unknown): NetworkState {
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
    // An unknown option may open what must stay closed.
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

/**
 * Options of the owner's `default-network-opts` that open nothing: the MTU, the interface's name in a container, and the
 * addresses on which this host publishes ports, which jobs have none of.
 */
const HARMLESS = [
  'com.docker.network.driver.mtu',
  'com.docker.network.container_iface_prefix',
  'com.docker.network.bridge.host_binding_ipv4',
  'com.docker.network.host_ipv4',
];

/** Options that an engine adds by itself or from its owner's defaults. */
function isHarmless(name: string, value: string): boolean {
  if (HARMLESS.includes(name)) return true;
  return (
    (name === 'com.docker.network.enable_ipv4' && value === 'true') ||
    // Of IPv4, `nat` is the default; the network has no IPv6.
    (name === 'com.docker.network.bridge.gateway_mode_ipv4' && value === 'nat') ||
    name === 'com.docker.network.bridge.gateway_mode_ipv6' ||
    (name === 'com.docker.network.enable_ipv6' && value === 'false')
  );
}

function valueAt(from: object, name: string): unknown {
  return Object.entries(from).find(([key]) => key === name)?.[1];
}

/** Engines omit the gateway until the bridge is up. It is then the first address. */
function gatewayOf(given: string | undefined, subnet: string | undefined): string | undefined {
  const written = given?.split('/', 1)[0];
  if (written !== undefined) return IPV4.safeParse(written).data;
  const base = subnet?.split('/', 1)[0];
  return base?.replace(/\d+$/, (last) => String(Number(last) + 1));
}
