import { readChanges, standOn, type Change, type WriteError } from "./changes.js";
import type { LocalDatabase, Statements } from "./database.js";
import { pick } from "./entity.js";
import { keepingFailure } from "./failures.js";
import { backoffMs, HttpFailure, pause, request, type HttpOptions } from "./http.js";
import { endOverdue, NOT_SENT } from "./writes.js";

/** Transactions in one request. */
export const TRANSACTIONS_MAX = 500;
const CHANGES_MAX = 2_000;
/** Between tries where the browser knows that there is no connection; it wakes the sender when there is one. */
const OFFLINE_REST_MS = 30_000;

/** Without a write there is nothing to look for. */
const IDLE_MS = 2 ** 31 - 1;

/** Writes that stand or fall together. */
export interface Transaction {
  /** That of its first change. */
  readonly writeId: string;
  readonly changes: readonly Change[];
}

/** What became of a transaction. */
export type Outcome =
  | {
    readonly status: "accepted"; readonly seq?: number | undefined; readonly txid?: number | undefined;
    /** Of each change: the values in whose place the server kept another's. */
    readonly lost?: readonly NonNullable<WriteError["conflicts"]>[] | undefined;
  }
  | { readonly status: "rejected"; readonly error: WriteError };

/** Takes transactions to a server, in order, and gives the outcome of each. Throws if nothing was decided. */
export interface Transport {
  (transactions: readonly Transaction[], signal: AbortSignal): Promise<Outcome[]>;
  /** Its server takes one change at a time: of a transaction of several, each has its own outcome. */
  readonly takesOne?: boolean;
  /** Asks what became of a transaction whose answer was lost; undefined: the server does not know it. */
  readonly ask?: (writeId: string, signal: AbortSignal) => Promise<Outcome | undefined>;
}

/** Sends to a Syncline server, many at once. */
export const synclineTransport = (http: HttpOptions): Transport => Object.assign(async (transactions: readonly Transaction[], signal: AbortSignal) => {
  const body = {
    transactions: transactions.map(({ writeId, changes }) => ({
      write_id: writeId,
      writes: changes.map(({ entity, key, operation, value, base }) => ({
        entity, id: key, action: operation === "insert" ? "create" : operation, values: value, base,
      })),
    })),
  };
  const answer = await request({ ...http, retries: 0 }, "POST", "/api/writes", body, {}, signal);
  const { results } = (answer.body ?? {}) as { results?: Partial<Result>[] };
  return transactions.map(({ writeId }, at): Outcome => {
    const outcome = outcomeOf(writeId, results?.[at]);
    if (outcome) return outcome;
    throw new HttpFailure(answer.status, { code: "answer_invalid", message: "POST /api/writes: the answer does not fit the request" });
  });
}, {
  ask: async (writeId: string, signal: AbortSignal): Promise<Outcome | undefined> => {
    try {
      const path = `/api/writes/${encodeURIComponent(writeId)}`;
      const answer = await request({ ...http, retries: 0 }, "GET", path, undefined, {}, signal);
      const outcome = outcomeOf(writeId, answer.body as Partial<Result> | undefined);
      if (outcome) return outcome;
      throw new HttpFailure(answer.status, { code: "answer_invalid", message: `GET ${path}: the answer does not fit the request` });
    } catch (error) {
      if (error instanceof HttpFailure && error.status === 404 && error.code === "not_found") return undefined;
      throw error;
    }
  },
});

function outcomeOf(writeId: string, told: Partial<Result> | undefined): Outcome | undefined {
  const { write_id, status, seq, txid, lost, error } = told ?? {};
  if (write_id === writeId && status === "accepted") return { status, seq, txid, lost };
  return write_id === writeId && status === "rejected" && error?.code ? { status, error: errorOf(error) } : undefined;
}

interface Result {
  write_id: string;
  status: "accepted" | "rejected";
  txid: number;
  seq: number;
  lost: NonNullable<WriteError["conflicts"]>[];
  error: { code: string; message: string; details?: Details };
}

