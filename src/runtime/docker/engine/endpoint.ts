import { AgentError } from '../../../domain/errors.ts';
import { currentContext, DEFAULT_CONTEXT, readContext } from './context.ts';
import { type EngineTls, readEngineTls } from './tls.ts';

/** Where the engine is, how it is spoken to, and where both come from. */
export type EngineEndpoint = {
  /** `unix:///path` or `tcp://host:port`. */
  readonly host: string;
  readonly tls: EngineTls | undefined;
  /** For people; undefined: nothing is set, so that it is the default. */
  readonly origin: string | undefined;
};

/** A setting, and where it was set: a flag counts more than the environment, and that more than the file. */
type Setting<T> = {
  readonly value: T;
  readonly source: { readonly kind: 'flag' | 'env' | 'file' | 'default' | 'unset'; readonly name: string };
};

/** What decides where the engine is. */
export type EndpointSettings = {
  readonly host: Setting<string>;
  readonly context: Setting<string | undefined>;
  /** The directory of `config.json` and contexts; undefined: none. */
  readonly configDirectory: string | undefined;
  readonly tlsVerify: boolean;
  /** The directory of the certificates; undefined: not set. */
  readonly certPath: string | undefined;
};

const RANK = { flag: 3, env: 2, file: 1, default: 0, unset: 0 } as const;

/**
 * Where the engine is, as the docker command decides it: the host that was named, the context that was named, the current
 * context, or the default. Throws CONFIG_INVALID.
 */
export function engineEndpoint(settings: EndpointSettings): EngineEndpoint {
  const { configDirectory, context, host } = settings;
  const [named, pointed] = [RANK[host.source.kind], RANK[context.source.kind]];
  if (named === pointed && named > 0 && named !== RANK.env) {
    throw new AgentError('CONFIG_INVALID', 'both --docker-host and --docker-context are set', {
      hint: 'set only one of them',
    });
  }
  if (named > 0 && named >= pointed) return atHost(settings, host.source.name);
  const current =
    context.value ?? (configDirectory === undefined ? undefined : currentContext(configDirectory));
  if (current === undefined || current === DEFAULT_CONTEXT) return atHost(settings, undefined);
  if (configDirectory === undefined) {
    throw new AgentError('CONFIG_INVALID', 'this user has no home directory with Docker contexts', {
      hint: 'set --docker-config to the directory that has them, or --docker-host',
    });
  }
  const from =
    context.value === undefined ? `current in ${configDirectory}/config.json` : context.source.name;
  const origin = `Docker context ${JSON.stringify(current)}, ${from}`;
  return { ...readContext(configDirectory, current), origin };
}

/** The engine at `--docker-host`, over TLS if the owner asks for it. */
function atHost(
  { certPath, configDirectory, host, tlsVerify }: EndpointSettings,
  origin: string | undefined,
): EngineEndpoint {
  const { value } = host;
  if (!value.startsWith('tcp://') || (!tlsVerify && certPath === undefined))
    return { host: value, tls: undefined, origin };
  const directory = certPath ?? configDirectory;
  const tls = directory === undefined ? undefined : readEngineTls(directory, true);
  if (tls === undefined && certPath !== undefined) {
    throw new AgentError(
      'CONFIG_INVALID',
      `no TLS connection to Docker: ${certPath} has no ca.pem, cert.pem and key.pem`,
      { hint: 'set --docker-cert-path to the directory that has them' },
    );
  }
  return { host: value, tls: tls ?? { ca: undefined, client: undefined, verify: true }, origin };
}
