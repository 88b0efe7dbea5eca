/** What a feed tells of how it does, by what its service answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FeedState } from "../src/feed.js";
import { startSync } from "../src/sync.js";
import { openDatabase, schemaOf } from "./databases.js";
import { until } from "./served.js";

for (const [answer, status] of [[429, "waiting"], [500, "waiting"], [0, "waiting"], [401, "unauthorized"], [403, "unauthorized"]] as const) {
  test(`a service that answers ${answer || "nothing"} is told as ${status}`, async () => {
    const database = await openDatabase("sqlite");
    const told: number[] = [];
    const fetch = (async () => {
      if (answer === 0) throw new TypeError("fetch failed");
      return new Response("{}", { status: answer });
    }) as typeof globalThis.fetch;
    const sync = startSync({ apiUrl: "http://server", database, schema: schemaOf("sqlite"), fetch, onAuthError: (of) => told.push(of) });
    const state = (): FeedState["status"] | undefined => sync.state().feeds["contacts"]?.status;
    await until("it is told", async () => state() === status);
    assert.equal(told.includes(answer), status === "unauthorized");
    await sync.stop();
  });
}
