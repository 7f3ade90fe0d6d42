import { randomBytes } from 'node:crypto';
import type { CatalogueGpu } from '../../domain/gpu.ts';
import type { Language } from '../../domain/language.ts';
import { DEFAULT_CATALOGUE } from '../../embedded/broker/catalogue-data.ts';
import type { EmbeddedBroker } from '../../embedded/broker/embedded-broker.ts';
import type { BrokerStore } from '../../embedded/broker/store/store.ts';
import type { Sample } from './samples.ts';

/** Larger than any real GPU, so that every host sees a run that is too large for it. */
export const IMAGINARY_GPU: CatalogueGpu = {
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
  readonly images: MarketImages;
  readonly url: string;
  /** The agent's token; no output shows it. */
  readonly token: string;
  /** A buyer's token, for `curl`. */
  readonly buyerToken: string;
  /** The uuid of each sample's run, by the sample's name. */
  readonly runs: ReadonlyMap<string, string>;
};

/** What an image of the market is, for an offer. */
export type ImageKind = 'wanted' | 'not-allowed' | 'other-kind' | 'unknown-runtime' | 'missing';

/** The images of the market, each added once it is needed. */
export class MarketImages {
  readonly #store: BrokerStore;
  readonly #images: Readonly<Partial<Record<Language, SampleImage>>>;
  readonly #offer: 'gpu' | 'cpu';
  readonly #made = new Map<string, string>();

  constructor(
    store: BrokerStore,
    images: Readonly<Partial<Record<Language, SampleImage>>>,
    offer: 'gpu' | 'cpu',
  ) {
    this.#store = store;
    this.#images = images;
    this.#offer = offer;
  }

  /** The uuid of an image for functions of a language. */
  for(language: Language, kind: ImageKind): string {
    const known = this.#images[language];
    if (known === undefined) throw new Error(`no image for ${language}`);
    const requiresGpu = (this.#offer === 'gpu') === (kind !== 'other-kind');
    const runtime = kind === 'unknown-runtime' ? 'r43' : known.runtime;
    const registryPath = OTHER_IMAGES[kind] ?? known.registryPath;
    const key = `${registryPath} ${requiresGpu} ${runtime}`;
    const uuid = this.#made.get(key) ?? this.#store.addImage({ registryPath, requiresGpu, runtime });
    this.#made.set(key, uuid);
    return uuid;
  }
}

/** No machine has it; allowed in a dry run that goes on. */
export const MISSING_IMAGE = 'sharedcloud/pytorch310:latest';

const OTHER_IMAGES: Readonly<Partial<Record<ImageKind, string>>> = {
  'not-allowed': 'stranger/miner:latest',
  missing: MISSING_IMAGE,
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
  const marketImages = new MarketImages(store, images, offer);
  for (const { bid, biggerGpu, code, image, language, name, parameters } of samples) {
    const fn = store.addFunction({ name, code, image: marketImages.for(language, image) });
    const baseGpu = biggerGpu ? IMAGINARY_GPU.uuid : null;
    runs.set(name, store.addRun({ function: fn, parameters, bidPrice: bid, baseGpu }));
  }
  return { broker, images: marketImages, token, buyerToken, runs, url: await broker.listen() };
}

function newToken(): string {
  return `dry-run-${randomBytes(12).toString('hex')}`;
}
