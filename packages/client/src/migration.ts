import { columnType, quote, toColumn, type Dialect, type Statements } from "./database.js";
import { readChanges, reject, setBase, type Change } from "./changes.js";
import { pick, type EntityMeta, type FieldKind, type Json, type LocalSchema } from "./entity.js";
import { text } from "./opening.js";
import { keyOf } from "./rows.js";

/** The columns of an entity's local table that are neither the key nor a field. */
const OWN_COLUMNS = ["_changed_columns", "_is_new", "_is_deleted", "_write_id"];

/**
 * Takes the tables of another version apart, and puts aside what stays. Gives what puts it back into an entity's new tables.
 * A page that finds its own version has no need of this module, and does not load it.
 */
export async function takeApart(
  inside: Statements, dialect: Dialect, { entities }: LocalSchema,
): Promise<(meta: EntityMeta) => Promise<void>> {
  const kept = new Map<EntityMeta, readonly Kept[]>();
  const held = new Map<EntityMeta, Held>();
  // By the triggers of the version that is there, since they know its columns.
  for (const { meta } of entities) {
    const isRenamed = await setAside(inside, dialect, meta);
    await refuseMisfits(inside, dialect, meta);
    const taken = await takeOut(inside, meta);
    held.set(meta, isRenamed ? new Map() : taken);
  }
  await keepParted(inside, dialect);
  for (const { meta } of entities) kept.set(meta, await takeDown(inside, dialect, meta));
  return (meta) => putBack(inside, dialect, meta, kept.get(meta)!, held.get(meta)!);
}

/** Values by the keys of their rows. */
type Held = ReadonlyMap<string, Record<string, Json>>;

/** A column of a local table that never leaves the database, where it was and where it goes. */
interface Kept {
  readonly from: string;
  readonly to: string;
  readonly type: string;
}

const keptTable = (meta: EntityMeta): string => quote(`_${meta.name}_kept`);
const fieldOf = (meta: EntityMeta, name: string) => meta.fields.find((field) => field.name === name);
const typeOf = (dialect: Dialect, kind: FieldKind): string => columnType(dialect, kind).toLowerCase();

/**
 * Where another field, or one of another type, names the rows now, keeps the local table as it is under a name of its own: what is of no row
 * that the server shows could not be found again. Gives whether it is so.
 */
async function setAside(inside: Statements, dialect: Dialect, meta: EntityMeta): Promise<boolean> {
  const local = `${meta.name}_local`;
  const own = await columnsOf(inside, dialect, local);
  const [former] = own.keys();
  if (former === undefined || own.get(meta.key) === typeOf(dialect, fieldOf(meta, meta.key)!.kind) && former === meta.key) return false;
  if ((await inside.query(`SELECT 1 FROM ${quote(local)} LIMIT 1`)).length > 0) {
    let count = 1;
    while ((await columnsOf(inside, dialect, `_${meta.name}_was${count}`)).size > 0) count++;
    await inside.exec(`CREATE TABLE ${quote(`_${meta.name}_was${count}`)} AS SELECT * FROM ${quote(local)}`);
  }
  return true;
}

/** Refuses the unsent writes of which the schema can't hold a value. What the server has accepted comes with its rows. */
async function refuseMisfits(inside: Statements, dialect: Dialect, meta: EntityMeta): Promise<void> {
  const [former = meta.key] = (await columnsOf(inside, dialect, `${meta.name}_local`)).keys();
  const isOther = former !== meta.key;
  for (const change of await readChanges(inside, `"entity" = $1 AND "state" <> 'rejected'`, [meta.name])) {
    const field = isOther ? former : misfitOf(meta, change);
    if (field === undefined) continue;
    if (change.state === "acknowledged") {
      await inside.query(`DELETE FROM "_changes" WHERE "id" = $1`, [change.id]);
      continue;
    }
    const error = { code: "schema_changed", message: `${meta.name}.${field} ${isOther ? "no longer names the row" : "is of another kind than when this was written"}` };
    await reject(inside, change.writeId, error);
  }
}

