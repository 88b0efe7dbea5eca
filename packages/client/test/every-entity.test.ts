/** The client of every document that is there to be tried, used for each of its entities. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Local } from "./clients.js";
import { useEvery } from "./every-entity.js";
import { DOCUMENT, ROOT } from "./served.js";

const FIXTURES = join(ROOT, "crates/codegen/tests/fixtures");
const documents = readdirSync(FIXTURES).filter((file) => file.endsWith(".yaml")).map((file) => [file.replace(".yaml", ""), join(FIXTURES, file)] as const);

for (const [name, path] of [...documents, ["sample", DOCUMENT] as const]) {
  for (const local of ["pglite", "memory"] satisfies Local[]) {
    test(`the client of ${name} makes, shows, changes and deletes records of every entity (${local})`, async (context) => {
      await useEvery(context, `every-${name}`, readFileSync(path, "utf8"), local);
    });
  }
}
