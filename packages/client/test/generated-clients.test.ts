/**
 * The clients of documents other than this package's own: written by the command, and run against a server that
 * serves the same document, with a database and without.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { live, opened, written, type Case, type Local } from "./clients.js";
import { ROOT, serve } from "./served.js";

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

for (const [document, cases] of Object.entries(FIXTURES)) {
  for (const local of ["pglite", "memory"] satisfies Local[]) {
    test(`the client of ${document} makes, shows, changes and deletes records (${local})`, async (context) => {
      const text = readFileSync(join(ROOT, `crates/codegen/tests/fixtures/${document}.yaml`), "utf8");
      const server = await serve(context, text);
      const client = await written(document, text, local);
      const database = await opened(context, client, local, server.url);
      for (const one of cases) await live(client, one, database, server.url);
    });
  }
}
