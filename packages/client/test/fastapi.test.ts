/** The guide's FastAPI (`docs/guide/records.md`), as it stands, with FastAPI itself: what its document declares. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { EntityMeta } from "@syncline/client";
import { written } from "./clients.js";
import { ROOT, serve } from "./served.js";

const REQUIREMENTS = join(ROOT, "packages/client/test/fastapi-requirements.txt");
const PRINT = "import app, json; print(json.dumps(app.app.openapi()))";

/** The folder of what the requirements name, installed once for each version of them and of Python, for which some of it is compiled. */
function installed(): string {
  const folder = join(ROOT, "target/fastapi");
  const mark = join(folder, "requirements.txt");
  const { stdout: python } = spawnSync("python3", ["--version"], { encoding: "utf8" });
  const wanted = `# ${python}${readFileSync(REQUIREMENTS, "utf8")}`;
  if (existsSync(mark) && readFileSync(mark, "utf8") === wanted) return folder;
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const words = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "--no-deps", "--target", fresh, "--requirement", REQUIREMENTS];
  const done = spawnSync("python3", words, { encoding: "utf8" });
  assert.equal(done.status, 0, `this test needs Python and its pip: \`apt-get install python3-pip\`. ${done.error?.message ?? done.stderr}`);
  writeFileSync(join(fresh, "requirements.txt"), wanted);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
  return folder;
}

/** The document that the guide's application prints. */
function printed(context: { after: (end: () => void) => void }): string {
  const guide = readFileSync(join(ROOT, "docs/guide/records.md"), "utf8");
  const [, application] = guide.match(/^```python\n([^]*?)^```$/m) ?? assert.fail("the guide has no Python");
  const home = mkdtempSync(join(tmpdir(), "syncline-fastapi-"));
  context.after(() => rmSync(home, { recursive: true, force: true }));
  writeFileSync(join(home, "app.py"), application!);
  const done = spawnSync("python3", ["-c", PRINT], { cwd: home, encoding: "utf8", env: { ...process.env, PYTHONPATH: installed(), PYTHONDONTWRITEBYTECODE: "1" } });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

test("the document that the guide's FastAPI prints is generated from and served, with all that the guide declares", async (context) => {
  const document = printed(context);
  const client = await written("fastapi", document, "pglite");
  const { name, key, mode, fields, permissions } = client["contactsMeta"] as EntityMeta;
  assert.deepEqual({ name, key, mode, permissions }, {
    name: "contacts", key: "id", mode: "optimistic", permissions: { viewer: [], editor: ["basic"], owner: ["basic"] },
  });
  assert.deepEqual(fields, [
    { name: "id", kind: "uuid" },
    { name: "name", kind: "text", groups: ["basic"] },
    { name: "credit_limit", kind: "decimal", ownerOnly: true },
    { name: "my_notes", kind: "text", excluded: true },
  ]);

  const server = await serve(context, document, "command");
  const { schema } = await (await fetch(`${server.url}/api/schema`)).json() as { schema: { entities: { name: string; fields: { name: string }[] }[] } };
  assert.deepEqual(schema.entities.map((entity) => [entity.name, entity.fields.map((field) => field.name)]), [["contacts", fields.map((field) => field.name)]]);
  const writes = [{ entity: "contacts", id: crypto.randomUUID(), action: "create", values: { name: "Ada", credit_limit: "1250.50" }, base: {} }];
  const body = JSON.stringify({ transactions: [{ write_id: crypto.randomUUID(), writes }] });
  const made = await fetch(`${server.url}/api/writes`, { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.equal(made.status, 200, await made.clone().text());
  const [row] = await (await fetch(`${server.url}/api/contacts`)).json() as Record<string, unknown>[];
  assert.deepEqual([row?.["name"], row?.["credit_limit"]], ["Ada", "1250.50"]);
});
