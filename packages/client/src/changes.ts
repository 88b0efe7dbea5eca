import type { LocalDatabase, Statements } from "./database.js";
import type { Json, Row } from "./entity.js";

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
 * of those brings the write that it builds on. What the server has refused goes under a new name; what it may have
 * accepted without our knowing keeps its own. One whose row was made anew meanwhile stays refused, and says so.
 */
export function retryWrite(database: LocalDatabase, writeId: string): Promise<void> {
  return database.transaction(async (inside) => {
    const refused = await rejectedChanges(inside);
    const named = (name: string | undefined): Change | undefined => refused.find((change) => change.writeId === name);
    const first = named(named(writeId)?.error?.write_id) ?? named(writeId);
    for (const change of refused) {
      if (!first || (change !== first && change.error?.write_id !== first.writeId)) continue;
      if (change.operation === "insert") {
        const last = (await readChanges(inside, `"entity" = $1 AND "key" = $2 AND "state" <> 'rejected'`, [change.entity, change.key])).at(-1);
        if (last && last.operation !== "delete") {
          const error: WriteError = { code: "exists", message: `a later write has made the row ${change.key} of ${change.entity}` };
          await inside.query(`UPDATE "_changes" SET "error" = $1 WHERE "id" = $2`, [JSON.stringify(error), change.id]);
          if (change === first) return;
          continue;
        }
      }
      const isSame = first.error?.code === "timed_out" || change.attempts === 0;
      const theirs = Object.entries(change.error?.conflicts ?? {}).map(([name, { theirs }]) => [name, theirs]);
      await inside.query(
        `UPDATE "_changes" SET "write_id" = $1, "state" = 'pending', "attempts" = $2, "error" = NULL, "base" = $3, "created_at" = $4 WHERE "id" = $5`,
        [
          isSame ? change.writeId : crypto.randomUUID(), isSame ? change.attempts : 0,
          JSON.stringify({ ...change.base, ...Object.fromEntries(theirs) }), new Date().toISOString(), change.id,
        ],
      );
      await stackAnew(inside, change);
    }
  });
}

/**
 * Has a write that came back in its place stand on what the unsent writes of its row before it set, and those after it
 * on what it sets: else one's own older value would count there as another's.
 */
async function stackAnew(inside: Statements, { id, entity, key }: Change): Promise<void> {
  let set: Change["value"] = {};
  for (const change of await readChanges(inside, `"entity" = $1 AND "key" = $2 AND "state" IN ('pending', 'sending')`, [entity, key])) {
    const base = Object.entries(set).filter(([name]) => Object.hasOwn(change.base, name));
    if (change.id >= id && base.length > 0) {
      await inside.query(`UPDATE "_changes" SET "base" = $1 WHERE "id" = $2`, [JSON.stringify({ ...change.base, ...Object.fromEntries(base) }), change.id]);
    }
    // What those after it stand on that another of them sets, they have seen as it is.
    if (change.operation !== "update" || change.id === id) set = {};
    if (change.id <= id) set = { ...set, ...change.value };
    else set = Object.fromEntries(Object.entries(set).filter(([name]) => !Object.hasOwn(change.value, name)));
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
