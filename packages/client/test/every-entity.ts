/** The client of any document, used for every entity of it by no more than what the schema says: its hooks, its schemas and its requests. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { pendingChanges, rejectedChanges, type EntityMeta, type LocalDatabase, type Row } from "@syncline/client";
import type { Mutation } from "@syncline/client/react";
import { pgliteDatabase } from "@syncline/client/pglite";
import { opened, written, type Client, type Local } from "./clients.js";
import { freshPglite } from "./fresh-pglite.js";
import { render, type Rendered } from "./render.js";
import { Samples, type Entity } from "./samples.js";
import { serve, until, type Context } from "./served.js";

type Key = string | number;

/** Those of one entity. A page only reads where there is none of a verb. */
interface Hooks {
  all: { data: Row[]; isError: boolean };
  create?: Mutation<Row, Key> | undefined;
  update?: Mutation<{ key: Key; changes: Row }, void> | undefined;
  remove?: Mutation<Key, void> | undefined;
}

interface Schema { safeParse: (values: Row) => { error?: Error } }
interface Requests { list?: (...path: Record<string, string>[]) => Promise<Row[]> }

/** An entity in use: its page, and what is to be seen there and on the server by now. */
interface Used {
  entity: Entity;
  meta: EntityMeta;
  hooks: Rendered<Hooks>;
  create: Schema | undefined;
  update: Schema | undefined;
  listed: ((row: Row) => Promise<Row[]>) | undefined;
  /** What was ever made. */
  made: Row[];
  rows: { key: Key; values: Row }[];
}

/**
 * Has a client make, change and delete records of a server's entities, or of those that are `chosen`: where its document has no such
 * operation another does, and the page shows it. After each step both show the same, and in the end nothing is left of the writes.
 */
export async function useEvery(context: Context, name: string, document: string, local: Local, chosen?: (entities: readonly Entity[]) => Entity[]): Promise<void> {
  const server = await serve(context, document, "command");
  const { schema } = await (await fetch(`${server.url}/api/schema`)).json() as { schema: { entities: Entity[] } };
  const samples = new Samples(schema.entities);
  const entities = chosen?.(schema.entities) ?? schema.entities;
  const client = await written(name, document, local);
  const storage = local === "pglite" ? { opened: pgliteDatabase(await freshPglite()), name: crypto.randomUUID() } : {};
  const database = await opened(context, client, local, server.url, { storage, fed: entities.map(({ name }) => name) });
  const all: Used[] = [];
  for (const entity of samples.inOrder()) if (entities.includes(entity)) all.push(await used(client, entity, local));

  for (const one of all) {
    await make(one, samples.whole(one.entity), server.url);
    if (!samples.isBound(one.entity)) await make(one, samples.least(one.entity), server.url);
  }
  await areShown(all, database, "made");
  for (const one of all) await change(one, samples.changed(one.entity), server.url);
  await areShown(all, database, "changed");
  for (const one of all.toReversed()) await remove(one, server.url);
  await areShown(all, database, "deleted");

  for (const { hooks } of all) hooks.unmount();
  if (!database) return;
  await until("everything is with the server", async () => (await pendingChanges(database)).length === 0);
  assert.deepEqual(await rejectedChanges(database), []);
}

async function used(client: Client, entity: Entity, local: Local): Promise<Used> {
  const [variable, whole] = Object.entries(client).find(([export_, meta]) => export_.endsWith("Meta") && (meta as EntityMeta).name === entity.name) as [string, EntityMeta];
  // In memory TanStack DB puts changed rows together by assignments, and none makes a field of this name: `generate` tells of it.
  const meta = { ...whole, fields: whole.fields.filter(({ name }) => local === "pglite" || name !== "__proto__") };
  const stem = variable.slice(0, -"Meta".length);
  const many = `use${stem[0]!.toUpperCase()}${stem.slice(1)}`;
  const folder = join(client.folder, "entities");
  const modules = await Promise.all(readdirSync(folder).filter((file) => file.endsWith(".js") && file !== "index.js")
    .map(async (file) => await import(pathToFileURL(join(folder, file)).href) as Record<string, () => unknown>));
  const module = modules.find((exports_) => many in exports_)!;
  const hook = (start: string): (() => unknown) | undefined => Object.entries(module).find(([export_]) => export_.startsWith(start) && export_ !== many)?.[1];
  const [create, update, remove] = ["useCreate", "useUpdate", "useDelete"].map(hook);
  const hooks = await render(() => ({ all: module[many]!(), create: create?.(), update: update?.(), remove: remove?.() }) as Hooks);
  const { list } = client[`${stem}Client`] as Requests;
  const parents = entity.operations!.filter(({ verb }) => verb === "list").map(({ field_parameters = [] }) => field_parameters).sort((one, other) => one.length - other.length)[0];
  const listed = list && (async (row: Row) => list(...(parents?.length ? [Object.fromEntries(parents.map(([parameter, field]) => [parameter, String(row[field])]))] : [])));
  return { entity, meta, hooks, listed, made: [], rows: [], create: client[`${stem}CreateSchema`] as Schema | undefined, update: client[`${stem}UpdateSchema`] as Schema | undefined };
}

