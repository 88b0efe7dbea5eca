import type { LocalDatabase, Statements } from "./database.js";
import { pick, type Json, type Row } from "./entity.js";

/** A write that this database has made and the server has not yet shown. */
export interface Change {
  readonly id: number;
  /** The name of the write here, on the wire and on the server. */
  readonly writeId: string;
  readonly entity: string;
  readonly key: string;
  readonly operation: "insert" | "update" | "delete";
  /** The columns that it sets, nulls among them. */
  readonly value: Record<string, Json>;
  /** What its writer saw in those columns. */
  readonly base: Record<string, Json>;
  readonly mode: "optimistic" | "confirmed";
  readonly transactionId: string | null;
  readonly state: "pending" | "sending" | "acknowledged" | "rejected";
  readonly seq: number | null;
  readonly attempts: number;
  readonly error: WriteError | null;
  readonly createdAt: string;
}

/** Why a write was refused. */
export interface WriteError {
  /** Stable, for programs. `lost`: the write was accepted, but for values in whose place the server kept another's. */
  readonly code: string;
  readonly message: string;
  /** Of each column in conflict: what the writer saw, wrote, and the server holds. */
  readonly conflicts?: Record<string, { base: Json; mine: Json; theirs: Json }>;
  readonly fields?: readonly { field: string; code: string; message: string }[];
  /** The refused write on which this one was built. */
  readonly write_id?: string;
}

export const OFFLINE: WriteError = { code: "offline", message: "the server could not be reached" };
export const TIMED_OUT: WriteError = { code: "timed_out", message: "the server did not answer in time: it may have the write, which shows if it has" };

/** A write that did not come to what its caller asked for. */
export class WriteFailure extends Error {
  override readonly name = "WriteFailure";
  /**
   * `offline` and `timed_out` for a confirmed write without an answer, `undone` for one that a later write undid
   * before it was sent, `not_found` where there is no such row; else the server's code.
   */
  readonly code: string;
  readonly error: WriteError;
  /** Undefined: it came to no write. */
  readonly writeId: string | undefined;

  constructor(writeId: string | undefined, error: WriteError) {
    super(error.message);
    this.code = error.code;
    this.error = error;
    this.writeId = writeId;
  }
}

/** Changes by `condition`, in the order in which they were made. */
export async function readChanges(on: Statements, condition: string, parameters: readonly unknown[] = []): Promise<Change[]> {
  return (await on.query(`SELECT * FROM "_changes" WHERE ${condition} ORDER BY "id"`, parameters)).map(toChange);
}

function toChange(row: Row): Change {
  return {
    id: Number(row["id"]),
    writeId: row["write_id"] as string,
    entity: row["entity"] as string,
    key: row["key"] as string,
    operation: row["operation"] as Change["operation"],
    value: parsed(row["value"]) as Record<string, Json>,
    base: parsed(row["base"]) as Record<string, Json>,
    mode: row["mode"] as Change["mode"],
    transactionId: row["transaction_id"] as string | null,
    state: row["state"] as Change["state"],
    seq: row["seq"] === null ? null : Number(row["seq"]),
    attempts: Number(row["attempts"]),
    error: parsed(row["error"]) as WriteError | null,
    createdAt: row["created_at"] as string,
  };
}

/** What a column of JSON holds. */
export const parsed = (value: unknown): unknown => (typeof value === "string" ? JSON.parse(value) : value);

/** Writes that are not yet accepted. */
export const pendingChanges = (database: Statements): Promise<Change[]> =>
  readChanges(database, `"state" IN ('pending', 'sending')`);

/** Writes that were refused, and wait for the user. */
export const rejectedChanges = (database: Statements): Promise<Change[]> =>
  readChanges(database, `"state" = 'rejected'`);

/**
 * Offers a refused write again, on what the server holds now, with the writes that were refused because of it; one
 * of those brings the write that it builds on. What the server has refused goes under a new name, without the columns
 * that a later write of the row has set since; what it may have accepted without our knowing keeps name and content.
 * One whose row a later write has made, changed or deleted against it stays refused, and says so.
 */
export function retryWrite(database: LocalDatabase, writeId: string): Promise<void> {
  return database.transaction(async (inside) => {
    const refused = await rejectedChanges(inside);
    const named = (name: string | undefined): Change | undefined => refused.find((change) => change.writeId === name);
    const first = named(named(writeId)?.error?.write_id) ?? named(writeId);
    for (const change of refused) {
      if (!first || (change !== first && change.error?.write_id !== first.writeId)) continue;
      if (!(await offerAgain(inside, change, first.error?.code === "timed_out")) && change === first) return;
    }
  });
}

