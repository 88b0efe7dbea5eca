/** The generated client of an API: lists that come in pages, from the real server and from one that decides every answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGES_MAX } from "@syncline/client";
import { configure, contactsClient } from "./generated/index.js";
import { serve } from "./served.js";

test("a list is read to its end, whatever the size of its pages", async (context) => {
  const server = await serve(context);
  configure({ apiUrl: server.url });
  const made = Array.from({ length: 230 }, (_, at) => ({ id: crypto.randomUUID(), first_name: `Ann ${at}` }));
  const answer = await fetch(`${server.url}/api/contacts`, { method: "POST", body: JSON.stringify(made) });
  assert.equal(answer.status, 201, await answer.text());
  const all = await contactsClient.list();
  assert.deepEqual(all.map(({ id }) => id).sort(), made.map(({ id }) => id).sort());
  const some = await contactsClient.list({ first_name__in: "Ann 7,Ann 229", order: "-first_name" });
  assert.deepEqual(some.map(({ first_name }) => first_name), ["Ann 7", "Ann 229"]);
  assert.equal((await contactsClient.list({ limit: "30" })).length, 30);
});

test("a list whose server has always one more page ends with an error, not with a part of it", async () => {
  let asked = 0;
  configure({
    apiUrl: "http://127.0.0.1:9",
    fetch: async () => {
      asked += 1;
      return new Response(`[{"id":"${asked}"}]`, { headers: { "syncline-next-cursor": String(asked) } });
    },
  });
  await assert.rejects(contactsClient.list(), /narrow it/);
  assert.equal(asked, PAGES_MAX);
});
