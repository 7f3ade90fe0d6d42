import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Connection } from '../../domain/connection.ts';
import { AgentError } from '../../domain/errors.ts';
import { foreignAccessTo, ownUid } from '../../lib/foreign-access.ts';
import { LIMITS } from '../../limits.ts';
import { dayOf, lineOf, type Segment, segmentName, segmentOf } from './format.ts';
import { type Mark, markLine } from './marks.ts';

/** How long connections are kept, and how many bytes of them at most. */
export const KEPT_DAYS = 30;
const SEGMENT_BYTES = 16 * 1024 ** 2;
const DAY_MS = 86_400_000;
/** The owner's group may read what root writes; nobody else. */
const DIRECTORY_MODE = 0o750;
const FILE_MODE = 0o640;
/** To append and to read; never through a link, which could name any file of this host. */
const FILE_FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

export type TrafficLogLimits = { readonly maxBytes: number; readonly segmentBytes: number };

/**
 * Writes connections to the segments of a directory, and deletes the oldest segments that are too old or too many. One
 * process at a time. Methods throw the file system's errors.
 */
export class TrafficLogWriter implements Disposable {
  readonly #directory: string;
  readonly #limits: TrafficLogLimits;
  #open: { readonly segment: Segment; readonly file: number; bytes: number } | undefined;

  /** Throws TRAFFIC_LOG_UNAVAILABLE for a directory that others than this user could change. */
  constructor(
    directory: string,
    limits: TrafficLogLimits = { maxBytes: LIMITS.job.trafficLog.max, segmentBytes: SEGMENT_BYTES },
  ) {
    this.#directory = directory;
    this.#limits = limits;
    mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
    refuseForeign(directory);
  }

  /** Writes connections in the order in which they are given. */
  write(connections: readonly Connection[]): void {
    for (const [day, lines] of byDay(connections)) {
      const text = Buffer.from(lines.join(''));
      const segment = this.#segmentFor(day);
      for (let at = 0; at < text.length; ) at += writeSync(segment.file, text, at);
      segment.bytes += text.length;
    }
  }

  /** Writes a mark: whether the log is being written. */
  mark(mark: Mark): void {
    const text = Buffer.from(markLine(mark));
    const segment = this.#segmentFor(dayOf(mark.at));
    segment.bytes += writeSync(segment.file, text);
  }

  /** Deletes segments older than KEPT_DAYS at the time `now`, and the oldest while all are too large. */
  prune(now: number): void {
    const oldest = dayOf(now - KEPT_DAYS * DAY_MS);
    const kept = segmentsIn(this.#directory).filter(({ day, name }) => {
      if (day >= oldest || name === this.#open?.segment.name) return true;
      this.#delete(name);
      return false;
    });
    const sizes = kept.map(({ name }) => statSync(join(this.#directory, name)).size);
    let total = sizes.reduce((sum, size) => sum + size, 0);
    for (const [index, { name }] of kept.entries()) {
      if (total <= this.#limits.maxBytes || name === this.#open?.segment.name) return;
      this.#delete(name);
      total -= sizes[index] ?? 0;
    }
  }

  [Symbol.dispose](): void {
    if (this.#open !== undefined) closeSync(this.#open.file);
    this.#open = undefined;
  }

  #delete(name: string): void {
    rmSync(join(this.#directory, name), { force: true });
  }

  #segmentFor(day: string): { readonly file: number; bytes: number } {
    const open = this.#open;
    if (open?.segment.day === day && open.bytes < this.#limits.segmentBytes) return open;
    this[Symbol.dispose]();
    const last = segmentsIn(this.#directory).findLast((segment) => segment.day === day);
    const isFull =
      last !== undefined && statSync(join(this.#directory, last.name)).size >= this.#limits.segmentBytes;
    const part = (last?.part ?? 1) + (isFull ? 1 : 0);
    const name = segmentName(day, part);
    const file = openSync(join(this.#directory, name), FILE_FLAGS, FILE_MODE);
    this.#open = { segment: { name, day, part }, file, bytes: endLine(file) };
    return this.#open;
  }
}

/** A user who can change the directory could have root write to files of others, and delete them. */
function refuseForeign(directory: string): void {
  const foreign = foreignAccessTo(directory, ownUid());
  if (foreign === undefined) return;
  throw new AgentError('TRAFFIC_LOG_UNAVAILABLE', `the directory ${directory} ${foreign.why}`, {
    hint: `${foreign.hint}, or name another --job-traffic-log-dir`,
  });
}

/** The segments in a directory, oldest first. Throws if it cannot be read. */
export function segmentsIn(directory: string): readonly Segment[] {
  return readdirSync(directory)
    .map(segmentOf)
    .filter((segment) => segment !== undefined)
    .toSorted((a, b) => (a.day === b.day ? a.part - b.part : a.day < b.day ? -1 : 1));
}

/** Ends a line that a crash has cut. Answers the file's size. */
function endLine(file: number): number {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  if (size === 0 || (readSync(file, last, 0, 1, size - 1) === 1 && last[0] === 10)) return size;
  return size + writeSync(file, '\n');
}

function byDay(connections: readonly Connection[]): ReadonlyMap<string, string[]> {
  const days = new Map<string, string[]>();
  for (const connection of connections) {
    const day = dayOf(connection.at);
    const lines = days.get(day) ?? [];
    lines.push(lineOf(connection));
    days.set(day, lines);
  }
  return days;
}