/** Leaves accepted transactions of which a part has come to the server: what was kept aside to send them again is the former version's. */
async function keepParted(inside: Statements, dialect: Dialect): Promise<void> {
  if ((await columnsOf(inside, dialect, "_let_go")).size === 0) return;
  await inside.exec(
    `UPDATE "_changes" SET "seq" = 0 WHERE "state" = 'acknowledged' AND "transaction_id" IN (SELECT "transaction_id" FROM "_let_go"); DELETE FROM "_let_go"`,
  );
}

/**
 * Takes out of the writes what from now on never leaves the database, and gives it. What may be at the server is sent again as it was, or
 * not at all.
 */
async function takeOut(inside: Statements, meta: EntityMeta): Promise<Held> {
  const held = new Map<string, Record<string, Json>>();
  const isOurs = (name: string): boolean => fieldOf(meta, name)?.excluded === true;
  const isOthers = (name: string): boolean => !isOurs(name);
  for (const change of await readChanges(inside, `"entity" = $1 AND "state" <> 'acknowledged'`, [meta.name])) {
    const { id, key, operation, value, base, state, attempts, error } = change;
    const isAnswered = state === "rejected" && !["timed_out", "dependency_rejected"].includes(error!.code);
    if ((attempts > 0 && !isAnswered) || ![...Object.keys(value), ...Object.keys(base)].some(isOurs)) continue;
    held.set(key, { ...held.get(key), ...pick(value, (name, of) => isOurs(name) && fits(fieldOf(meta, name)!.kind, of)) });
    const left = pick(value, isOthers);
    if (operation === "update" && Object.keys(left).length === 0) {
      await inside.query(`DELETE FROM "_changes" WHERE "id" = $1`, [id]);
      continue;
    }
    await inside.query(`UPDATE "_changes" SET "value" = $1 WHERE "id" = $2`, [JSON.stringify(left), id]);
    await setBase(inside, id, pick(base, isOthers));
  }
  return held;
}

/** The field whose column can't hold what a change gives it. */
function misfitOf(meta: EntityMeta, { key, value }: Change): string | undefined {
  const kind = fieldOf(meta, meta.key)!.kind;
  if ((kind === "int32" || kind === "int64") && !/^-?\d+$/.test(key)) return meta.key;
  return Object.keys(value).find((name) => {
    const field = fieldOf(meta, name);
    return field !== undefined && !fits(field.kind, value[name]!);
  });
}

function fits(kind: FieldKind, value: Json): boolean {
  if (value === null || kind === "json") return true;
  switch (kind) {
    case "boolean": return typeof value === "boolean";
    case "int32": return typeof value === "number" && (value | 0) === value;
    case "int64": return Number.isInteger(value);
    case "float": return typeof value === "number";
    case "decimal": return typeof value === "string" && /^[+-]?\d+(\.\d+)?$/.test(value);
    default: return typeof value === "string";
  }
}

/**
 * Takes down what follows from the changes, and the server's rows if their columns are others, and puts aside what
 * never leaves the database. A column of it whose name now stands for something else waits under its name and type.
 */
