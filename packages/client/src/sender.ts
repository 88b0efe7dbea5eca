import { readChanges, reject, retrying, standOn, type Change, type Lost, type WriteError } from "./changes.js";
import type { LocalDatabase } from "./database.js";
import { keepingFailure } from "./failures.js";
import { backoffMs, HttpFailure, isOffline, isUnsent, pause, request, type HttpOptions } from "./http.js";
import { endOverdue } from "./writes.js";

/** Transactions in one request. */
export const TRANSACTIONS_MAX = 500;
const CHANGES_MAX = 2_000;
/** Characters of changes after which no other one goes into the same request: a slow connection sends them in half a minute. */
export const CHARACTERS_MAX = 256_000;
/** Between tries where the browser knows that there is no connection; it wakes the sender when there is one. */
const OFFLINE_REST_MS = 30_000;

/** So many changes whose answers can't be noted are left out at a time: with more, it is not they. */
const LEFT_MAX = 10;

/** Without a write there is nothing to look for. */
const IDLE_MS = 2 ** 31 - 1;

/** Writes that stand or fall together. */
export interface Transaction {
  /** That of its first change. */
  readonly writeId: string;
  readonly changes: readonly Change[];
  /** The names of those before it that make rows which it names: where one of them is refused, so is it. */
  readonly after?: ReadonlySet<string>;
}

/** What became of a transaction. */
export type Outcome =
  | {
    readonly status: "accepted"; readonly seq?: number | undefined; readonly txid?: number | undefined;
    /** Of each change: the values in whose place the server kept another's. */
    readonly lost?: readonly Lost[] | undefined;
  }
  | {
    readonly status: "rejected"; readonly error: WriteError;
    /** Which of its changes it is told of, from 0: the others go with it. */
    readonly write?: number | undefined;
  };

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
    transactions: transactions.map(({ writeId, changes, after }) => ({
      write_id: writeId,
      after: after && [...after],
      writes: changes.map(({ entity, key, operation, value, base }) => ({
        entity, id: key, action: operation === "insert" ? "create" : operation, values: value, base,
      })),
    })),
  };
  const answer = await request({ ...http, retries: 0 }, "POST", "/api/writes", body, {}, signal);
  const { results } = (answer.body ?? {}) as { results?: Partial<Result>[] };
  return transactions.map(({ writeId }, at) => outcomeOf("POST /api/writes", writeId, results?.[at]));
}, {
  ask: async (writeId: string, signal: AbortSignal): Promise<Outcome | undefined> => {
    const path = `/api/writes/${encodeURIComponent(writeId)}`;
    try {
      const answer = await request({ ...http, retries: 0 }, "GET", path, undefined, {}, signal);
      return outcomeOf(`GET ${path}`, writeId, answer.body as Partial<Result> | undefined);
    } catch (error) {
      if (error instanceof HttpFailure && error.status === 404 && error.code === "not_found") return undefined;
      throw error;
    }
  },
});

/** What an answer tells of a write; throws where it tells nothing, as of another server. */
function outcomeOf(from: string, writeId: string, told: Partial<Result> | undefined): Outcome {
  const { write_id, status, seq, txid, lost, error } = told ?? {};
  if (write_id === writeId && status === "accepted") return { status, seq, txid, lost };
  if (write_id === writeId && status === "rejected" && error?.code) return { status, error: errorOf(error), write: error.details?.write };
  throw new HttpFailure(200, { code: "answer_invalid", message: `${from}: the answer does not fit the request` });
}

interface Result {
  write_id: string;
  status: "accepted" | "rejected";
  txid: number;
  seq: number;
  lost: Lost[];
  error: { code: string; message: string; details?: Details };
}

interface Details {
  write?: number;
  conflicts?: Lost;
  fields?: NonNullable<WriteError["fields"]>;
}

