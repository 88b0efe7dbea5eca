/** A role that may not read all columns that a client was made with, against the real server. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runFeed, type FeedState } from "../src/feed.js";
import { readRow } from "../src/rows.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { contactsMeta } from "./generated/meta.js";
import { DOCUMENT, serve, until } from "./served.js";

const id = "4f2504e0-4f89-41d3-9a0c-0305e82c3301";
const open = readFileSync(DOCUMENT, "utf8");
const groups = "      field_groups: { basic: [first_name, email], financial: [credit_limit] }\n";
const roles = "      role_permissions: { viewer: [], editor: [basic], owner: [basic, financial] }\n";

/** The same, but that owners, as everybody is without tokens, may not read a contact's address. */
const closed = open.replace(groups + roles, `      field_groups: { basic: [first_name], mail: [email], financial: [credit_limit] }
      role_permissions: { viewer: [], editor: [basic, mail], owner: [basic, mail, financial] }
      read_permissions: { viewer: [basic], editor: [basic, mail, financial], owner: [basic, financial] }
`);

for (const dialect of DIALECTS) {
  test(`a feed reads on where its role may no longer read a column (${dialect})`, async (context) => {
    assert.notEqual(closed, open);
    const server = await serve(context, open);
    const ask = async (method: string, path: string, body: string): Promise<void> => {
      const answer = await fetch(server.url + path, { method, body, headers: { "content-type": "application/json" } });
      assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
    };
    await ask("POST", "/api/contacts", JSON.stringify({ id, first_name: "Ann", email: "ann@example.org" }));
    const database = await openDatabase(dialect);
    const controller = new AbortController();
    const states: FeedState[] = [];
    const options = { shapeUrl: `${server.url}/v1/shape`, withRoles: true };
    const running = runFeed(database, contactsMeta, options, controller.signal, (state) => states.push(state));
    context.after(async () => {
      controller.abort();
      await running;
    });
    const shows = (first_name: string, email: string | null): Promise<void> => until(`${first_name} is shown`, async () => {
      const row = await readRow(database, dialect, contactsMeta, id);
      return row?.["first_name"] === first_name && row["email"] === email && row["_role"] === "owner";
    });
    await shows("Ann", "ann@example.org");
    await ask("PUT", "/api/schema?allow=change-access", closed);
    await shows("Ann", null);
    await ask("PATCH", `/api/contacts/${id}`, JSON.stringify({ first_name: "Anna" }));
    await shows("Anna", null);
    assert.deepEqual([...new Set(states.map(({ status }) => status))], ["loading", "live"], JSON.stringify(states));
  });
}