async function make({ entity, meta, hooks, create, made, rows }: Used, whole: Row, url: string): Promise<void> {
  const values = hooks.current.create ? known(meta, whole) : shared(meta, whole);
  assert.equal(create?.safeParse(values).error, undefined, entity.name);
  made.push(values);
  const key = (values[entity.key] ?? crypto.randomUUID()) as Key;
  if (hooks.current.create) {
    rows.push({ key: await hooks.current.create.mutateAsync(values), values });
  } else {
    await write(url, entity, key, "create", values);
    rows.push({ key, values });
  }
}

async function change({ entity, meta, hooks, update, rows }: Used, whole: Row, url: string): Promise<void> {
  const changes = hooks.current.update ? known(meta, whole) : shared(meta, whole);
  if (Object.keys(changes).length === 0) return;
  const row = rows[0]!;
  assert.equal(update?.safeParse(changes).error, undefined, entity.name);
  if (hooks.current.update) await hooks.current.update.mutateAsync({ key: row.key, changes });
  else await write(url, entity, row.key, "update", changes);
  Object.assign(row.values, changes);
}

async function remove({ entity, hooks, rows }: Used, url: string): Promise<void> {
  for (const { key } of rows.splice(0)) {
    if (hooks.current.remove) await hooks.current.remove.mutateAsync(key);
    else await write(url, entity, key, "delete", {});
  }
}

/** What another writer does. */
async function write(url: string, { name }: Entity, key: Key, action: string, values: Row): Promise<void> {
  const transactions = [{ write_id: crypto.randomUUID(), writes: [{ entity: name, id: String(key), action, values, base: {} }] }];
  const answer = await fetch(`${url}/api/writes`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ transactions }) });
  const { results } = await answer.json() as { results: { status: string }[] };
  assert.equal(results[0]!.status, "accepted", JSON.stringify(results));
}

const pick = (values: Row, is: (name: string) => boolean): Row => Object.fromEntries(Object.entries(values).filter(([name]) => is(name)));
const known = ({ fields }: EntityMeta, values: Row): Row => pick(values, (field) => fields.some(({ name }) => name === field));
const shared = ({ fields }: EntityMeta, values: Row): Row => pick(values, (field) => fields.some(({ name, excluded }) => name === field && !excluded));

/** Waits until pages and server show what was done, and nothing else. */
async function areShown(all: readonly Used[], database: LocalDatabase | undefined, what: string): Promise<void> {
  for (const { entity, meta, hooks, listed, made, rows } of all) {
    const isShown = (found: readonly Row[], of: (values: Row) => Row): boolean => found.length === rows.length && rows.every(({ key, values }) => {
      const row = found.find((one) => one[entity.key] === key);
      return row && !row["_has_local_changes"] && Object.entries(of(values)).every(([name, value]) => isDeepStrictEqual(row[name], value));
    });
    await until(`${entity.name} is ${what}: ${JSON.stringify(rows)}`, async () => {
      assert.ok(!hooks.current.all.isError, entity.name);
      if (database) assert.deepEqual(await rejectedChanges(database), []);
      return isShown(hooks.current.all.data, (values) => values);
    });
    await until(`the server has ${entity.name} ${what}`, async () => !listed || isShown(await listed(made[0]!), (values) => shared(meta, values)));
  }
}