export const errorOf = (error: { code: string; message: string; details?: unknown }): WriteError => {
  const { conflicts, fields } = (error.details ?? {}) as Details;
  return { code: error.code, message: error.message, ...(conflicts && { conflicts }), ...(fields && { fields }) };
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

/** What a run of the sender knows from one try to the next. */
interface Run {
  /** Transactions that are sent in one request: fewer after one without an answer, or that was too much. */
  limit: number;
  /** Tries that failed, in a row. */
  attempts: number;
  /** Changes whose answers the local database does not take, and what it says: they wait until all others are sent. */
  left: number[];
  fault?: HttpFailure;
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
  const rest = (ms: number, isWakeable: boolean): Promise<void> => {
    const ending = new AbortController();
    waking = isWakeable ? ending : undefined;
    return pause(ms, AbortSignal.any([signal, ending.signal]));
  };
  const run: Run = { limit: TRANSACTIONS_MAX, attempts: 0, left: [] };
  try {
    while (!signal.aborted) {
      isWoken = false;
      try {
        if (await sendNext(database, transport, signal, tell, run)) continue;
        if (run.left.length > 0) throw run.fault;
        tell({ status: "idle" });
        const isAnswered = await askAfter(database, transport, signal);
        if (signal.aborted) break;
        run.attempts = isAnswered ? 0 : run.attempts + 1;
        if (!isWoken) await rest(isAnswered ? IDLE_MS : backoffMs(run.attempts), true);
      } catch (cause) {
        if (signal.aborted) break;
        const error = cause instanceof HttpFailure ? cause : await keepingFailure(database, "the writes", cause);
        if (!isOffline()) run.attempts += 1;
        tell({ status: error.kind === "auth" ? "unauthorized" : "waiting", error });
        // Asked for again: the connection may have come back while this try was ending, which is told once.
        await rest(isOffline() ? OFFLINE_REST_MS : backoffMs(run.attempts, error.retryAfterMs), error === run.fault);
        if (!isWoken) run.left = [];
      }
    }
  } finally {
    stop();
  }
}

/** Sends what comes next, and notes what became of it. Gives whether there was anything. */
async function sendNext(
  database: LocalDatabase, transport: Transport, signal: AbortSignal, tell: (state: SenderState) => void, run: Run,
): Promise<boolean> {
  await endOverdue(database);
  const { limit } = run;
  const transactions = await take(database, transport.takesOne ? "one change" : limit, run.left);
  if (transactions.length === 0) return false;
  if (signal.aborted) {
    await giveBack(database, transactions);
    return true;
  }
  tell({ status: "sending" });
  const half = (transactions.length + 1) >> 1;
  const outcomes = await decided(database, transport, signal, transactions).catch((error: unknown) => {
    // They may be more than the connection carries in time.
    if (error instanceof HttpFailure && (error.status === 0 || error.status === 408)) run.limit = half;
    throw error;
  });
  run.limit = outcomes && await isNoted(database, transactions, outcomes, run) ? Math.min(TRANSACTIONS_MAX, 2 * limit) : half;
  return true;
}

/** The server's word on each; undefined: one of them is what it can't take, which is found by sending fewer. */
async function decided(
  database: LocalDatabase, transport: Transport, signal: AbortSignal, transactions: readonly Transaction[],
): Promise<Outcome[] | undefined> {
  const wasOffline = isOffline();
  try {
    return await transport(transactions, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof HttpFailure)) throw error;
    // At another address than that of writes, the answers to any path are these.
    if (error.kind !== "permanent" || [404, 405, 410].includes(error.status) || !isOfWrite(error, hasReason)) {
      // Without a connection before and after, and not for the time that it took: it may have come and gone meanwhile.
      const isOut = error.status === 0 && wasOffline && isOffline() && (error.cause as Error | undefined)?.name !== "TimeoutError";
      if (isOut || isUnsent(error)) await giveBack(database, transactions);
      throw error;
    }
    if (transactions.length > 1) return undefined;
    return [{ status: "rejected", error: errorOf(error) }];
  }
}

