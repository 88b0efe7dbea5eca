import { readChanges, type Change, type WriteError } from "./changes.js";
import { quote, toColumn, type LocalDatabase, type Statements } from "./database.js";
import type { EntityMeta, Row } from "./entity.js";

/** How long a confirmed write waits for the server before it ends as `timed_out`, unless told otherwise. */
export const CONFIRM_TIMEOUT_MS = 15_000;
/** How long it waits at most where the browser knows that there is no connection. */
export const CONFIRM_OFFLINE_TIMEOUT_MS = 3_000;

/** A write that did not come to what its caller asked for. */
export class WriteFailure extends Error {
  override readonly name = "WriteFailure";
  /** `offline` and `timed_out` for a confirmed write without an answer; else the server's code. */
  readonly code: string;
  readonly error: WriteError;
  readonly writeId: string;

  constructor(writeId: string, error: WriteError) {
    super(error.message);
    this.code = error.code;
    this.error = error;
    this.writeId = writeId;
  }
}

/** Makes a row. Its key must be among `values`; null is a value, undefined is none. */
export async function insertRow(on: LocalDatabase | Statements, dialect: LocalDatabase["dialect"], meta: EntityMeta, values: Row): Promise<void> {
  const given = meta.fields.filter(({ name }) => values[name] !== undefined);
  const nulls = given.filter(({ name, excluded }) => values[name] === null && !excluded && name !== meta.key);
  const insert = async (inside: Statements): Promise<void> => {
    await inside.query(
      `INSERT INTO ${quote(meta.name)} (${given.map(({ name }) => quote(name)).join(", ")}) VALUES (${given.map((_, at) => `$${at + 1}`).join(", ")})`,
      given.map(({ name, kind }) => toColumn(dialect, kind, values[name])),
    );
    if (nulls.length === 0) return;
    // To the view a null that was given is like one that was not.
    const changes = await readChanges(inside, `"entity" = $1 AND "key" = $2 AND "operation" = 'insert' AND "state" = 'pending'`, [meta.name, String(values[meta.key])]);
    const made = changes.at(-1)!;
    const value = { ...made.value, ...Object.fromEntries(nulls.map(({ name }) => [name, null])) };
    await inside.query(`UPDATE "_changes" SET "value" = $1 WHERE "id" = $2`, [JSON.stringify(value), made.id]);
  };
  if (!("transaction" in on)) return insert(on);
  let isAgain = false;
  await on.transaction(async (inside) => {
    // A row that the first call has made after all is not made twice.
    const key = String(values[meta.key]);
    if (isAgain && (await readChanges(inside, `"entity" = $1 AND "key" = $2 AND "operation" = 'insert'`, [meta.name, key])).length > 0) return;
    isAgain = true;
    await insert(inside);
  });
}

/** Sets the columns of a row that `changes` names; null is a value, undefined is none. */
export async function updateRow(
  on: LocalDatabase | Statements, dialect: LocalDatabase["dialect"], meta: EntityMeta, key: unknown, changes: Row,
): Promise<void> {
  const given = meta.fields.filter(({ name }) => changes[name] !== undefined && name !== meta.key);
  if (given.length === 0) return;
  await on.query(
    `UPDATE ${quote(meta.name)} SET ${given.map(({ name }, at) => `${quote(name)} = $${at + 2}`).join(", ")} WHERE ${quote(meta.key)} = $1`,
    [key, ...given.map(({ name, kind }) => toColumn(dialect, kind, changes[name]))],
  );
}

/** Deletes a row. */
export async function deleteRow(on: LocalDatabase | Statements, meta: EntityMeta, key: unknown): Promise<void> {
  await on.query(`DELETE FROM ${quote(meta.name)} WHERE ${quote(meta.key)} = $1`, [key]);
}

/**
 * Runs `work` as one write: what it does to entities' views is sent, accepted and refused together.
 * Gives the names of the writes that came of it.
 */
