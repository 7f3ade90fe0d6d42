import { dollars, microDollars } from '../../../pricing/money.ts';
import { invalidRequest, Refusal } from './refusal.ts';
import type { UserRow } from './rows.ts';

/** A user; `balance` is in US dollars. */
export type NewUser = {
  readonly username: string;
  readonly password: string;
  readonly token: string;
  readonly balance: number;
};

/** The users with their tokens and money. Any token gives access to everything, because nothing here is secret. */
export class Accounts {
  readonly #users = new Map<string, UserRow>();

  add(uuid: string, user: NewUser): void {
    this.#users.set(user.username, { ...user, uuid, earned: 0, spent: 0 });
  }

  /** Throws an unauthorized Refusal for an unknown token. */
  withToken(token: string | undefined): UserRow {
    for (const user of this.#users.values()) if (user.token === token) return user;
    throw new Refusal('unauthorized', { detail: 'Invalid token.' });
  }

  /** Throws an invalid Refusal for a wrong name or password. */
  login(username: string, password: string): UserRow {
    const user = this.#users.get(username);
    if (user?.password === password) return user;
    throw invalidRequest('Unable to log in with provided credentials.');
  }

  find(username: string): UserRow | undefined {
    return this.#users.get(username);
  }

  /** Moves a job's cost in US dollars from the buyer to the provider, in whole micro-dollars, so that sums are exact. */
  pay(buyer: string, provider: string, cost: number): void {
    this.#change(buyer, ({ balance, spent }) => ({ balance: sum(balance, -cost), spent: sum(spent, cost) }));
    this.#change(provider, ({ balance, earned }) => ({
      balance: sum(balance, cost),
      earned: sum(earned, cost),
    }));
  }

  #change(username: string, change: (user: UserRow) => Partial<UserRow>): void {
    const user = this.#users.get(username);
    if (user !== undefined) this.#users.set(username, { ...user, ...change(user) });
  }
}

function sum(a: number, b: number): number {
  return dollars(microDollars(a) + microDollars(b));
}
