import { invalidAsAWhole, Refusal } from './refusal.ts';
import type { UserRow } from './rows.ts';

/** A user to begin with. `balance` is in US dollars. */
export type NewUser = {
  readonly username: string;
  readonly password: string;
  readonly token: string;
  readonly balance: number;
};

/**
 * The users, their tokens and their money. Users matter for money alone: whoever has a token sees and may change
 * everything, since nothing in a sandbox is a secret.
 */
export class Accounts {
  readonly #users = new Map<string, UserRow>();

  add(uuid: string, user: NewUser): void {
    this.#users.set(user.username, { ...user, uuid, earned: 0, spent: 0 });
  }

  /** Throws an unauthorized Refusal where nobody has this token. */
  withToken(token: string | undefined): UserRow {
    for (const user of this.#users.values()) if (user.token === token) return user;
    throw new Refusal('unauthorized', { detail: 'Invalid token.' });
  }

  /** The user who logs in. Throws an invalid Refusal where name and password don't fit. */
  login(username: string, password: string): UserRow {
    const user = this.#users.get(username);
    if (user?.password === password) return user;
    throw invalidAsAWhole('Unable to log in with provided credentials.');
  }

  /** Undefined where there is no such user. */
  find(username: string): UserRow | undefined {
    return this.#users.get(username);
  }

  /** Moves `dollars` from the buyer to the provider. */
  pay(buyer: string, provider: string, dollars: number): void {
    this.#change(buyer, (user) => ({ balance: user.balance - dollars, spent: user.spent + dollars }));
    this.#change(provider, (user) => ({ balance: user.balance + dollars, earned: user.earned + dollars }));
  }

  #change(username: string, change: (user: UserRow) => Partial<UserRow>): void {
    const user = this.#users.get(username);
    if (user !== undefined) this.#users.set(username, { ...user, ...change(user) });
  }
}
