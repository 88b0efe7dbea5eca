import { readChanges, type Change, type WriteError } from "./changes.js";
import type { LocalDatabase } from "./database.js";
import type { Json } from "./entity.js";
import { backoffMs, HttpFailure, request, type HttpOptions } from "./http.js";

/** Transactions in one request. */
export const TRANSACTIONS_MAX = 500;
const CHANGES_MAX = 2_000;
/** Between tries where the browser knows that there is no connection; it wakes the sender when there is one. */
const OFFLINE_REST_MS = 30_000;

/** Writes that stand or fall together. */
export interface Transaction {
  /** That of its first change. */
  readonly writeId: string;
  readonly changes: readonly Change[];
}

/** What became of a transaction. */
export type Outcome =
  | { readonly status: "accepted"; readonly seq?: number | undefined; readonly txid?: number | undefined }
  | { readonly status: "rejected"; readonly error: WriteError };

/** Takes transactions to a server, in order, and gives the outcome of each. Throws if nothing was decided. */
export type Transport = (transactions: readonly Transaction[], signal: AbortSignal) => Promise<Outcome[]>;

/** Sends to a Syncline server, many at once. */
export const synclineTransport = (http: HttpOptions): Transport => async (transactions, signal) => {
  const body = {
    transactions: transactions.map(({ writeId, changes }) => ({
      write_id: writeId,
      writes: changes.map(({ entity, key, operation, value, base }) => ({
        entity, id: key, action: operation === "insert" ? "create" : operation, values: value, base,
      })),
    })),
  };
  const answer = await request({ ...http, retries: 0 }, "POST", "/api/writes", body, {}, signal);
  const { results } = answer.body as {
    results: ({ write_id: string; status: "accepted"; txid: number; seq: number }
      | { write_id: string; status: "rejected"; error: { code: string; message: string; details?: Details } })[];
  };
  return transactions.map(({ writeId }, at): Outcome => {
    const result = results[at];
    if (result?.write_id !== writeId) throw new HttpFailure(0, { message: "the server's answer does not fit the request" });
    if (result.status === "accepted") return { status: "accepted", seq: result.seq, txid: result.txid };
    return { status: "rejected", error: errorOf(result.error) };
  });
};

interface Details {
  conflicts?: NonNullable<WriteError["conflicts"]>;
  fields?: NonNullable<WriteError["fields"]>;
}

export const errorOf = (error: { code: string; message: string; details?: unknown }): WriteError => {
  const { conflicts, fields } = (error.details ?? {}) as Details;
  return { code: error.code, message: error.message, ...(conflicts ? { conflicts } : {}), ...(fields ? { fields } : {}) };
};

/** Sends to any backend, one write at a time, at the paths that `route` gives. */
export const restTransport = (
  http: HttpOptions, route: (change: Change) => { method: string; path: string },
): Transport => async (transactions, signal) => {
  const outcomes: Outcome[] = [];
  for (const { changes } of transactions) {
    let outcome: Outcome = { status: "accepted" };
    for (const change of changes) {
      outcome = await sendOne(http, route(change), change, signal);
      if (outcome.status === "rejected") break;
    }
    outcomes.push(outcome);
  }
  return outcomes;
};

async function sendOne(http: HttpOptions, to: { method: string; path: string }, change: Change, signal: AbortSignal): Promise<Outcome> {
  const body = change.operation === "delete" ? undefined : { ...change.value, ...keyed(change) };
  try {
    const answer = await request(http, to.method, to.path, body, { "idempotency-key": change.writeId }, signal);
    const told = (answer.body as { txid?: Json } | undefined)?.txid ?? answer.headers.get("syncline-txid");
    const seq = answer.headers.get("syncline-seq");
    return {
      status: "accepted",
      txid: told === null || told === undefined ? undefined : Number(told),
      seq: seq === null ? undefined : Number(seq),
    };
  } catch (error) {
    if (!(error instanceof HttpFailure) || error.kind !== "permanent") throw error;
    return { status: "rejected", error: errorOf(error) };
  }
}