export async function writeTogether(database: LocalDatabase, work: (inside: Statements) => Promise<void>): Promise<string[]> {
  const before = await database.transaction(async (inside) => {
    const [head] = await inside.query<{ id: number | null }>(`SELECT max("id") AS "id" FROM "_changes"`);
    if (database.dialect === "sqlite") await inside.query(`UPDATE "_transaction" SET "id" = $1`, [crypto.randomUUID()]);
    await work(inside);
    if (database.dialect === "sqlite") await inside.query(`UPDATE "_transaction" SET "id" = NULL`);
    return Number(head?.id ?? 0);
  });
  return (await readChanges(database, `"id" > $1`, [before])).map((change) => change.writeId);
}

/** The name of the last unsent write of a row; undefined: nothing of it is unsent. */
export async function lastWriteOf(database: Statements, meta: EntityMeta, key: unknown): Promise<string | undefined> {
  const changes = await readChanges(database, `"entity" = $1 AND "key" = $2 AND "state" IN ('pending', 'sending')`, [meta.name, String(key)]);
  return changes.at(-1)?.writeId;
}

/**
 * Waits until the server has accepted a write. Rejects with a {@link WriteFailure} if it was refused, or
 * if `timeoutMs` went by: a write that had not left by then is taken back, one that had is noted as
 * `timed_out`, and is never sent again by itself.
 */
export function settled(database: LocalDatabase, writeId: string, timeoutMs = CONFIRM_TIMEOUT_MS): Promise<void> {
  const patienceMs = globalThis.navigator?.onLine === false ? Math.min(timeoutMs, CONFIRM_OFFLINE_TIMEOUT_MS) : timeoutMs;
  return new Promise((resolve, reject) => {
    let isOver = false;
    let isBusy = false;
    let isWoken = false;
    // What is being taken back is gone too, and yet not accepted.
    let isEnding = false;
    const finish = (end: () => void): void => {
      isOver = true;
      clearTimeout(timer);
      stop();
      end();
    };
    const look = async (): Promise<void> => {
      isWoken = true;
      if (isBusy) return;
      isBusy = true;
      try {
        while (isWoken && !isOver) {
          // Cleared before the read: what changes meanwhile must be looked at again.
          isWoken = false;
          see((await readChanges(database, `"write_id" = $1`, [writeId]))[0]);
        }
      } finally {
        isBusy = false;
      }
    };
    const see = (change: Change | undefined): void => {
      if (isOver || isEnding) return;
      if (!change || change.state === "acknowledged") return finish(resolve);
      if (change.state !== "rejected") return;
      const error = change.error ?? { code: "rejected", message: "the server refused the write" };
      finish(() => reject(new WriteFailure(writeId, error)));
    };
    const stop = database.onTouched(() => void look().catch((error: unknown) => finish(() => reject(error as Error))));
    const timer = setTimeout(() => {
      isEnding = true;
      void giveUp(database, writeId).then((error) => {
        isEnding = false;
        if (error) finish(() => reject(new WriteFailure(writeId, error)));
        else void look();
      }, (error: unknown) => finish(() => reject(error as Error)));
    }, patienceMs);
    void look().catch((error: unknown) => finish(() => reject(error as Error)));
  });
}

/** Ends a write that has no answer; undefined: it has one after all. */
async function giveUp(database: LocalDatabase, writeId: string): Promise<WriteError | undefined> {
  return database.transaction(async (inside) => {
    const [change] = await readChanges(inside, `"write_id" = $1`, [writeId]);
    if (!change || change.state === "acknowledged" || change.state === "rejected") return undefined;
    const error: WriteError = change.state === "pending"
      ? { code: "offline", message: "the server could not be reached, and the write was taken back" }
      : { code: "timed_out", message: "the server did not answer in time: it may have the write, which shows if it has" };
    await inside.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, $2)`, [writeId, JSON.stringify(error)]);
    if (change.state === "pending") await inside.query(`DELETE FROM "_changes" WHERE "write_id" = $1`, [writeId]);
    return error;
  });
}
