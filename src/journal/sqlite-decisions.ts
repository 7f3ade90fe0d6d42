import { z } from 'zod';
import type { Decision, Decisions } from '../domain/owner-decisions.ts';
import type { AuditEntry, DecisionStore } from '../domain/ports/decision-store.ts';
import { LIMITS } from '../limits.ts';
import type { Access } from './access.ts';

/** The tables of the owner's decisions and of who made them. */
export const DECISION_TABLES = `CREATE TABLE IF NOT EXISTS owner_decisions (
     seq INTEGER PRIMARY KEY,
     detail TEXT NOT NULL
   ) STRICT;
   CREATE TABLE IF NOT EXISTS audit (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     by TEXT NOT NULL,
     origin TEXT NOT NULL,
     action TEXT NOT NULL,
     detail TEXT NOT NULL
   ) STRICT;`;

const END = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('after'), ms: z.number() }),
  z.object({ kind: z.literal('at'), at: z.number() }),
]);
const MADE = {
  target: z.string(),
  except: z.array(z.string()).optional(),
  since: z.number(),
  sinceBoot: z.object({ boot: z.string(), upMs: z.number() }),
  end: END.optional(),
  by: z.string(),
};
const DECISION: z.ZodType<Decision> = z.discriminatedUnion('kind', [
  z.object({ ...MADE, kind: z.literal('pause'), tag: z.string(), note: z.string().optional() }),
  z.object({ ...MADE, kind: z.literal('mode'), mode: z.enum(['on', 'off']) }),
]);
const ROWS = z.array(
  z.object({
    detail: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(DECISION),
  }),
);
const AUDIT_ROWS = z.array(
  z
    .object({ at: z.number(), by: z.string(), origin: z.string(), action: z.string(), detail: z.string() })
    .transform(({ origin, ...entry }): AuditEntry => ({ ...entry, from: origin })),
);

/** Adds to the record of the owner's changes, of which the oldest are deleted; to be called in the transaction of the change. */
export function writeAudit({ prepared }: Access, { action, at, by, detail, from }: AuditEntry): void {
  const sql = 'INSERT INTO audit (at, by, origin, action, detail) VALUES (?, ?, ?, ?, ?)';
  prepared(sql).run(at, by, from, action, detail);
  prepared('DELETE FROM audit WHERE seq <= (SELECT max(seq) FROM audit) - ?').run(LIMITS.journal.audit.max);
}

/** The owner's decisions in the journal. */
export class SqliteDecisions implements DecisionStore {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  load(): Decisions {
    return this.#access.read(() => {
      if (!this.#exists()) return [];
      return ROWS.parse(this.#access.prepared('SELECT detail FROM owner_decisions ORDER BY seq').all()).map(
        ({ detail }) => detail,
      );
    });
  }

  save(decisions: Decisions, entry: AuditEntry): void {
    const { prepared } = this.#access;
    this.#access.write(() => {
      prepared('DELETE FROM owner_decisions').run();
      const add = prepared('INSERT INTO owner_decisions (detail) VALUES (?)');
      for (const decision of decisions) add.run(JSON.stringify(decision));
      writeAudit(this.#access, entry);
    });
  }

  audit(limit: number): readonly AuditEntry[] {
    const sql = 'SELECT at, by, origin, action, detail FROM audit ORDER BY seq DESC LIMIT ?';
    return this.#access.read(() =>
      this.#exists() ? AUDIT_ROWS.parse(this.#access.prepared(sql).all(limit)) : [],
    );
  }

  /** A journal that only an older agent has written, and that is only read now, has no such tables. */
  #exists(): boolean {
    const sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'owner_decisions'";
    return this.#access.prepared(sql).get() !== undefined;
  }
}
