/** The part of a session that the page keeps; the browser keeps the other one, a cookie. */
export type Session = {
  readonly key: string;
  readonly rights: readonly string[];
};

/** What keeps texts, such as the browser's localStorage. */
export type Keeps = Pick<Storage, 'getItem' | 'removeItem' | 'setItem'>;

type Storage = {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
};

const NAME = 'sharedcloud-session';

/** The session of this browser with this agent. A browser that keeps nothing has one until the page is closed. */
export class Sessions {
  readonly #keeps: Keeps;
  #now: Session | undefined;

  constructor(keeps: Keeps) {
    this.#keeps = keeps;
    this.#now = this.#read();
  }

  get now(): Session | undefined {
    return this.#now;
  }

  keep(session: Session): void {
    this.#now = session;
    this.#quietly(() => this.#keeps.setItem(NAME, JSON.stringify(session)));
  }

  forget(): void {
    this.#now = undefined;
    this.#quietly(() => this.#keeps.removeItem(NAME));
  }

  #read(): Session | undefined {
    return this.#quietly(() => sessionOf(JSON.parse(this.#keeps.getItem(NAME) ?? 'null')));
  }

  #quietly<Value>(act: () => Value): Value | undefined {
    try {
      return act();
    } catch {
      // Storage can be switched off or full, and what is stored there is not ours alone.
      return undefined;
    }
  }
}

/** Reads a session; undefined: it is none. Pure. */
export function sessionOf(value: unknown): Session | undefined {
  if (typeof value !== 'object' || value === null || !('key' in value) || !('rights' in value))
    return undefined;
  const { key, rights } = value;
  if (typeof key !== 'string' || !Array.isArray(rights)) return undefined;
  return { key, rights: rights.filter((right) => typeof right === 'string') };
}

/** The one-time link in the part of an address behind `#`; undefined: there is none. Pure. */
export function linkIn(hash: string): string | undefined {
  return /^#link=([\w.~-]+)$/.exec(hash)?.[1];
}