interface Details {
  conflicts?: NonNullable<WriteError["conflicts"]>;
  fields?: NonNullable<WriteError["fields"]>;
}

export const errorOf = (error: { code: string; message: string; details?: unknown }): WriteError => {
  const { conflicts, fields } = (error.details ?? {}) as Details;
  return { code: error.code, message: error.message, ...(conflicts ? { conflicts } : {}), ...(fields ? { fields } : {}) };
};

export const hasAnswer = ({ answer }: HttpFailure): boolean => answer !== undefined;
export const hasReason = ({ answer }: HttpFailure): boolean => (answer as { error?: { code?: string } } | null | undefined)?.error?.code !== undefined;

/** Whether what fails again does so for what was sent, not for where: a wrong address must not refuse everything. */
export const isOfWrite = (error: HttpFailure, isToldBy: (error: HttpFailure) => boolean): boolean => error.status === 413 || isToldBy(error);

/** What the sender tells while it runs. */
export interface SenderState {
  readonly status: "idle" | "sending" | "waiting" | "unauthorized";
  readonly error?: Error;
}

/**
 * Sends the queue until `signal` ends it. Of all tabs and processes that share the database only one must
 * run it at a time.
 */
export async function runSender(
  database: LocalDatabase, transport: Transport, signal: AbortSignal, tell: (state: SenderState) => void,
): Promise<void> {
  let isWoken = true;
  let waking: AbortController | undefined;
  const stop = database.onTouched(() => {
    isWoken = true;
    waking?.abort();
  });
  // A new write does not make a server come back, nor one that has asked for a pause be ready.
  const rest = (ms: number, isWakeable?: true): Promise<void> => {
    waking = isWakeable && new AbortController();
    return pause(ms, AbortSignal.any([signal, ...(waking ? [waking.signal] : [])]));
  };
  let failures = 0;
  let atOnce = TRANSACTIONS_MAX;
  try {
    while (!signal.aborted) {
      isWoken = false;
      let isOffline = false;
      let transactions: Transaction[] = [];
      try {
        await endOverdue(database);
        transactions = await take(database, transport.takesOne ? "one change" : atOnce);
        if (transactions.length === 0) {
          tell({ status: "idle" });
          const isAnswered = await askAfter(database, transport, signal);
          if (signal.aborted) break;
          failures = isAnswered ? 0 : failures + 1;
          if (!isWoken) await rest(isAnswered ? IDLE_MS : backoffMs(failures), true);
          continue;
        }
        if (signal.aborted) {
          await giveBack(database, transactions);
          break;
        }
        tell({ status: "sending" });
        isOffline = globalThis.navigator?.onLine === false;
        await settle(database, transactions, await transport(transactions, signal));
        failures = 0;
        atOnce = TRANSACTIONS_MAX;
      } catch (cause) {
        if (signal.aborted) break;
        const error = cause instanceof HttpFailure ? cause : keepingFailure("what became of the writes", cause);
        if (error !== cause && error.code !== "storage_full") throw cause;
        // At another address than that of writes, the answers to any path are these.
        if (error.kind === "permanent" && ![404, 405, 410].includes(error.status) && isOfWrite(error, hasReason)) {
          // One of them is what the server can't take: it is found by sending fewer.
          if (transactions.length > 1) atOnce = Math.max(1, Math.floor(transactions.length / 2));
          else await settle(database, transactions, [{ status: "rejected", error: errorOf(error) }]);
          continue;
        }
        // Without a connection before and after, and not for the time that it took: it may have come and gone meanwhile.
        const isTimeout = error.cause instanceof DOMException && error.cause.name === "TimeoutError";
        const hasNotLeft = isOffline && globalThis.navigator?.onLine === false && error.status === 0 && !isTimeout;
        if (!hasNotLeft) failures += 1;
        if (hasNotLeft) await giveBack(database, transactions);
        tell({ status: error.kind === "auth" ? "unauthorized" : "waiting", error });
        // Asked for again: the connection may have come back while this try was ending, which is told once.
        await rest(globalThis.navigator?.onLine === false ? OFFLINE_REST_MS : backoffMs(failures, error.retryAfterMs));
      }
    }
  } finally {
    stop();
  }
}

