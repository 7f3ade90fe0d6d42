import { EmbeddedBroker, type EmbeddedBrokerOptions } from '../../../src/embedded/broker/embedded-broker.ts';
import { INSTANCE_TYPE } from '../../../src/embedded/broker/store/rows.ts';
import type { BrokerStore, NewRun } from '../../../src/embedded/broker/store/store.ts';

export const TOKEN = 'provider-token';
export const BUYER_TOKEN = 'buyer-token';

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown };

export type CallOptions = {
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

/** An embedded broker that listens, with an image and a function of each kind, and a way to call it over HTTP. */
export type Desk = {
  readonly broker: EmbeddedBroker;
  readonly store: BrokerStore;
  readonly url: string;
  readonly image: { readonly cpu: string; readonly gpu: string };
  readonly fn: { readonly cpu: string; readonly gpu: string };
  /** `path` begins behind `/api/v1`. A `token` of null sends none. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Adds a CPU run of one job at 0.5 unless the test says otherwise. */
  addRun(run?: Partial<NewRun>): { readonly run: string; readonly job: string };
  /** Adds a CPU instance that asks 0.1. */
  addInstance(askPrice?: number): string;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function openDesk(options: Partial<EmbeddedBrokerOptions> = {}): Promise<Desk> {
  const broker = new EmbeddedBroker({ token: TOKEN, buyerToken: BUYER_TOKEN, ...options });
  const url = await broker.listen();
  const { store } = broker;
  const image = {
    cpu: store.addImage({
      registryPath: 'sharedcloud/python36:latest',
      requiresGpu: false,
      runtime: 'python36',
    }),
    gpu: store.addImage({
      registryPath: 'sharedcloud/tensorflow-gpu-python36:1.2',
      requiresGpu: true,
      runtime: 'python36',
      description: 'TensorFlow',
    }),
  };
  const code = 'def handler(event):\n    return 42\n';
  const fn = {
    cpu: store.addFunction({ name: 'hello', code, image: image.cpu }),
    gpu: store.addFunction({ name: 'mnist', code, image: image.gpu }),
  };
  return {
    broker,
    store,
    url,
    image,
    fn,
    call: (method, path, callOptions = {}) => call(`${url}/api/v1${path}`, method, callOptions),
    addRun: (run = {}) => {
      const uuid = store.addRun({ function: fn.cpu, parameters: '((1,),)', bidPrice: 0.5, ...run });
      return { run: uuid, job: store.jobsOf(uuid)[0]?.uuid ?? '' };
    },
    addInstance: (askPrice = 0.1) =>
      store.addInstance({
        name: 'cpu',
        type: INSTANCE_TYPE.CPU,
        gpu: null,
        askPrice,
        maxNumParallelJobs: 1,
      }),
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

async function call(url: string, method: string, options: CallOptions): Promise<Answer> {
  const token = options.token === undefined ? TOKEN : options.token;
  const headers = new Headers(options.headers);
  if (token !== null) headers.set('authorization', `Token ${token}`);
  const init: RequestInit = { method, headers, redirect: 'manual' };
  if (options.json !== undefined) {
    headers.set('content-type', 'application/json');
    init.body = JSON.stringify(options.json);
  }
  if (options.form !== undefined) init.body = new URLSearchParams(options.form);
  if (options.signal !== undefined) init.signal = options.signal;
  const response = await fetch(url, init);
  const text = await response.text();
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, body };
}
