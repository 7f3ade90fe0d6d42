import { existsSync } from 'node:fs';
import type { Agent } from '../agent/agent.ts';
import type { Loaded, Source } from '../config/config.ts';
import { describeTables } from '../config/describe.ts';
import { OPTION_KEYS, optionOf } from '../config/options.ts';
import { isReloaded } from '../config/reload.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Route, route } from '../control-api/route.ts';
import type { Clock } from '../domain/ports/clock.ts';
import type { AcceptableRisk, Risk } from '../domain/vulnerabilities.ts';
import { sharedFor } from '../lib/cached.ts';
import { readableBytes } from '../lib/readable.ts';

/** Host and engine are asked again after so long. */
const FACTS_TTL_MS = 60_000;
const FACTS_MS = 5_000;

/** The versions of what jobs run in; undefined: not known. */
export type EngineVersions = {
  readonly product: string;
  readonly version: string | undefined;
  readonly runc: string | undefined;
  readonly toolkit: string | undefined;
};

export type SettingsParts = {
  readonly agent: { readonly overview: Pick<Agent['overview'], 'driver'> };
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly version: string;
  readonly settings: {
    /** What the agent works with now. */
    readonly loaded: () => Loaded;
    /** Takes secrets out of a text. */
    readonly redact: (text: string) => string;
    /** Throws where the engine does not answer. */
    readonly engine: (signal: AbortSignal) => Promise<EngineVersions>;
    readonly risks: () => readonly Risk[];
  };
};

/** What the owner has set, and what the agent runs on. */
export function settingsRoutes({ agent, clock, settings, version }: SettingsParts): readonly Route[] {
  const { engine, loaded, redact, risks } = settings;
  const host = sharedFor(
    FACTS_TTL_MS,
    () => clock.monotonic(),
    () => readHost(engine),
  );
  return [
    route(ENDPOINTS.configuration, async () => configurationOf(loaded(), redact)),
    route(ENDPOINTS.versions, async () => {
      const facts = await host();
      const own = [
        { what: 'sharedcloud-agent', version },
        { what: 'Node.js', version: process.versions.node },
      ];
      const driver = { what: 'Nvidia driver', version: agent.overview.driver ?? null };
      const accepted = loaded().config.acceptRisk;
      return {
        versions: [...own, ...facts.versions, driver],
        host: facts.host,
        vulnerabilities: risks().map((risk) => ({
          id: [...risk.what.matchAll(/CVE-\d+-\d+/g)].join(', ') || risk.component,
          what: risk.what,
          accepted: isAccepted(risk, accepted),
          hint: risk.hint,
        })),
      };
    }),
  ];
}

type HostAnswer = {
  readonly versions: readonly { readonly what: string; readonly version: string | null }[];
  readonly host: readonly { readonly what: string; readonly value: string | null }[];
};

/** Never throws: what does not answer in time is not known. */
async function readHost(engine: SettingsParts['settings']['engine']): Promise<HostAnswer> {
  // Loaded when somebody asks, because most owners look seldom.
  const { hostFacts } = await import('../host/host-facts.ts');
  const [facts, found] = await Promise.all([
    hostFacts(FACTS_MS),
    engine(AbortSignal.timeout(FACTS_MS)).catch(() => undefined),
  ]);
  const { cpu, memory, os, virtualization } = facts;
  return {
    versions: [
      { what: found?.product ?? 'Docker', version: found?.version ?? null },
      { what: 'runc', version: found?.runc ?? null },
      { what: 'Nvidia container toolkit', version: found?.toolkit ?? null },
    ],
    host: [
      { what: 'Operating system', value: os ?? null },
      { what: 'Processor', value: cpu === undefined ? null : `${cpu.model}, ${cpu.cores} cores` },
      { what: 'Memory', value: memory === undefined ? null : readableBytes(memory.totalBytes) },
      { what: 'Virtualization', value: virtualization ?? null },
    ],
  };
}

/** Risks that are not accepted stop GPUs from being offered, but for those that only warn. Pure. */
export function isAccepted({ component, severity }: Risk, accepted: readonly AcceptableRisk[]): boolean {
  if (component === 'seccomp') return true;
  return severity === 'warn' && accepted.some((name) => name === component);
}

/** Every option, and the tables of the file. Secrets are left out. Pure but for whether the file exists. */
export function configurationOf(loaded: Loaded, redact: (text: string) => string) {
  const { config, sources } = loaded;
  const options = OPTION_KEYS.map((key) => {
    const { group, help, name, secret, type } = optionOf(key);
    const value: unknown = config[key];
    const text = value === undefined || secret ? '' : redact(type.show(value));
    return {
      option: name,
      group,
      value: text === '' ? null : text,
      source: sourceOf(sources[key]),
      secret: secret ?? false,
      reloads: isReloaded(key),
      help,
    };
  });
  const tables = describeTables(config).map(({ group, help, option, reloads, value }) => ({
    option,
    group,
    value: redact(value),
    source: config.configFile,
    secret: false,
    reloads,
    help,
  }));
  return { file: existsSync(config.configFile) ? config.configFile : null, options: [...options, ...tables] };
}

function sourceOf({ kind, name }: Source): string {
  return kind === 'default' || kind === 'unset' ? 'default' : name;
}