/** Asks what became of the writes that nobody has an answer to. Gives whether there is none left to be asked for. */
async function askAfter(database: LocalDatabase, transport: Transport, signal: AbortSignal): Promise<boolean> {
  if (!transport.ask) return true;
  const unanswered = await readChanges(database, `"state" = 'rejected' AND "error" ->> 'code' = 'timed_out'`);
  for (const change of unanswered) {
    // It bears the name of the first of those that were sent with it.
    const changes = change.transactionId === null ? [change] : await readChanges(database, `"transaction_id" = $1`, [change.transactionId]);
    const writeId = changes[0]?.writeId ?? change.writeId;
    try {
      const outcome = await transport.ask(writeId, signal);
      if (outcome) await settle(database, [{ writeId, changes }], [outcome]);
      else await database.query(`UPDATE "_changes" SET "state" = 'rejected', "error" = $1, "attempts" = 0 WHERE "id" = $2 AND "state" = 'rejected'`, [JSON.stringify(NOT_SENT), change.id]);
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      // Where a server has no such word it is not asked for again and again.
      return error.kind !== "transient";
    }
  }
  return true;
}

/** The first unsent transactions, noted as being sent; a single change is one by itself. */
async function take(database: LocalDatabase, most: number | "one change"): Promise<Transaction[]> {
  return database.transaction(async (inside) => {
    const isOne = most === "one change";
    const limit = isOne ? 1 : CHANGES_MAX;
    const first = await readChanges(inside, `"id" IN (SELECT "id" FROM "_changes" WHERE "state" IN ('pending', 'sending') ORDER BY "id" LIMIT ${limit})`);
    const last = first.at(-1);
    if (!last) return [];
    // A transaction that the limit has cut is taken whole.
    const rest = isOne || last.transactionId === null ? [] : await readChanges(
      inside, `"state" IN ('pending', 'sending') AND "transaction_id" = $1 AND "id" > $2`, [last.transactionId, last.id]);
    const groups = new Map<string, Change[]>();
    const all = [...first, ...rest];
    const nameOf = (change: Change): string => change.transactionId ?? `write ${change.writeId}`;
    // A delete stands on its writer's edits: if one of them is refused, it is to know that before it leaves.
    const isBehind = (change: Change): boolean => change.operation === "delete" && all.some((other) =>
      other.id < change.id && other.entity === change.entity && other.key === change.key && nameOf(other) !== nameOf(change));
    const behind = new Set(all.filter(isBehind).map(nameOf));
    for (const change of all) {
      const name = nameOf(change);
      const group = groups.get(name);
      if (group) group.push(change);
      else if (groups.size > 0 && behind.has(name)) break;
      else if (isOne || groups.size < most) groups.set(name, [change]);
      else break;
    }
    const taken = [...groups.values()].map((changes) => ({ writeId: changes[0]!.writeId, changes }));
    const ids = taken.flatMap(({ changes }) => changes.map(({ id }) => id));
    await inside.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = "attempts" + 1 WHERE "id" IN (${ids.join(", ")})`);
    return taken;
  });
}

/** Notes that transactions have not left this machine: who waits for one can still take it back. */
async function giveBack(database: LocalDatabase, transactions: readonly Transaction[]): Promise<void> {
  const ids = transactions.flatMap(({ changes }) => changes.map(({ id }) => id));
  await database.query(
    `UPDATE "_changes" SET "state" = 'pending', "attempts" = 0 WHERE "state" = 'sending' AND "attempts" = 1 AND "id" IN (${ids.join(", ")})`,
  );
}

const REJECT = `INSERT INTO "_reject" ("write_id", "error") VALUES ($1, $2)`;

/**
 * Notes what became of transactions. The server's word also stands for what was ended here meanwhile: a write
 * that nobody waited for any longer, or one that builds on a refused one and was under way with it.
 */
async function settle(database: LocalDatabase, transactions: readonly Transaction[], outcomes: readonly Outcome[]): Promise<void> {
  await database.transaction(async (inside) => {
    const accepted: string[] = [];
    const ids: number[] = [];
    const refused: [writeId: string, error: string][] = [];
    for (const [at, { writeId, changes }] of transactions.entries()) {
      const outcome = outcomes[at];
      if (!outcome) throw new Error("a transport gave fewer outcomes than it was given transactions");
      if (outcome.status === "rejected") {
        const error = JSON.stringify(outcome.error);
        await inside.query(REJECT, [writeId, error]);
        refused.unshift([writeId, error]);
        // Of several that were sent together any may be the one that was given up.
        const of = changes.map(({ id }) => id).join(", ");
        await inside.query(`UPDATE "_changes" SET "error" = $1 WHERE "id" IN (${of}) AND "state" = 'rejected' AND "error" ->> 'code' = 'timed_out'`, [error]);
        continue;
      }
      for (const [of, change] of changes.entries()) {
        ids.push(change.id);
        accepted.push(`(${change.id}, ${place(outcome.seq)}, ${place(outcome.txid)})`);
        await noteLost(inside, change, outcome.lost?.[of] ?? {});
      }
    }
    // Of writes on top of each other, what the newest hands down may be another's that was refused: the newest first, then.
    if (refused.length > 1) for (const told of refused) await inside.query(REJECT, told);
    if (accepted.length > 0) {
      // What was written since it was given up stands on what was there without it.
      for (const change of await readChanges(inside, `"state" = 'rejected' AND "id" IN (${ids.join(", ")})`)) await standOn(inside, change);
      await inside.query(
        `WITH "told" ("id", "seq", "txid") AS (VALUES ${accepted.join(", ")}) UPDATE "_changes" SET "state" = 'acknowledged', "error" = NULL, "seq" = "told"."seq", "txid" = "told"."txid" FROM "told" WHERE "_changes"."id" = "told"."id" AND "state" IN ('sending', 'rejected')`,
      );
    }
    // The rows may have come before the answer.
    await inside.query(
      `DELETE FROM "_changes" WHERE "state" = 'acknowledged' AND "seq" <= (SELECT "seq" FROM "_shapes" WHERE "_shapes"."entity" = "_changes"."entity")`,
    );
  });
}

/**
 * Notes what an accepted write has lost to another's as a refused write of its own, which can be offered again on what
 * the server holds; but not a value that its writer has changed again meanwhile.
 */
async function noteLost(inside: Statements, { id, entity, key, mode }: Change, lost: NonNullable<WriteError["conflicts"]>): Promise<void> {
  if (Object.keys(lost).length === 0) return;
  const later = await readChanges(inside, `"entity" = $1 AND "key" = $2 AND "id" > $3 AND "state" <> 'rejected'`, [entity, key, id]);
  const conflicts = pick(lost, (name) => !later.some(({ operation, value }) => operation === "delete" || Object.hasOwn(value, name)));
  const names = Object.keys(conflicts);
  if (names.length === 0) return;
  const side = (of: "base" | "mine"): string => JSON.stringify(Object.fromEntries(names.map((name) => [name, conflicts[name]![of]])));
  const error: WriteError = { code: "lost", message: `somebody changed ${names.join(", ")} meanwhile, and theirs was kept`, conflicts };
  await inside.query(
    `INSERT INTO "_changes" ("write_id", "entity", "key", "operation", "mode", "value", "base", "error", "state", "transaction_id") VALUES ($1, $2, $3, 'update', $4, $5, $6, $7, 'rejected', NULL)`,
    [crypto.randomUUID(), entity, key, mode, side("mine"), side("base"), JSON.stringify(error)],
  );
}

const place = (number: number | undefined): string => (Number.isSafeInteger(number) ? String(number) : "CAST(NULL AS BIGINT)");
