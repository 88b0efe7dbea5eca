import { OFFLINE, parsed, readChanges, reject, setBase, standing, TIMED_OUT, WriteFailure, type Change, type WriteError } from "./changes.js";
import { quote, toColumn, ways, type LocalDatabase, type Statements } from "./database.js";
import { valueOf, type EntityMeta, type Row } from "./entity.js";
import { isOffline } from "./http.js";
import { keyOf, whenTouched } from "./rows.js";

/** How long a confirmed write waits for the server before it ends as `timed_out`, unless told otherwise. */
export const CONFIRM_TIMEOUT_MS = 15_000;
/** Nobody looks at a form for longer, and a timer of days would not be kept. */
export const CONFIRM_TIMEOUT_MAX_MS = 600_000;
/** How long it waits at most where the browser knows that there is no connection. */
export const CONFIRM_OFFLINE_TIMEOUT_MS = 3_000;

const timeouts = new WeakMap<LocalDatabase, number>();

/** Sets how long a database's confirmed writes wait, in milliseconds: more than 0, at most {@link CONFIRM_TIMEOUT_MAX_MS}. */
export function setConfirmTimeout(database: LocalDatabase, timeoutMs = CONFIRM_TIMEOUT_MS): void {
  if (!(timeoutMs > 0 && timeoutMs <= CONFIRM_TIMEOUT_MAX_MS)) {
    throw new RangeError(`confirmTimeoutMs must be more than 0 and at most ${CONFIRM_TIMEOUT_MAX_MS}: it is ${timeoutMs}`);
  }
  timeouts.set(database, timeoutMs);
}

const confirmTimeoutOf = (database: LocalDatabase): number => timeouts.get(database) ?? CONFIRM_TIMEOUT_MS;

/**
 * Runs `work` in one transaction, or in the one that is given. What makes writes runs in it: where tabs share the
 * database, a transaction is run again if its end was not told, and must not write twice what the first has kept.
 */
export function writeOnce<T>(on: LocalDatabase | Statements, work: (inside: Statements) => Promise<T>): Promise<T> {
  if (!("transaction" in on)) return work(on);
  const name = crypto.randomUUID();
  let first: { result: T } | undefined;
  return on.transaction(async (inside) => {
    if (first && (await inside.query(`SELECT 1 FROM "_outcomes" WHERE "write_id" = $1`, [name])).length > 0) return first.result;
    first = { result: await work(inside) };
    await inside.query(`INSERT INTO "_outcomes" ("write_id") VALUES ($1)`, [name]);
    return first.result;
  });
}

/** Gives what a local database refuses in these `words` its code. */
const refusedAs = (code: string, words: string) => (error: unknown): never => {
  // An application's own work may reject with anything.
  const message = `${(error as Error | undefined)?.message}`;
  throw message.includes(words) ? new WriteFailure(undefined, { code, message }) : error;
};

/** Makes a row. Its key must be among `values`; null is a value where its field takes it, undefined is none. Rejects with `exists` if one is shown that has it. */
export function insertRow(on: LocalDatabase | Statements, dialect: LocalDatabase["dialect"], meta: EntityMeta, values: Row): Promise<void> {
  const given = meta.fields.filter(({ name }) => Object.hasOwn(values, name) && values[name] !== undefined);
  const nulls = given.filter(({ name, excluded, optional }) => values[name] === null && !(excluded || optional) && name !== meta.key);
  return writeOnce(on, async (inside) => {
    await inside.query(
      `INSERT INTO ${quote(meta.name)} (${given.map(({ name }) => quote(name)).join(", ")}) VALUES (${given.map((_, at) => `$${at + 1}`).join(", ")})`,
      given.map(({ name, kind }) => toColumn(dialect, kind, values[name])),
    ).catch(refusedAs("exists", "a row with this key is there"));
    if (nulls.length === 0) return;
    // To the view a null that was given is like one that was not.
    const made = (await unsentOf(inside, meta, values[meta.key])).at(-1)!;
    const value = { ...made.value, ...Object.fromEntries(nulls.map(({ name }) => [name, null])) };
    await inside.query(`UPDATE "_changes" SET "value" = $1 WHERE "id" = $2`, [JSON.stringify(value), made.id]);
  });
}

/**
 * Sets the columns of a row that `changes` names; null is a value, undefined is none. Rejects if there is no such row.
 * `base` is the row as its writer has seen it, where that is not what is shown now: a form's, as it was opened.
 */
export async function updateRow(
  on: LocalDatabase | Statements, dialect: LocalDatabase["dialect"], meta: EntityMeta, key: unknown, changes: Row, base?: object,
): Promise<void> {
  const given = meta.fields.filter(({ name }) => Object.hasOwn(changes, name) && changes[name] !== undefined && name !== meta.key);
  if (given.length === 0) return;
  const set = given.map(({ name }, at) => `${quote(name)} = $${at + 2}`).join(", ");
  const values = given.map(({ name, kind }) => toColumn(dialect, kind, changes[name]));
  await writeOnce(on, async (inside) => {
    const isConfirmed = meta.mode !== "optimistic";
    const before = isConfirmed || base ? await unsentOf(inside, meta, key) : [];
    await writeRow(inside, meta, `UPDATE ${quote(meta.name)} SET ${set}`, key, values);
    if (isConfirmed && before.length > 0) await writeOverQueued(inside, dialect, meta, key, changes, before);
    if (base || before.length > 0) await noteBase(inside, meta, key, (base ?? {}) as Row, before);
  });
}

