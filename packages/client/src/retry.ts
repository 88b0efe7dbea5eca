/**
 * How refused writes are offered again, those without an answer asked for, and values noted that were lost to another's. A page in which none was
 * refused has no need of this module, and does not load it.
 */
import { lostTo, readChanges, rejectedChanges, standing, standOn, TIMED_OUT, type Change, type Lost, type WriteError } from "./changes.js";
import { quote, type Dialect, type LocalDatabase, type Statements } from "./database.js";
import { pick } from "./entity.js";
import { HttpFailure } from "./http.js";
import { settle, type Outcome } from "./sender.js";
import { NOT_SENT } from "./writes.js";

/** Offers a refused write again, as `retryWrite` says. */
export function retry(database: LocalDatabase, writeId: string): Promise<void> {
  return database.transaction(async (inside) => {
    const refused = await rejectedChanges(inside);
    const named = (name: string | undefined): Change | undefined => refused.find((change) => change.writeId === name);
    const first = named(named(writeId)?.error?.write_id) ?? named(writeId);
    if (!first) return;
    const isUnanswered = first.error?.code === "timed_out";
    const whole = together(refused);
    const groups = new Set([whole(first)]);
    // Grows as it is gone through.
    for (const group of groups) {
      const names = group.map((change) => change.writeId);
      for (const change of [...refused.filter(({ error }) => names.includes(error?.write_id ?? "")), ...await groundOf(inside, group)]) groups.add(whole(change));
    }
    for (const group of [...groups].sort(([one], [other]) => one!.id - other!.id)) {
      if (!(await offerAgain(inside, database.dialect, group, isUnanswered)) && group.includes(first)) return;
    }
  });
}

/** Asks what became of `unanswered` writes. Gives whether there is none left to be asked for. */
export async function askAfter(
  database: LocalDatabase, unanswered: readonly Change[], ask: (writeId: string) => Promise<Outcome | undefined>,
): Promise<boolean> {
  for (const change of unanswered) {
    // It bears the name of the first of those that were sent with it.
    const changes = change.transactionId === null ? [change] : await readChanges(database, `"transaction_id" = $1`, [change.transactionId]);
    const writeId = changes[0]?.writeId ?? change.writeId;
    try {
      const outcome = await ask(writeId);
      if (outcome) await takeUp(database, await settle(database, [{ writeId, changes }], [outcome]));
      else await database.query(`UPDATE "_changes" SET "state" = 'rejected', "error" = $1, "attempts" = 0 WHERE "id" = $2 AND "state" = 'rejected'`, [JSON.stringify(NOT_SENT), change.id]);
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      // Where a server has no such word it is not asked for again and again.
      return error.kind !== "transient";
    }
  }
  return true;
}

/** Offers again what was given up because writes that it builds on were, which the server has `accepted` after all. */
export function takeUp(database: LocalDatabase, accepted: ReadonlySet<string>): Promise<void> {
  return database.transaction(async (inside) => {
    const given = (await rejectedChanges(inside)).filter(({ error }) => error?.code === "dependency_rejected" && accepted.has(error.write_id!));
    for (const group of new Set(given.map(together(given)))) {
      if (group.every(({ mode }) => mode === "optimistic")) {
        await offerAgain(inside, database.dialect, group, true);
        continue;
      }
      // Who has waited for it was told that it has failed.
      for (const { id, attempts } of group) await inside.query(
        `UPDATE "_changes" SET "state" = 'rejected', "error" = $1 WHERE "id" = $2`, [JSON.stringify(attempts > 0 ? TIMED_OUT : NOT_SENT), id],
      );
    }
  });
}

/**
 * Notes what an accepted write has lost to another's as a refused write of its own, which can be offered again on what
 * the server holds, and tells who waits for it; but not a value that its writer has changed again meanwhile.
 */
export async function noteLost(inside: Statements, { id, writeId, entity, key, mode }: Change, lost: Lost): Promise<void> {
  if (Object.keys(lost).length === 0) return;
  const later = await readChanges(inside, `"entity" = $1 AND "key" = $2 AND "id" > $3 AND "state" <> 'rejected'`, [entity, key, id]);
  const conflicts = pick(lost, (name) => !later.some(({ operation, value }) => operation === "delete" || Object.hasOwn(value, name)));
  const names = Object.keys(conflicts);
  if (names.length === 0) return;
  const side = (of: "base" | "mine"): string => JSON.stringify(Object.fromEntries(names.map((name) => [name, conflicts[name]![of]])));
  const error = JSON.stringify(lostTo(conflicts));
  await inside.query(`UPDATE "_changes" SET "error" = $1 WHERE "id" = $2`, [error, id]);
  // Where its rows have come before its answer it is gone, and has left what became of it.
  await inside.query(`UPDATE "_outcomes" SET "error" = $1 WHERE "write_id" = $2`, [error, writeId]);
  // The answer to a write that was sent again may tell what is told already.
  if ((await readChanges(inside, `"state" = 'rejected' AND "entity" = $1 AND "key" = $2 AND "error" = $3`, [entity, key, error])).length > 0) return;
  await inside.query(
    `INSERT INTO "_changes" ("write_id", "entity", "key", "operation", "mode", "value", "base", "error", "state", "transaction_id") VALUES ($1, $2, $3, 'update', $4, $5, $6, $7, 'rejected', NULL)`,
    [crypto.randomUUID(), entity, key, mode, side("mine"), side("base"), error],
  );
}

