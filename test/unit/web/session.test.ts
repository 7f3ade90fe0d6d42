import { expect, test } from 'vitest';
import { apiErrorOf, asApiError, unanswered } from '../../../src/web/api-error.ts';
import { formatsOf } from '../../../src/web/format.ts';
import { lastingChoices, typedEnd } from '../../../src/web/lasting.ts';
import { routeOf } from '../../../src/web/routes.ts';
import { type Keeps, linkIn, Sessions } from '../../../src/web/session.ts';

function storage(text: string | null = null): Keeps & { text: string | null } {
  return {
    text,
    getItem() {
      return this.text;
    },
    setItem(_name, value) {
      this.text = value;
    },
    removeItem() {
      this.text = null;
    },
  };
}

test('a session outlives the page, until it is forgotten', () => {
  const keeps = storage();
  new Sessions(keeps).keep({ key: 'k', rights: ['read'] });
  const later = new Sessions(keeps);
  expect(later.now).toEqual({ key: 'k', rights: ['read'] });
  later.forget();
  expect(new Sessions(keeps).now).toBeUndefined();
});

test.each([null, 'no JSON', '{}', '{"key":1,"rights":[]}', '[]'])(
  '%j in the storage is no session',
  (text) => {
    expect(new Sessions(storage(text)).now).toBeUndefined();
  },
);

test('a browser that keeps nothing has a session until the page is closed', () => {
  const refuse = (): never => {
    throw new Error('storage is switched off');
  };
  const sessions = new Sessions({ getItem: refuse, setItem: refuse, removeItem: refuse });
  sessions.keep({ key: 'k', rights: [] });
  expect(sessions.now?.key).toBe('k');
});

test.each([
  ['#link=abc-_9', 'abc-_9'],
  ['#link=', undefined],
  ['#link=a b', undefined],
  ['#/jobs', undefined],
])('the link in %j', (hash, link) => {
  expect(linkIn(hash)).toBe(link);
});

test.each([
  ['', { view: 'now' }],
  ['#/', { view: 'now' }],
  ['#/jobs?state=running', { view: 'jobs' }],
  ['#/jobs/531d%2f', { view: 'job', id: '531d/' }],
  ['#/jobs/%zz', { view: 'job', id: '%zz' }],
  ['#/nothing', { view: 'none' }],
])('the view of %j', (hash, route) => {
  expect(routeOf(hash)).toEqual(route);
});

test('a refusal is shown in the agent’s words', () => {
  const body = { error: { code: 'SESSION_REQUIRED', message: 'sign in', hint: null }, password: true };
  const error = apiErrorOf(401, body);
  expect(error).toMatchObject({ code: 'SESSION_REQUIRED', message: 'sign in', hint: undefined });
  expect([error.isSignedOut, error.isUnanswered, error.takesPassword]).toEqual([true, false, true]);
});

test.each([undefined, null, 'text', {}, { error: 5 }])(
  'an answer of %j is a failure all the same',
  (body) => {
    expect(apiErrorOf(502, body).code).toBe('HTTP_502');
  },
);

test('whatever is thrown can be shown', () => {
  expect(unanswered().isUnanswered).toBe(true);
  expect(asApiError(new Error('x'))).toMatchObject({ code: 'INTERNAL', message: 'x' });
  expect(asApiError('y').message).toBe('y');
});

test.each([
  ['2026-11-27T12:00:00', 22, 27],
  ['2026-11-27T21:45:00', 8, 28],
])('at %s the evening or the morning is an end', (local, hour, day) => {
  const now = new Date(local).toISOString();
  const until = lastingChoices(now, formatsOf(['en-US']))[2]?.lasting.until ?? '';
  expect([new Date(until).getHours(), new Date(until).getDate()]).toEqual([hour, day]);
});

test('an end that was typed is an instant, and half of one is none', () => {
  expect(typedEnd('2026-11-27T18:00')).toBe(new Date('2026-11-27T18:00').toISOString());
  expect(typedEnd('')).toBeUndefined();
});
