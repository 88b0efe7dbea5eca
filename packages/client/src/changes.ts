import type { LocalDatabase, Statements } from "./database.js";
import { pick, type Json, type Row } from "./entity.js";
import { partMissing } from "./http.js";

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
  readonly txid: number | null;
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

/** Of each column in whose place the server kept another's value: what the writer saw, wrote, and the server holds. */
export type Lost = NonNullable<WriteError["conflicts"]>;

/** What is told of values in whose place the server kept another's. */
export const lostTo = (conflicts: Lost): WriteError =>
  ({ code: "lost", message: `somebody changed ${Object.keys(conflicts).join(", ")} meanwhile, and theirs was kept`, conflicts });

export const OFFLINE: WriteError = { code: "offline", message: "the server could not be reached" };
export const TIMED_OUT: WriteError = { code: "timed_out", message: "the server did not answer in time: if it has the write, it is shown later" };

/** A write that did not come to what its caller asked for. */
export class WriteFailure extends Error {
  override readonly name = "WriteFailure";
  /**
   * `offline` and `timed_out` for a confirmed write without an answer, `undone` for one that a later write undid
   * before it was sent, `lost` for an accepted one of which the server kept another's value, `not_found` where there is
   * no such row, `exists` where there is one, `too_many` for more writes than can be one; else the server's code.
   */
  declare readonly code: string;
  declare readonly error: WriteError;
  /** Undefined: it came to no write. */
  declare readonly writeId: string | undefined;

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

const NUMBERS = ["id", "seq", "txid", "attempts"];
const OBJECTS = ["value", "base", "error"];

/** A row of the queue under the names that it has here. */
const toChange = (row: Row): Change => Object.fromEntries(Object.entries(row).map(([name, held]) => [
  name.replace(/_./, (part) => part[1]!.toUpperCase()),
  NUMBERS.includes(name) && held !== null ? Number(held) : OBJECTS.includes(name) ? parsed(held) : held,
])) as unknown as Change;

/** What a column of JSON holds. */
export const parsed = (value: unknown): unknown => (typeof value === "string" ? JSON.parse(value) : value);

export const setBase = (inside: Statements, id: number, base: Change["base"]): Promise<unknown> =>
  inside.query(`UPDATE "_changes" SET "base" = $1 WHERE "id" = $2`, [JSON.stringify(base), id]);

/** Notes that a write was refused, with what goes with it. */
export const reject = (inside: Statements, writeId: string, error: WriteError): Promise<unknown> =>
  inside.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, $2)`, [writeId, JSON.stringify(error)]);

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
 * What was written together is offered together: where a later write has made, changed or deleted a row of it
 * against it, all of it stays refused, and says so.
 */
export const retryWrite = async (database: LocalDatabase, writeId: string): Promise<void> => (await retrying()).retry(database, writeId);

/** What offers writes again: a page in which none was refused does without. */
export const retrying = (): Promise<typeof import("./retry.js")> => import("./retry.js").catch(partMissing);

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
    if (later.attempts === 0) await setBase(inside, later.id, standing(later.base, [{ value: set, base }]));
    set = pick(set, (name) => later.operation === "update" && !Object.hasOwn(later.value, name));
  }
}

/**
 * Lets a refused write go, with those that were written together with it, and the writes that were refused because of these. The columns that never leave this
 * database stay as they are.
 */
export function discardWrite(database: LocalDatabase, writeId: string): Promise<void> {
  return database.transaction(async (inside) => {
    const whole = `IN (SELECT "write_id" FROM "_changes" WHERE "write_id" = $1 OR "transaction_id" = (SELECT "transaction_id" FROM "_changes" WHERE "write_id" = $1))`;
    const gone = await readChanges(inside, `"state" = 'rejected' AND ("write_id" ${whole} OR "error" ->> 'write_id' ${whole})`, [writeId]);
    // The last first: what a new row holds goes with the last change of it, which is the one that makes it.
    for (const { id } of gone.reverse()) await inside.query(`DELETE FROM "_changes" WHERE "id" = $1`, [id]);
  });
}

/** All writes that are not with the server, as a text to keep elsewhere. */
export async function exportWrites(database: LocalDatabase): Promise<string> {
  const changes = await readChanges(database, `"state" <> 'acknowledged'`);
  return JSON.stringify({ exported_at: new Date().toISOString(), writes: changes }, null, 2);
}
