import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openDesk, TOKEN } from '../../support/broker/desk.ts';
import { type Fault, faults, HttpProxy } from '../../support/faults/http-proxy.ts';

/** Claims a job through a front that does `fault` to the first claim; answers what the client saw and what is. */
async function claimThrough(fault: Fault | undefined) {
  await using desk = await openDesk();
  await using front = await HttpProxy.open(desk.url, ({ method, count }) =>
    method === 'PATCH' && count === 1 ? fault : undefined,
  );
  const url = front.url;
  const { job } = desk.addRun();
  const instance = desk.addInstance();
  const claim = async (): Promise<string> => {
    try {
      const response = await fetch(`${url}/api/v1/jobs/${job}/`, {
        method: 'PATCH',
        headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ status: JOB_STATUS.IN_PROGRESS, instance }),
        redirect: 'manual',
      });
      const text = await response.text();
      return `${response.status} ${isJson(text) ? 'json' : 'other'}`;
    } catch {
      return 'failed';
    }
  };
  const saw = await claim();
  const took = desk.store.job(job)?.status === JOB_STATUS.IN_PROGRESS;
  return { saw, took, again: await claim() };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.each<[string, Fault | undefined, string, boolean]>([
  ['passes on', undefined, '200 json', true],
  ['answers 500', faults.serverError, '500 json', false],
  ['answers 429', faults.tooMany(3), '429 json', false],
  ['answers 401', faults.unauthorized, '401 json', false],
  ['answers HTML', faults.html, '200 other', false],
  ['redirects away', faults.redirect('http://127.0.0.1:9/'), '302 other', false],
  ['answers 500 after the effect', faults.answerAfter(500), '500 other', true],
  ['truncates', faults.truncate, '200 other', true],
  ['cuts midway', faults.cutMidway, 'failed', true],
  ['cuts before the effect', faults.cutBefore, 'failed', false],
  ['cuts after the effect', faults.cutAfter, 'failed', true],
  ['delays', faults.delay(1), '200 json', true],
])(
  'a front that %s: the client sees it, and a repeated claim comes through',
  async (_name, fault, saw, took) => {
    expect(await claimThrough(fault)).toEqual({ saw, took, again: '200 json' });
  },
);

test('a front that hangs lets go when it is closed', async () => {
  await using desk = await openDesk();
  const front = await HttpProxy.open(desk.url, () => faults.hang);
  const answer = fetch(`${front.url}/api/v1/runs`).then(
    () => 'answered',
    () => 'cut',
  );
  await expect.poll(() => front.calls.length).toBe(1);
  await front[Symbol.asyncDispose]();
  expect(await answer).toBe('cut');
});
