/** Clients that the command writes, run against a server with the same document. Needs the binary, as the server does. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { pendingChanges, rejectedChanges, startSync, WriteFailure, type EntityMeta, type LocalDatabase, type LocalSchema, type Row, type Sync } from "@syncline/client";
import type { Mutation } from "@syncline/client/react";
import { buildSync } from "esbuild";
import { render } from "./render.js";
import { BINARY, until, type Context } from "./served.js";

export type Local = "pglite" | "memory";

export interface Client {
  configure: (config: object) => void;
  initDatabase: (storage?: object) => Promise<LocalDatabase>;
  sync: () => Sync;
  closeDatabase: () => Promise<void>;
  /** What the local database is made of, where there is one. */
  schema?: LocalSchema;
  /** Where its modules lie. */
  folder: string;
  [name: string]: unknown;
}

/**
 * A record, a change of it, and one that the server refuses: where the document changes none, a new record. Without a
 * refused one its document only makes records. `path` is where another writer makes the same record.
 */
export interface Case { one: string; many: string; made: Row; changed?: Row; refused?: Row; path?: string }

/** Writes the client of a document, and gives it as a page has it: as modules of JavaScript. */
export async function written(name: string, document: string, local: Local): Promise<Client> {
  // Below this package, whose modules it imports.
  const folder = join(fileURLToPath(new URL("../clients", import.meta.url)), `${name}-${local}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const path = `${folder}.openapi`;
  writeFileSync(path, document);
  const done = spawnSync(BINARY, ["generate", path, "--out", folder, "--local", local], { encoding: "utf8", env: { HOME: folder } });
  assert.equal(done.status, 0, done.stderr);
  const modules = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  buildSync({ entryPoints: modules.map((file) => join(folder, file)), outdir: folder, outbase: folder, format: "esm", target: "es2022" });
  const of = async <T>(file: string): Promise<T> => await import(pathToFileURL(join(folder, file)).href) as T;
  return { ...await of<Client>("index.js"), folder, ...(local === "pglite" ? await of<{ schema: LocalSchema }>("schema/pglite.js") : {}) };
}

/** A user's: a busy machine may take minutes for what takes seconds on another. */
const PATIENT = { timeoutMs: 60_000, confirmTimeoutMs: 600_000 };

/**
 * Has a client use a server, over a database of its own where it is written for one. The rows that come are those of the entities
 * `fed`, or all: of many more entities than there are connections the feeds take turns, of a second each.
 */
export async function opened(
  context: Context, client: Client, local: Local, url: string, { fed, storage }: { fed?: readonly string[]; storage?: object } = {},
): Promise<LocalDatabase | undefined> {
  const options = { apiUrl: url, ...PATIENT };
  client.configure(options);
  if (local === "memory") return undefined;
  const database = await client.initDatabase(storage);
  const schema = client.schema!;
  const sync = fed
    ? startSync({ ...options, database, schema: { ...schema, entities: schema.entities.filter(({ meta }) => fed.includes(meta.name)) } })
    : client.sync();
  context.after(async () => {
    await sync.stop();
    await client.closeDatabase();
  });
  return database;
}

export const metaOf = (client: Client, many: string): EntityMeta => client[`${many[0]!.toLowerCase()}${many.slice(1)}Meta`] as EntityMeta;

/** What a hook gives. One of a verb that its document lacks is not there. */
const called = <T>(client: Client, name: string): T => (client[name] as undefined | (() => T))?.() as T;

const shows = (row: Row | undefined, values: Row): boolean =>
  row !== undefined && !row["_has_local_changes"] && Object.entries(values).every(([name, value]) => isDeepStrictEqual(row[name], value));

/** Makes a record, and has it changed, refused a change and deleted, and made by another writer. */
export async function live(client: Client, { one, many, made, changed, refused, path }: Case, database: LocalDatabase | undefined, url: string): Promise<void> {
  const page = await render(() => ({
    all: called<{ data: Row[]; isError: boolean }>(client, `use${many}`),
    create: called<Mutation<Row, string | number>>(client, `useCreate${one}`),
    update: called<Mutation<{ key: string | number; changes: Row }, void>>(client, `useUpdate${one}`),
    remove: called<Mutation<string | number, void>>(client, `useDelete${one}`),
  }));
  const comes = (what: string, values: Row): Promise<void> =>
    until(`${one}: ${what}`, async () => page.current.all.data.length === 1 && shows(page.current.all.data[0], values));
  const key = await page.current.create.mutateAsync(made);
  await comes("what was made is shown", made);
  assert.equal(page.current.all.data[0]!["_role"], "owner");
  if (changed) {
    await page.current.update.mutateAsync({ key, changes: changed });
    await comes("what was changed is shown", { ...made, ...changed });
  }
  if (refused) {
    const { mode } = metaOf(client, many);
    const refusal = changed ? page.current.update.mutateAsync({ key, changes: refused }) : page.current.create.mutateAsync(refused);
    if (database && mode === "optimistic") {
      const refusedKey = String(await refusal ?? key);
      await until(`${one}: the write is refused`, async () => (await rejectedChanges(database)).some((change) => change.key === refusedKey));
    } else {
      await assert.rejects(refusal, (error) => error instanceof WriteFailure && error.code === "validation_failed");
    }
    await comes("what was refused is gone", { ...made, ...changed });
    await page.current.remove.mutateAsync(key);
    await until(`${one}: it is gone`, async () => page.current.all.data.length === 0);
    // Where it is gone before the server knows.
    const { name } = metaOf(client, many);
    await until(`${one}: the server knows`, async () => !database || (await pendingChanges(database)).every(({ entity }) => entity !== name));
  }
  if (path) {
    const theirs = await fetch(`${url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(made) });
    assert.ok(theirs.ok, await theirs.text());
    await comes("what another has made is shown", made);
  }
  page.unmount();
}
