/**
 * The clients of documents other than this package's own: written by the command, and run against a server that
 * serves the same document, with a database and without.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rejectedChanges, WriteFailure, type EntityMeta, type LocalDatabase, type Row, type Sync } from "@syncline/client";
import type { Mutation } from "@syncline/client/react";
import ts from "typescript";
import { render } from "./render.js";
import { BINARY, ROOT, serve, until } from "./served.js";

interface Client {
  configure: (config: object) => void;
  initDatabase: () => Promise<LocalDatabase>;
  sync: () => Sync;
  closeDatabase: () => Promise<void>;
  [name: string]: unknown;
}

/** A record, a change of it, and one that the server refuses; without these its document only makes records. */
interface Case { one: string; many: string; made: Row; changed?: Row; refused?: Row }

const FIXTURES: Record<string, Case[]> = {
  "minimal-crud": [
    { one: "Note", many: "Notes", made: { title: "Milk", body: null }, changed: { title: "Bread" }, refused: { title: null } },
  ],
  "finance-tracker": [
    { one: "Budget", many: "Budgets", made: { id: 7, month: "2026-11-01", amount: 12.5 } },
    { one: "Contact", many: "Contacts", made: { first_name: "Ann", last_name: "Lee" }, changed: { first_name: "Anna" }, refused: { first_name: null } },
    { one: "Category", many: "Categories", made: { name: "Food" }, changed: { name: "Meals" }, refused: { name: null } },
  ],
};

/** Writes the client of a document, and gives it as a page has it: as modules of JavaScript. */
async function written(document: string, local: string): Promise<Client> {
  // Below this package, whose modules it imports.
  const folder = join(fileURLToPath(new URL("../clients", import.meta.url)), `${document}-${local}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const path = join(ROOT, `crates/codegen/tests/fixtures/${document}.yaml`);
  const done = spawnSync(BINARY, ["generate", path, "--out", folder, "--local", local], { encoding: "utf8", env: { HOME: folder } });
  assert.equal(done.status, 0, done.stderr);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"))) {
    const text = readFileSync(join(folder, name), "utf8");
    const { outputText } = ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } });
    writeFileSync(join(folder, name.replace(/ts$/, "js")), outputText);
  }
  return await import(pathToFileURL(join(folder, "index.js")).href) as Client;
}

/** What a hook gives. One of a verb that its document lacks is not there. */
const called = <T>(client: Client, name: string): T => (client[name] as undefined | (() => T))?.() as T;

async function live(client: Client, { one, many, made, changed, refused }: Case, database: LocalDatabase | undefined): Promise<void> {
  const page = await render(() => ({
    all: called<{ data: Row[]; isError: boolean }>(client, `use${many}`),
    create: called<Mutation<Row, string | number>>(client, `useCreate${one}`),
    update: called<Mutation<{ key: string | number; changes: Row }, void>>(client, `useUpdate${one}`),
    remove: called<Mutation<string | number, void>>(client, `useDelete${one}`),
  }));
  const shows = (what: string, values: Row): Promise<void> => until(`${one}: ${what}`, async () =>
    page.current.all.data.length === 1 && !page.current.all.data[0]!["_has_local_changes"]
    && Object.entries(values).every(([name, value]) => page.current.all.data[0]![name] === value));
  const key = await page.current.create.mutateAsync(made);
  await shows("what was made is shown", made);
  assert.equal(page.current.all.data[0]!["_role"], "owner");
  if (!changed || !refused) return page.unmount();
  await page.current.update.mutateAsync({ key, changes: changed });
  await shows("what was changed is shown", { ...made, ...changed });
  const { mode } = client[`${many[0]!.toLowerCase()}${many.slice(1)}Meta`] as EntityMeta;
  const refusal = page.current.update.mutateAsync({ key, changes: refused });
  if (database && mode === "optimistic") {
    await refusal;
    await until(`${one}: the change is refused`, async () => (await rejectedChanges(database)).some((change) => change.key === String(key)));
  } else {
    await assert.rejects(refusal, (error) => error instanceof WriteFailure && error.code === "validation_failed");
  }
  await shows("what was refused is gone", { ...made, ...changed });
  await page.current.remove.mutateAsync(key);
  await until(`${one}: it is gone`, async () => page.current.all.data.length === 0);
  page.unmount();
}

for (const [document, cases] of Object.entries(FIXTURES)) {
  for (const local of ["pglite", "memory"]) {
    test(`the client of ${document} makes, shows, changes and deletes records (${local})`, async (context) => {
      const server = await serve(context, readFileSync(join(ROOT, `crates/codegen/tests/fixtures/${document}.yaml`), "utf8"));
      const client = await written(document, local);
      client.configure({ apiUrl: server.url });
      let database: LocalDatabase | undefined;
      if (local === "pglite") {
        database = await client.initDatabase();
        client.sync();
        context.after(client.closeDatabase);
      }
      for (const one of cases) await live(client, one, database);
    });
  }
}