/** Notes what became of transactions. Gives whether that is done, but for a single one that is left: of several, one can't be noted. */
async function isNoted(database: LocalDatabase, transactions: readonly Transaction[], outcomes: readonly Outcome[], run: Run): Promise<boolean> {
  let late: ReadonlySet<string>;
  try {
    late = await settle(database, transactions, outcomes);
  } catch (cause) {
    const failure = await keepingFailure(database, "what became of the writes", cause);
    if (failure.code === "storage_full" || run.left.length >= LEFT_MAX) throw failure;
    if (transactions.length > 1) return false;
    run.left.push(...idsOf(transactions));
    run.fault = failure;
    return true;
  }
  run.attempts = 0;
  await takeUp(database, late);
  return true;
}

const idsOf = (transactions: readonly Transaction[]): number[] => transactions.flatMap(({ changes }) => changes.map(({ id }) => id));

/** Asks what became of the writes that nobody has an answer to. Gives whether there is none left to be asked for. */
async function askAfter(database: LocalDatabase, { ask }: Transport, signal: AbortSignal): Promise<boolean> {
  const unanswered = ask ? await readChanges(database, `"state" = 'rejected' AND "error" ->> 'code' = 'timed_out'`) : [];
  return unanswered.length === 0 || (await retrying()).askAfter(database, unanswered, (writeId) => ask!(writeId, signal));
}

