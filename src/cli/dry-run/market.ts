import { randomBytes } from 'node:crypto';
import type { CatalogueGpu } from '../../domain/gpu.ts';
import type { Language } from '../../domain/language.ts';
import { DEFAULT_CATALOGUE } from '../../embedded/broker/catalogue-data.ts';
import type { EmbeddedBroker } from '../../embedded/broker/embedded-broker.ts';
import type { Sample } from './samples.ts';

/** Larger than any real GPU, so that every host sees a run that is too large for it. */
const IMAGINARY_GPU: CatalogueGpu = {
  uuid: '00000000-0000-4000-8000-000000000001',
  name: 'Nvidia Imaginary 1000GB',
  codename: 'imaginary',
  cudaCores: 1_000_000,
};

/** The image of one language's samples. */
export type SampleImage = { readonly registryPath: string; readonly runtime: string };

/** The market of the dry run, on a real HTTP server. */
export type DryRunMarket = {
  readonly broker: EmbeddedBroker;
  readonly url: string;
  /** The agent's token; no output shows it. */
  readonly token: string;
  /** A buyer's token, for `curl`. */
  readonly buyerToken: string;
  /** The uuid of each sample's run, by the sample's name. */
  readonly runs: ReadonlyMap<string, string>;
};

/** Starts a broker on a free port of this machine, with a run for each sample. */
export async function openMarket(
  samples: readonly Sample[],
  images: Readonly<Partial<Record<Language, SampleImage>>>,
  offer: 'gpu' | 'cpu',
): Promise<DryRunMarket> {
  const [token, buyerToken] = [newToken(), newToken()];
  const catalogue = [...DEFAULT_CATALOGUE, IMAGINARY_GPU];
  // Loaded on demand, because the agent itself never needs the web server.
  const { EmbeddedBroker } = await import('../../embedded/broker/embedded-broker.ts');
  const broker = new EmbeddedBroker({
    token,
    buyerToken,
    leaseSeconds: 30,
    leaveOutUnwinnable: false,
    catalogue,
  });
  const { store } = broker;
  const runs = new Map<string, string>();
  const made = new Map<string, string>();
  const imageFor = (sample: Sample): string => {
    const known = images[sample.language];
    if (known === undefined) throw new Error(`no image for ${sample.language}`);
    const allowed = sample.image !== 'not-allowed';
    const registryPath = allowed ? known.registryPath : 'stranger/miner:latest';
    const requiresGpu = (offer === 'gpu') === (sample.image !== 'other-kind');
    const key = `${registryPath} ${requiresGpu}`;
    const uuid = made.get(key) ?? store.addImage({ registryPath, requiresGpu, runtime: known.runtime });
    made.set(key, uuid);
    return uuid;
  };
  for (const sample of samples) {
    const { bid, biggerGpu, code, name, parameters } = sample;
    const fn = store.addFunction({ name, code, image: imageFor(sample) });
    const baseGpu = biggerGpu ? IMAGINARY_GPU.uuid : null;
    runs.set(name, store.addRun({ function: fn, parameters, bidPrice: bid, baseGpu }));
  }
  return { broker, token, buyerToken, runs, url: await broker.listen() };
}

function newToken(): string {
  return `dry-run-${randomBytes(12).toString('hex')}`;
}