const keyed = (change: Change): Record<string, Json> => (change.operation === "insert" ? { id: change.key } : {});

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
  let wake = (): void => undefined;
  let isWoken = true;
  const rouse = (): void => {
    isWoken = true;
    wake();
  };
  const stop = database.onTouched(rouse);
  const browser = globalThis as { addEventListener?: typeof addEventListener; removeEventListener?: typeof removeEventListener };
  browser.addEventListener?.("online", rouse);
  const rest = (ms?: number): Promise<void> =>
    new Promise((resume) => {
      const timer = ms === undefined ? undefined : setTimeout(resume, ms);
      wake = () => {
        // While the server can't be reached, a new write does not make it come back.
        if (ms !== undefined && !signal.aborted && globalThis.navigator?.onLine === false) return;
        clearTimeout(timer);
        resume();
      };
      if (signal.aborted) wake();
    });
  signal.addEventListener("abort", () => wake(), { once: true });
  let failures = 0;
  let atOnce = TRANSACTIONS_MAX;
  try {
    while (!signal.aborted) {
      isWoken = false;
      const transactions = await take(database, atOnce);
      if (transactions.length === 0) {
        tell({ status: "idle" });
        if (!isWoken) await rest();
        continue;
      }
      tell({ status: "sending" });
      const isOffline = globalThis.navigator?.onLine === false;
      try {
        await settle(database, transactions, await transport(transactions, signal));
        failures = 0;
        atOnce = TRANSACTIONS_MAX;
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof HttpFailure)) throw error;
        if (error.kind === "permanent") {
          // One of them is what the server can't take: it is found by sending fewer.
          if (transactions.length > 1) atOnce = Math.max(1, Math.floor(transactions.length / 2));
          else await settle(database, transactions, [{ status: "rejected", error: errorOf(error) }]);
          continue;
        }
        failures += 1;
        const hasNotLeft = isOffline && error.status === 0;
        if (hasNotLeft) await giveBack(database, transactions);
        tell({ status: error.kind === "auth" ? "unauthorized" : "waiting", error });
        await rest(hasNotLeft ? OFFLINE_REST_MS : backoffMs(failures, error.retryAfterMs));
      }
    }
  } finally {
    stop();
    browser.removeEventListener?.("online", rouse);
  }
}

/** The first unsent transactions, noted as being sent. */
async function take(database: LocalDatabase, most: number): Promise<Transaction[]> {
  return database.transaction(async (inside) => {
    const first = await readChanges(inside, `"id" IN (SELECT "id" FROM "_changes" WHERE "state" IN ('pending', 'sending') ORDER BY "id" LIMIT ${CHANGES_MAX})`);
    const last = first.at(-1);
    if (!last) return [];
    // A transaction that the limit has cut is taken whole.
    const rest = last.transactionId === null ? [] : await readChanges(
      inside, `"state" IN ('pending', 'sending') AND "transaction_id" = $1 AND "id" > $2`, [last.transactionId, last.id]);
    const groups = new Map<string, Change[]>();
    for (const change of [...first, ...rest]) {
      const name = change.transactionId ?? `write ${change.writeId}`;
      const group = groups.get(name);
      if (group) group.push(change);
      else if (groups.size < most) groups.set(name, [change]);
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

/** Notes what became of transactions. */
async function settle(database: LocalDatabase, transactions: readonly Transaction[], outcomes: readonly Outcome[]): Promise<void> {
  await database.transaction(async (inside) => {
    const accepted: string[] = [];
    for (const [at, { writeId, changes }] of transactions.entries()) {
      const outcome = outcomes[at];
      if (!outcome) throw new Error("a transport gave fewer outcomes than it was given transactions");
      if (outcome.status === "rejected") {
        await inside.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, $2)`, [writeId, JSON.stringify(outcome.error)]);
        continue;
      }
      const places = `${place(outcome.seq)}, ${place(outcome.txid)}`;
      accepted.push(...changes.map(({ id }) => `(${id}, ${places})`));
    }
    if (accepted.length > 0) {
      await inside.query(
        `WITH "told" ("id", "seq", "txid") AS (VALUES ${accepted.join(", ")}) UPDATE "_changes" SET "state" = 'acknowledged', "seq" = "told"."seq", "txid" = "told"."txid" FROM "told" WHERE "_changes"."id" = "told"."id" AND "state" = 'sending'`,
      );
    }
    // The rows may have come before the answer.
    await inside.query(
      `DELETE FROM "_changes" WHERE "state" = 'acknowledged' AND "seq" <= (SELECT "seq" FROM "_shapes" WHERE "_shapes"."entity" = "_changes"."entity")`,
    );
  });
}

const place = (number: number | undefined): string => (Number.isSafeInteger(number) ? String(number) : "CAST(NULL AS BIGINT)");