/** Notes what the writer of a row's last change has seen, or what will be there by then of the unsent ones `before` it. */
async function noteBase(inside: Statements, meta: EntityMeta, key: unknown, seen: Row, before: readonly Change[]): Promise<void> {
  const made = (await unsentOf(inside, meta, key)).at(-1);
  if (made?.operation !== "update") return;
  // What one of them has taken in of it keeps what that stands on.
  const queued = before.find(({ id }) => id === made.id)?.value ?? {};
  const names = Object.keys(made.value).filter((name) => !Object.hasOwn(queued, name));
  const shown = names.map((name) => [name, valueOf(seen, name) === undefined ? made.base[name] : seen[name]]);
  const base = standing(Object.fromEntries(shown) as Change["base"], before.filter(({ id }) => id !== made.id));
  await setBase(inside, made.id, { ...made.base, ...base });
}

const unsentOf = (on: Statements, meta: EntityMeta, key: unknown): Promise<Change[]> =>
  readChanges(on, `"entity" = $1 AND "key" = $2 AND "state" IN ('pending', 'sending')`, [meta.name, String(keyOf(meta, key))]);

/** To the view, which shows nothing of what is queued, a value that is set back to what it shows is no change: to the queue it is one. */
async function writeOverQueued(
  inside: Statements, dialect: LocalDatabase["dialect"], meta: EntityMeta, key: unknown, changes: Row, before: readonly Change[],
): Promise<void> {
  const made = (await unsentOf(inside, meta, key)).find(({ id }) => id > before.at(-1)!.id);
  const queued = before.reduce<Change["value"]>((row, { operation, value }) => (operation === "delete" ? {} : { ...row, ...value }), {});
  const isOther = ([name, value]: [string, unknown]): boolean => Object.hasOwn(queued, name) && value !== undefined && JSON.stringify(value) !== JSON.stringify(queued[name]);
  const value = Object.fromEntries(Object.entries(changes).filter(isOther));
  // Where the change was none to the view, what is set is what is shown.
  const [all, base] = [{ ...made?.value, ...value }, { ...value, ...made?.base }].map((part) => JSON.stringify(part));
  if (made) {
    await inside.query(`UPDATE "_changes" SET "value" = $1, "base" = $2 WHERE "id" = $3`, [all, base, made.id]);
  } else if (Object.keys(value).length > 0) {
    await inside.query(
      `INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value", "base", "transaction_id") VALUES ($1, $2, 'update', 'confirmed', $3, $4, ${ways[dialect].transaction})`,
      [meta.name, before[0]!.key, all, base],
    );
  }
}

/** Deletes a row. Rejects if there is none. */
export function deleteRow(on: LocalDatabase | Statements, meta: EntityMeta, key: unknown): Promise<void> {
  return writeOnce(on, async (inside) => {
    const queued = meta.mode === "optimistic" ? [] : await unsentOf(inside, meta, key);
    await writeRow(inside, meta, `DELETE FROM ${quote(meta.name)}`, key);
    if (queued.length === 0) return;
    // The view shows nothing of what is queued: by then it is what the server holds.
    const made = (await unsentOf(inside, meta, key)).at(-1);
    if (made?.operation !== "delete") return;
    await setBase(inside, made.id, standing(made.base, queued));
  });
}

async function writeRow(inside: Statements, meta: EntityMeta, statement: string, key: unknown, values: readonly unknown[] = []): Promise<void> {
  const column = quote(meta.key);
  if ((await inside.query(`${statement} WHERE ${column} = $1 RETURNING ${column}`, [keyOf(meta, key), ...values])).length > 0) return;
  throw new WriteFailure(undefined, { code: "not_found", message: `no row of ${meta.name} that is shown here has the key ${key}` });
}

/**
 * Runs `work` as one write: what it does to entities' views is sent, accepted and refused together, where the
 * server takes several writes as one. Gives the names of the writes that came of it; rejects with `too_many` where they are more than
 * a server takes as one.
 */
export function writeTogether(database: LocalDatabase, work: (inside: Statements) => Promise<void>): Promise<string[]> {
  const name = crypto.randomUUID();
  const { nameTransaction, transaction } = ways[database.dialect];
  return writeOnce(database, async (inside) => {
    await nameTransaction?.(inside, name);
    await work(inside);
    const made = await readChanges(inside, `"transaction_id" = ${transaction}`);
    await nameTransaction?.(inside);
    return made.map(({ writeId }) => writeId);
  }).catch(refusedAs("too_many", "too many to be one"));
}

/**
 * Makes a write of one row, and waits for the server where the entity's writes are confirmed: rejects then as
 * {@link settled} does.
 */