/** The first unsent transactions but those that are `left`, noted as being sent; a single change is one by itself. */
async function take(database: LocalDatabase, most: number | "one change", left: readonly number[]): Promise<Transaction[]> {
  return database.transaction(async (inside) => {
    const isOne = most === "one change";
    const limit = isOne ? 1 : CHANGES_MAX;
    const unsent = `SELECT * FROM "_changes" WHERE "state" IN ('pending', 'sending') AND "id" NOT IN (${[0, ...left].join(", ")}) ORDER BY "id" LIMIT ${limit}`;
    const before = `sum(length(CAST("value" AS TEXT)) + length(CAST("base" AS TEXT))) OVER (ORDER BY "id" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`;
    const first = await readChanges(inside, `"id" IN (SELECT "id" FROM (SELECT "id", ${before} AS "before" FROM (${unsent}) AS "unsent") AS "sized" WHERE coalesce("before", 0) < ${CHARACTERS_MAX})`);
    const last = first.at(-1);
    if (!last) return [];
    // A transaction that the limit has cut is taken whole.
    const rest = isOne || last.transactionId === null ? [] : await readChanges(
      inside, `"state" IN ('pending', 'sending') AND "transaction_id" = $1 AND "id" > $2`, [last.transactionId, last.id]);
    const references = await inside.query<{ entity: string; field: string; target: string }>(`SELECT * FROM "_references"`);
    const taken = new Map<string, Transaction & { changes: Change[]; after: Set<string> }>();
    // By row: the first that has to do with it, and the one that makes it.
    const [written, made] = [new Map<string, Transaction>(), new Map<string, Transaction>()];
    for (const change of [...first, ...rest]) {
      const { entity, key, operation, value, writeId } = change;
      const [name, row] = [change.transactionId ?? `write ${writeId}`, `${entity} ${key}`];
      const known = taken.get(name);
      const group = known ?? { writeId, changes: [], after: new Set() };
      // A delete stands on its writer's edits: if one of those is refused, it is to know that before it leaves.
      if ((operation === "delete" && (written.get(row) ?? group) !== group) || (!known && !isOne && taken.size >= most)) {
        taken.delete(name);
        break;
      }
      taken.set(name, group);
      group.changes.push(change);
      for (const { entity: from, field, target } of references) {
        const ground = from === entity && made.get(`${target} ${value[field]}`);
        if (ground && ground !== group) group.after.add(ground.writeId);
      }
      if (!written.has(row)) written.set(row, group);
      if (operation === "insert") made.set(row, group);
    }
    const transactions = [...taken.values()];
    await inside.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = "attempts" + 1 WHERE "id" IN (${idsOf(transactions).join(", ")})`);
    return transactions;
  });
}

/** Notes that transactions have not left this machine: who waits for one can still take it back. */
async function giveBack(database: LocalDatabase, transactions: readonly Transaction[]): Promise<void> {
  await database.query(
    `UPDATE "_changes" SET "state" = 'pending', "attempts" = 0 WHERE "state" = 'sending' AND "attempts" = 1 AND "id" IN (${idsOf(transactions).join(", ")})`,
  );
}

/**
 * Notes what became of transactions. The server's word also stands for what was ended here meanwhile: a write
 * that nobody waited for any longer, or one that builds on a refused one and was under way with it. Gives those of them that were accepted.
 */
export async function settle(database: LocalDatabase, transactions: readonly Transaction[], outcomes: readonly Outcome[]): Promise<ReadonlySet<string>> {
  const hasLost = outcomes.some((outcome) => outcome.status === "accepted" && outcome.lost?.some((of) => Object.keys(of).length > 0));
  // No transaction waits for the network.
  const noting = hasLost ? await retrying() : undefined;
  return database.transaction(async (inside) => {
    const late = new Set<string>();
    const accepted: string[] = [];
    const ids: number[] = [];
    const lost: [Change, Lost][] = [];
    const refused: [writeId: string, error: WriteError][] = [];
    for (const [at, { changes }] of transactions.entries()) {
      const outcome = outcomes[at];
      if (!outcome) throw new Error("a transport gave too few outcomes");
      if (outcome.status === "rejected") {
        const of = changes.map(({ id }) => id).join(", ");
        // Of several that were sent together any may be the one that was given up, and another the one that was refused.
        await inside.query(`UPDATE "_changes" SET "state" = 'sending' WHERE "id" IN (${of}) AND "state" = 'rejected' AND EXISTS (SELECT 1 FROM "_changes" WHERE "id" IN (${of}) AND "error" ->> 'code' = 'timed_out')`);
        const told: [string, WriteError] = [(changes[outcome.write ?? 0] ?? changes[0]!).writeId, outcome.error];
        await reject(inside, ...told);
        refused.unshift(told);
        continue;
      }
      for (const [of, change] of changes.entries()) {
        ids.push(change.id);
        accepted.push(`(${change.id}, ${place(outcome.seq)}, ${place(outcome.txid)})`);
        lost.push([change, outcome.lost?.[of] ?? {}]);
      }
    }
    // Of writes on top of each other, what the newest hands down may be another's that was refused: the newest first, then.
    if (refused.length > 1) for (const told of refused) await reject(inside, ...told);
    if (accepted.length > 0) {
      const given = await readChanges(inside, `"state" = 'rejected' AND "id" IN (${ids.join(", ")})`);
      // What was written since it was given up stands on what was there without it.
      for (const change of given) await standOn(inside, change);
      await inside.query(
        `WITH "told" ("id", "seq", "txid") AS (VALUES ${accepted.join(", ")}) UPDATE "_changes" SET "state" = 'acknowledged', "error" = NULL, "seq" = "told"."seq", "txid" = "told"."txid" FROM "told" WHERE "_changes"."id" = "told"."id" AND "state" IN ('sending', 'rejected')`,
      );
      for (const { writeId } of given) late.add(writeId);
      for (const of of lost) await noting?.noteLost(inside, ...of);
    }
    // The rows may have come before the answer.
    await inside.query(
      `DELETE FROM "_changes" WHERE "state" = 'acknowledged' AND "seq" <= (SELECT "seq" FROM "_shapes" WHERE "_shapes"."entity" = "_changes"."entity")`,
    );
    return late;
  });
}

/** Offers again what was given up because writes that it builds on were, which the server has accepted after all. */
const takeUp = async (database: LocalDatabase, accepted: ReadonlySet<string>): Promise<void> =>
  void (accepted.size > 0 && await (await retrying()).takeUp(database, accepted));

const place = (number: number | undefined): string => (Number.isSafeInteger(number) ? String(number) : "CAST(NULL AS BIGINT)");
