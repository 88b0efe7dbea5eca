/** What a record lacks, and what is null in it: in the types, in the bytes that are sent, and in what is shown of a server's answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pendingChanges, rejectedChanges, type Row } from "@syncline/client";
import type { Mutation } from "@syncline/client/react";
import { opened, written, type Local } from "./clients.js";
import { render } from "./render.js";
import { serve, until } from "./served.js";

const RECORD = "content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } }";
/** Its records are made whole and put in the place of others: nothing says what of one has changed. */
const DOCUMENT = `
openapi: 3.1.0
info: { title: Notes, version: "1" }
paths:
  /api/notes:
    x-sync: { local_first: true }
    get: { responses: { "200": { content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Note" } } } } } } }
    post: { requestBody: { ${RECORD} }, responses: { "201": { ${RECORD} } } }
  /api/notes/{id}:
    get: { responses: { "200": { ${RECORD} } } }
    put: { requestBody: { ${RECORD} }, responses: { "200": { ${RECORD} } } }
    delete: { responses: { "204": {} } }
components:
  schemas:
    Note:
      type: object
      required: [id, title]
      properties:
        id: { type: string }
        title: { type: string }
        body: { type: [string, "null"] }
        tag: { type: string }
        marks: { type: array, items: { type: string } }
`;

interface Collection {
  insert: (row: Row) => { isPersisted: { promise: Promise<unknown> } };
}
interface Answers {
  list: () => Promise<Row[]>;
  get: (key: string) => Promise<Row>;
  create: (values: Row) => Promise<Row>;
  replace: (key: string, values: Row) => Promise<Row>;
}

const fields = ({ id, title, body, tag, marks }: Row): Row => ({ id, title, body, tag, marks });

for (const local of ["pglite", "memory"] satisfies Local[]) {
  test(`what a record lacks is shown as null and not sent as such (${local})`, async (context) => {
    const server = await serve(context, DOCUMENT);
    const client = await written("nulls", DOCUMENT, local);
    const answers = client["notesClient"] as Answers;
    const stored = async (id: string): Promise<Row> => (await fetch(`${server.url}/api/notes/${id}`)).json() as Promise<Row>;
    const database = await opened(context, client, local, server.url);

    // In the server's answers what was never given is not there: in a page it is null wherever it is shown.
    const made = await answers.create({ id: "a", title: "One" });
    assert.ok(!("tag" in await stored("a")) && !("body" in await stored("a")));
    const empty = { id: "a", title: "One", body: null, tag: null, marks: null };
    for (const shown of [made, await answers.get("a"), ...(await answers.list())]) assert.deepEqual(fields(shown), empty);
    assert.deepEqual(fields(await answers.replace("a", { title: "Two", tag: "new" })), { ...empty, title: "Two", tag: "new" });

    const page = await render(() => ({
      all: (client["useNotes"] as () => { data: Row[] })(), update: (client["useUpdateNote"] as () => Mutation<{ key: string; changes: Row }, void>)(),
    }));
    const shown = (id: string): Row | undefined => page.current.all.data.find((row) => row["id"] === id && !row["_has_local_changes"]);
    await until("it is shown", async () => shown("a")?.["title"] === "Two");
    // A row as the collection has it has a null in each of these places.
    await (client["notesCollection"] as () => Collection)().insert({ ...empty, id: "b", body: "text" }).isPersisted.promise;
    await until("the row is the server's", async () => (await stored("b"))["body"] === "text" && shown("b") !== undefined);
    assert.deepEqual(Object.keys(await stored("b")).sort(), ["_role", "body", "id", "title"]);
    await page.current.update.mutateAsync({ key: "b", changes: { title: "Three", body: null } });
    await until("the change is the server's", async () => (await stored("b"))["title"] === "Three");
    assert.deepEqual(await stored("b"), { _role: "owner", body: null, id: "b", title: "Three" });
    // What says that null is a value of it is the document.
    const refusal = page.current.update.mutateAsync({ key: "a", changes: { title: null } });
    if (database) {
      await refusal;
      await until("nothing waits", async () => (await pendingChanges(database)).length === 0);
      assert.deepEqual((await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]), [["a", "validation_failed"]]);
    } else {
      await assert.rejects(refusal, /validation_failed|title/);
    }
    page.unmount();
  });
}
