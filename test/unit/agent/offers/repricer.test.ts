import { describe, expect, test } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { Repricer } from '../../../../src/agent/offers/repricer.ts';
import type { Offer } from '../../../../src/domain/offer.ts';

const OFFER: Offer = {
  key: 'cpu',
  kind: 'cpu',
  name: 'CPU',
  gpu: null,
  cudaCores: 0,
  wholeGpu: false,
  askPrice: 0.1,
  slots: [],
  instance: 'i',
};

/** An offer, and a broker that answers when the test says so. */
function market() {
  const events: AgentEvent[] = [];
  const sent: number[] = [];
  const answers: PromiseWithResolvers<void>[] = [];
  const stand = {
    offer: OFFER,
    ask(askPrice: number): void {
      stand.offer = { ...stand.offer, askPrice };
    },
    resize(parallelJobs: number): void {
      stand.offer = { ...stand.offer, parallelJobs };
    },
  };
  const asks = new Repricer((event) => void events.push(event));
  const tell = async (): Promise<Offer> => {
    const offer = asks.now(stand.offer);
    const answer = Promise.withResolvers<void>();
    answers.push(answer);
    await answer.promise;
    sent.push(offer.askPrice);
    return offer;
  };
  const want = (askPrice: number): Promise<boolean> => {
    asks.setPrices([{ ...OFFER, askPrice }]);
    return asks.apply(stand, tell);
  };
  return { asks, stand, want, answers, sent, events };
}

describe('a new ask', () => {
  test('that is higher counts at once, before the broker knows', async () => {
    const { answers, events, stand, sent, want } = market();
    const done = want(0.3);
    expect(stand.offer.askPrice).toBe(0.3);
    answers[0]?.resolve();
    await done;
    expect(sent).toEqual([0.3]);
    expect(events).toMatchObject([{ kind: 'offer-price-updated', before: 0.1, offer: { askPrice: 0.3 } }]);
  });

  test('that is lower counts when the broker knows: it would deny claims below its own', async () => {
    const { answers, stand, want } = market();
    const done = want(0.05);
    expect(stand.offer.askPrice).toBe(0.1);
    answers[0]?.resolve();
    await done;
    expect(stand.offer.askPrice).toBe(0.05);
  });

  test('that comes while another is being sent wins, and is sent last', async () => {
    const { answers, stand, sent, want } = market();
    const first = want(0.3);
    const second = want(0.05);
    await second;
    expect(stand.offer.askPrice).toBe(0.3);
    answers[0]?.resolve();
    await expect.poll(() => answers.length).toBe(2);
    answers[1]?.resolve();
    await first;
    expect(sent).toEqual([0.3, 0.05]);
    expect(stand.offer.askPrice).toBe(0.05);
  });

  test('for an instance that the broker does not know waits for its registration', async () => {
    const { asks, stand } = market();
    asks.setPrices([{ ...OFFER, askPrice: 0.05 }]);
    expect(await asks.apply(stand, async () => undefined)).toBe(false);
    expect(stand.offer.askPrice).toBe(0.1);
    asks.written(asks.now(stand.offer), stand);
    expect(stand.offer.askPrice).toBe(0.05);
  });

  test('that is the old one is no news', async () => {
    const { answers, events, want } = market();
    await want(0.1);
    expect(answers).toEqual([]);
    expect(events).toEqual([]);
  });

  test('goes into the plans of offers that are not up yet', () => {
    const { asks } = market();
    expect(asks.now(OFFER).askPrice).toBe(0.1);
    asks.setPrices([{ ...OFFER, askPrice: 0.2 }]);
    expect(asks.now(OFFER).askPrice).toBe(0.2);
  });
});