async function takeDown(inside: Statements, dialect: Dialect, meta: EntityMeta): Promise<readonly Kept[]> {
  const synced = `${meta.name}_synced`;
  const local = `${meta.name}_local`;
  const [had, own] = [await columnsOf(inside, dialect, synced), await columnsOf(inside, dialect, local)];
  const [former] = own.keys();
  if (former === undefined) return [];
  const [key, isOther] = [quote(meta.key), former !== meta.key];
  await inside.query(`DROP VIEW IF EXISTS ${quote(meta.name)}`);
  const wanted = new Map([...meta.fields.filter((field) => !field.excluded), { name: "_role", kind: "text" as const }]
    .map(({ name, kind }) => [name, typeOf(dialect, kind)]));
  const kept: Kept[] = [];
  // Rows whose key is of another type now are other rows.
  if (own.get(meta.key) === wanted.get(meta.key)) {
    for (const [from, type] of own) {
      if (had.has(from) || OWN_COLUMNS.includes(from)) continue;
      const aside = ` (${type})`;
      const name = from.endsWith(aside) && !fieldOf(meta, from) ? from.slice(0, -aside.length) : from;
      const field = fieldOf(meta, name);
      const isFree = !field || (field.excluded && typeOf(dialect, field.kind) === type);
      kept.push({ from, to: isFree ? name : name + aside, type });
    }
  }
  if (kept.length > 0) {
    const columns = kept.map(({ from }) => quote(from));
    const any = columns.map((column) => `${column} IS NOT NULL`).join(" OR ");
    // What another field names now is found by what the server has shown of it.
    const rows = isOther ? `${quote(local)} JOIN ${quote(synced)} AS named USING (${quote(former)}) WHERE named.${key} IS NOT NULL AND` : `${quote(local)} AS named WHERE`;
    await inside.exec(`CREATE TABLE ${keptTable(meta)} AS SELECT ${[`named.${key}`, ...columns].join(", ")} FROM ${rows} (${any})`);
  }
  if (isOther || had.size !== wanted.size || [...wanted].some(([name, type]) => had.get(name) !== type)) {
    await inside.exec(`DROP TABLE ${quote(synced)}; DELETE FROM "_shapes" WHERE "entity" = ${text(meta.name)}`);
  }
  await inside.exec(`DROP TABLE ${quote(local)}`);
  return kept;
}

/** Puts back what was put aside, and makes anew what follows from the changes. */
async function putBack(inside: Statements, dialect: Dialect, meta: EntityMeta, kept: readonly Kept[], held: Held): Promise<void> {
  const local = `${meta.name}_local`;
  if (kept.length > 0) {
    const there = await columnsOf(inside, dialect, local);
    for (const { to, type } of kept) {
      if (!there.has(to)) await inside.exec(`ALTER TABLE ${quote(local)} ADD COLUMN ${quote(to)} ${type}`);
    }
    const [to, from] = (["to", "from"] as const).map((side) => [meta.key, ...kept.map((column) => column[side])].map(quote).join(", "));
    await inside.exec(`INSERT INTO ${quote(local)} (${to}) SELECT ${from} FROM ${keptTable(meta)} WHERE true ON CONFLICT DO NOTHING; DROP TABLE ${keptTable(meta)}`);
  }
  for (const [key, values] of held) {
    for (const [name, value] of Object.entries(values)) {
      await inside.query(
        `INSERT INTO ${quote(local)} (${quote(meta.key)}, ${quote(name)}) VALUES ($1, $2) ON CONFLICT (${quote(meta.key)}) DO UPDATE SET ${quote(name)} = excluded.${quote(name)}`,
        [toColumn(dialect, fieldOf(meta, meta.key)!.kind, keyOf(meta, key)), toColumn(dialect, fieldOf(meta, name)!.kind, value)],
      );
    }
  }
  await inside.query(
    dialect === "sqlite"
      ? `INSERT INTO "_overlay" ("entity", "key") SELECT DISTINCT "entity", "key" FROM "_changes" WHERE "entity" = $1 AND "state" <> 'rejected'`
      : `SELECT ${quote(`_${meta.name}_overlay`)}("key") FROM (SELECT DISTINCT "key" FROM "_changes" WHERE "entity" = $1 AND "state" <> 'rejected') AS "rows"`,
    [meta.name],
  );
}

/** The columns of a table with their types, the key first; none: there is no such table. */
async function columnsOf(inside: Statements, dialect: Dialect, table: string): Promise<Map<string, string>> {
  const rows = await inside.query<{ name: string; type: string }>(
    dialect === "sqlite"
      ? `SELECT "name", lower("type") AS "type" FROM pragma_table_info($1)`
      : `SELECT column_name AS "name", data_type AS "type" FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`,
    [table],
  );
  return new Map(rows.map((row) => [row.name, row.type]));
}