/** Gives with each of some changes those among them that were written together with it: the same list for all of these. */
function together(changes: readonly Change[]): (one: Change) => readonly Change[] {
  const groups = new Map<string, Change[]>();
  const nameOf = ({ transactionId, writeId }: Change): string => transactionId ?? `write ${writeId}`;
  for (const change of changes) groups.set(nameOf(change), [...groups.get(nameOf(change)) ?? [], change]);
  return (one) => groups.get(nameOf(one))!;
}

/** The refused writes that would have made the rows which changes name by a reference. */
async function groundOf(inside: Statements, group: readonly Change[]): Promise<Change[]> {
  const references = await inside.query<{ entity: string; field: string; target: string }>(`SELECT * FROM "_references"`);
  const isNamed = ({ entity, key }: Change): boolean => group.some((one) => references.some(({ entity: from, field, target }) =>
    from === one.entity && target === entity && String(one.value[field]) === key));
  const made = await readChanges(inside, `"state" = 'rejected' AND "operation" = 'insert'`);
  return made.filter((change) => isNamed(change) && !group.some(({ id }) => id === change.id));
}

/** Whether the server shows the row of a change. */
async function isShown(inside: Statements, dialect: Dialect, { entity, key }: Change): Promise<boolean> {
  // It comes first.
  const [column] = await inside.query<{ name: string }>(
    dialect === "sqlite" ? `SELECT "name" FROM pragma_table_info($1) WHERE "cid" = 0`
      : `SELECT column_name AS "name" FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 AND ordinal_position = 1`,
    [`${entity}_local`],
  );
  return (await inside.query(`SELECT 1 FROM ${quote(`${entity}_synced`)} WHERE CAST(${quote(column!.name)} AS TEXT) = $1`, [key])).length > 0;
}

/** Gives whether all of what was refused together waits to be sent again, or nothing of it is left to be sent. */
async function offerAgain(inside: Statements, dialect: Dialect, group: readonly Change[], isUnanswered: boolean): Promise<boolean> {
  // One that had no answer may be at the server, as this one may.
  const rowOf = ({ entity, key }: Change): Promise<Change[]> =>
    readChanges(inside, `"entity" = $1 AND "key" = $2 AND ("state" <> 'rejected' OR "error" ->> 'code' = 'timed_out')`, [entity, key]);
  const after = (change: Change, others: readonly Change[]): Change[] =>
    others.filter(({ id }) => id > change.id && !group.some((one) => one.id === id));
  if ((await groundOf(inside, group)).length > 0) return false;
  for (const change of group) {
    const { entity, key, operation, value, writeId } = change;
    const others = await rowOf(change);
    const later = after(change, others);
    const isOver = later.some((other) => operation !== "update" || other.operation !== "update");
    const hasRoom = [...others, ...group].some((one) => one.operation === "delete" && one.entity === entity && one.key === key);
    if (isUnanswered && change.attempts > 0) {
      // Why it is asked for is not to be forgotten. Behind a later one that was sent it would undo that: its answer is asked for,
      // and tells what can be sent.
      if (isOver || later.some((other) => other.attempts > 0 && Object.keys(value).some((name) => Object.hasOwn(other.value, name)))) return false;
      // Another's row: one's own would be shown in its place, and be refused.
    } else if (isOver || (operation === "insert" && !hasRoom && (await isShown(inside, dialect, change)))) {
      const message = isOver ? `a later write has changed the row ${key} of ${entity}` : `${entity} has a row with the key ${key} by now`;
      for (const one of group) {
        const error: WriteError = one === change ? { code: operation === "insert" ? "exists" : "superseded", message }
          : { code: "superseded", message: `${message}, with which this was written`, write_id: writeId };
        await inside.query(`UPDATE "_changes" SET "error" = $1 WHERE "id" = $2`, [JSON.stringify(error), one.id]);
      }
      return false;
    }
  }
  for (const change of group) {
    const { id, writeId, operation, attempts } = change;
    let { value, base } = change;
    const mayBeThere = isUnanswered && attempts > 0;
    if (mayBeThere) {
      await standOn(inside, change);
    } else {
      const others = await rowOf(change);
      const later = after(change, others);
      const isUnset = (name: string): boolean => !later.some((other) => Object.hasOwn(other.value, name));
      const theirs = Object.entries(change.error?.conflicts ?? {}).map(([name, of]) => [name, of.theirs]);
      const unsent = others.filter((other) => other.id < id && (other.state === "pending" || other.state === "sending"));
      value = pick(value, isUnset);
      base = standing(pick({ ...base, ...Object.fromEntries(theirs) }, isUnset), unsent);
      if (operation === "update" && Object.keys(value).length === 0) {
        await inside.query(`DELETE FROM "_changes" WHERE "id" = $1`, [id]);
        continue;
      }
    }
    const isSame = mayBeThere || attempts === 0;
    await inside.query(
      `UPDATE "_changes" SET "write_id" = $1, "state" = 'pending', "attempts" = $2, "error" = NULL, "value" = $3, "base" = $4, "created_at" = $5 WHERE "id" = $6`,
      [isSame ? writeId : crypto.randomUUID(), isSame ? attempts : 0, JSON.stringify(value), JSON.stringify(base), new Date().toISOString(), id],
    );
  }
  return true;
}