export async function writeSettled(
  database: LocalDatabase, meta: EntityMeta, key: unknown, write: (on: LocalDatabase | Statements) => Promise<void>,
): Promise<void> {
  if (meta.mode === "optimistic") return write(database);
  const writeId = await writeOnce(database, async (inside) => {
    await write(inside);
    return lastWriteOf(inside, meta, key);
  });
  if (writeId !== undefined) await settled(database, writeId);
}

/** The name of the last unsent write of a row; undefined: nothing of it is unsent. */
export async function lastWriteOf(database: Statements, meta: EntityMeta, key: unknown): Promise<string | undefined> {
  return (await unsentOf(database, meta, key)).at(-1)?.writeId;
}

/**
 * Waits until the server has accepted a write, or the one that has taken it in. Rejects with a
 * {@link WriteFailure} if it was refused, or lost a value to another's, undone by a later write before it was sent, or if `timeoutMs` went by:
 * a write that had not left by then is taken back, one that had is noted as `timed_out`, and is never sent again
 * by itself.
 */
export function settled(database: LocalDatabase, writeId: string, timeoutMs = confirmTimeoutOf(database)): Promise<void> {
  const patienceMs = isOffline() ? Math.min(timeoutMs, CONFIRM_OFFLINE_TIMEOUT_MS) : timeoutMs;
  return new Promise<void>((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let waitedMs = 0;
    let isOver = false;
    const finish = (end: () => void): void => {
      isOver = true;
      clearTimeout(timer);
      stop();
      end();
    };
    const fail = (error: unknown): void => finish(() => reject(error as Error));
    const look = async (): Promise<void> => {
      const { open, error } = await answerTo(database, writeId);
      if (error) fail(new WriteFailure(writeId, error));
      else if (!open) finish(resolve);
    };
    const stop = whenTouched(database, look, fail);
    const wait = (): void => {
      timer = setTimeout(() => {
        waitedMs += patienceMs;
        void giveUp(database, writeId, waitedMs >= timeoutMs).then(look).then(() => isOver || wait()).catch(fail);
      }, patienceMs);
    };
    wait();
  });
}

/** The unsent change that holds a write, or why the write was refused, or lost to another's; neither: it was accepted. */
async function answerTo(on: Statements, writeId: string): Promise<{ readonly open?: Change; readonly error?: WriteError }> {
  for (let name = writeId; ;) {
    const [change] = await readChanges(on, `"write_id" = $1`, [name]);
    if (change && change.state !== "acknowledged" && change.state !== "rejected") return { open: change };
    if (change) return change.error ? { error: change.error } : {};
    const [outcome] = await on.query<{ joined: string | null; error: unknown }>(`SELECT "joined", "error" FROM "_outcomes" WHERE "write_id" = $1`, [name]);
    if (!outcome) return { error: { code: "undone", message: "a later write undid this one before it was sent" } };
    if (outcome.error) return { error: parsed(outcome.error) as WriteError };
    if (!outcome.joined) return {};
    name = outcome.joined;
  }
}

/** Whether a write can't be at the server: one that is offered again may be there since it was first sent. */
const hasNotLeft = ({ state, attempts }: Change): boolean => state === "pending" && attempts === 0;

/** Of a write that was ended unsent, or that the server does not know. */
export const NOT_SENT: WriteError = { code: "offline", message: "the server could not be reached while somebody waited, and does not have the write" };

/**
 * Ends confirmed writes that nobody can be waiting for any longer, as those of a page that was closed: after twice the
 * time that one waits. They must not go out days later. They are among the refused ones, and can be offered again.
 */
export async function endOverdue(database: LocalDatabase): Promise<void> {
  const before = new Date(Date.now() - 2 * confirmTimeoutOf(database)).toISOString();
  const condition = `"mode" = 'confirmed' AND "state" IN ('pending', 'sending') AND "created_at" < $1`;
  if ((await database.query(`SELECT 1 FROM "_changes" WHERE ${condition} LIMIT 1`, [before])).length === 0) return;
  await database.transaction(async (inside) => {
    for (const change of await readChanges(inside, condition, [before])) {
      await reject(inside, change.writeId, hasNotLeft(change) ? NOT_SENT : TIMED_OUT);
    }
  });
}

/**
 * Ends a write that has no answer. While there is time, one that may have left is left alone: without a connection its
 * try ends by itself, and then it has not.
 */
function giveUp(database: LocalDatabase, writeId: string, isLast: boolean): Promise<void> {
  return database.transaction(async (inside) => {
    const { open } = await answerTo(inside, writeId);
    if (!open || (!hasNotLeft(open) && !isLast)) return;
    const error = hasNotLeft(open) ? { ...OFFLINE, message: `${OFFLINE.message}, and the write was taken back` } : TIMED_OUT;
    await reject(inside, open.writeId, error);
    // With all that it was written together with.
    if (hasNotLeft(open)) await inside.query(`DELETE FROM "_changes" WHERE "write_id" = $1 OR "transaction_id" = $2`, [open.writeId, open.transactionId]);
  });
}
