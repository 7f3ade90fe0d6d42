import { readableDuration } from '../lib/readable.ts';

/** A time of this host's time zone, to the minute or to the second. */
export function localTime(time: Date, to: 'minutes' | 'seconds' = 'minutes'): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = [time.getHours(), time.getMinutes(), ...(to === 'seconds' ? [time.getSeconds()] : [])];
  return `${day} ${clock.map(two).join(':')}`;
}

/** An instant as this host's clock shows it, with its day where that is not today, and how far away it is. Pure. */
export function untilText(at: number, now: number): string {
  const [day = '', clock = ''] = localTime(new Date(at)).split(' ');
  const isToday = localTime(new Date(now)).startsWith(day);
  return `${isToday ? clock : `${day} ${clock}`} (in ${readableDuration(Math.max(at - now, 0))})`;
}
