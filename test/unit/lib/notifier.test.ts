import { expect, test } from 'vitest';
import { Notifier } from '../../../src/lib/notifier.ts';

const never = new AbortController().signal;

test('wakes its waiter at the next notification, and at once for one since the last wait', async () => {
  const notifier = new Notifier();
  let waits = 0;
  const waiting = notifier.wait(never).then(() => (waits += 1));
  notifier.notify();
  await waiting;
  notifier.notify();
  notifier.notify();
  await notifier.wait(never);
  expect(waits).toBe(1);
  const end = new AbortController();
  const next = notifier.wait(end.signal).then(() => end.signal.aborted);
  end.abort();
  expect(await next).toBe(true);
});

test('calls every listener with the value of each notification', () => {
  const notifier = new Notifier<number>();
  const heard: string[] = [];
  notifier.subscribe((value) => void heard.push(`a${value}`));
  notifier.subscribe((value) => void heard.push(`b${value}`));
  notifier.notify(1);
  notifier.notify(2);
  expect(heard).toEqual(['a1', 'b1', 'a2', 'b2']);
});

test('aborts a signal at the next notification only', () => {
  const notifier = new Notifier();
  notifier.notify();
  const { next } = notifier;
  expect(next.aborted).toBe(false);
  expect(notifier.next).toBe(next);
  notifier.notify();
  expect(next.aborted).toBe(true);
  expect(notifier.next.aborted).toBe(false);
});
