/** How a sync is started, begun again and ended. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { shapeUrlOf } from "../src/sync.js";

test("shapes lie below the same path as the writes", (context) => {
  assert.equal(shapeUrlOf({ apiUrl: "https://host/sync" }), "https://host/sync/v1/shape");
  assert.equal(shapeUrlOf({ apiUrl: "https://host/sync/" }), "https://host/sync/v1/shape");
  assert.equal(shapeUrlOf({ apiUrl: "https://host" }), "https://host/v1/shape");
  assert.equal(shapeUrlOf({ apiUrl: "https://host", shapeUrl: "https://electric/v1/shape" }), "https://electric/v1/shape");
  assert.throws(() => shapeUrlOf({}), /apiUrl/);
  Object.assign(globalThis, { location: { href: "https://page/deep/inside" } });
  context.after(() => Reflect.deleteProperty(globalThis, "location"));
  assert.equal(shapeUrlOf({}), "https://page/v1/shape");
  assert.equal(shapeUrlOf({ apiUrl: "/sync" }), "https://page/sync/v1/shape");
});