/** Gives whether a refused write waits to be sent again, or nothing of it is left to be sent. */
async function offerAgain(inside: Statements, change: Change, isUnanswered: boolean): Promise<boolean> {
  const { id, writeId, entity, key, operation, attempts } = change;
  // One that had no answer may be at the server, as this one may.
  const others = await readChanges(inside, `"entity" = $1 AND "key" = $2 AND "id" <> $3 AND ("state" <> 'rejected' OR "error" ->> 'code' = 'timed_out')`, [entity, key, id]);
  const later = others.filter((other) => other.id > id);
  const isUnset = (name: string): boolean => !later.some((other) => Object.hasOwn(other.value, name));
  const mayBeThere = isUnanswered && attempts > 0;
  let { value, base } = change;
  if (later.some((other) => operation !== "update" || other.operation !== "update")) {
    // Why it is asked for is not to be forgotten.
    if (mayBeThere) return false;
    const error: WriteError = { code: operation === "insert" ? "exists" : "superseded", message: `a later write has changed the row ${key} of ${entity}` };
    await inside.query(`UPDATE "_changes" SET "error" = $1 WHERE "id" = $2`, [JSON.stringify(error), id]);
    return false;
  }
  if (mayBeThere) {
    // Behind a later one that was sent it would undo that: its answer is asked for, and tells what can be sent.
    if (later.some((other) => other.attempts > 0 && Object.keys(value).some((name) => Object.hasOwn(other.value, name)))) return false;
    await standOn(inside, change);
  } else {
    const theirs = Object.entries(change.error?.conflicts ?? {}).map(([name, of]) => [name, of.theirs]);
    const unsent = others.filter((other) => other.id < id && (other.state === "pending" || other.state === "sending"));
    value = pick(value, isUnset);
    base = standing(pick({ ...base, ...Object.fromEntries(theirs) }, isUnset), unsent);
    if (operation === "update" && Object.keys(value).length === 0) {
      await inside.query(`DELETE FROM "_changes" WHERE "id" = $1`, [id]);
      return true;
    }
  }
  const isSame = mayBeThere || attempts === 0;
  await inside.query(
    `UPDATE "_changes" SET "write_id" = $1, "state" = 'pending', "attempts" = $2, "error" = NULL, "value" = $3, "base" = $4, "created_at" = $5 WHERE "id" = $6`,
    [isSame ? writeId : crypto.randomUUID(), isSame ? attempts : 0, JSON.stringify(value), JSON.stringify(base), new Date().toISOString(), id],
  );
  return true;
}

/**
 * What a base will be when the writes `before` it are at the server: of the columns in which they stand on the same, what
 * they set. One that has seen somebody else's value still stands on that.
 */
export function standing(base: Change["base"], before: readonly Pick<Change, "value" | "base">[]): Change["base"] {
  const then = { ...base };
  for (const { value, base: on } of before) {
    for (const name of Object.keys(value)) {
      if (Object.hasOwn(then, name) && JSON.stringify(then[name]) === JSON.stringify(on[name])) then[name] = value[name]!;
    }
  }
  return then;
}

/** Has the unsent writes of a row after one that goes before them, though it was refused when they were made, stand on what it sets. */
export async function standOn(inside: Statements, { id, entity, key, value, base }: Change): Promise<void> {
  let set = value;
  for (const later of await readChanges(inside, `"entity" = $1 AND "key" = $2 AND "id" > $3 AND "state" <> 'rejected'`, [entity, key, id])) {
    // What was sent stays as it is: the server may have it.
    if (later.attempts === 0) await inside.query(`UPDATE "_changes" SET "base" = $1 WHERE "id" = $2`, [JSON.stringify(standing(later.base, [{ value: set, base }])), later.id]);
    set = pick(set, (name) => later.operation === "update" && !Object.hasOwn(later.value, name));
  }
}

/**
 * Lets a refused write go, with the writes that were refused because of it. The columns that never leave this
 * database stay as they are.
 */
export async function discardWrite(database: LocalDatabase, writeId: string): Promise<void> {
  await database.query(`DELETE FROM "_changes" WHERE "state" = 'rejected' AND ("write_id" = $1 OR "error" ->> 'write_id' = $1)`, [writeId]);
}

/** All writes that are not with the server, as a text to keep elsewhere. */
export async function exportWrites(database: LocalDatabase): Promise<string> {
  const changes = await readChanges(database, `"state" <> 'acknowledged'`);
  return JSON.stringify({ exported_at: new Date().toISOString(), writes: changes }, null, 2);
}
