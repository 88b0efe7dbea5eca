/** Bytes are no time: a busy machine has as many. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LATER_BYTES_MAX, laterBytes, PAGE_BYTES_MAX, pageBytes } from "./size.js";

test("the runtime of a page keeps within its bytes, minified and compressed", async () => {
  const bytes = await pageBytes();
  assert.ok(bytes <= PAGE_BYTES_MAX, `${bytes} bytes are more than ${PAGE_BYTES_MAX}`);
});

test("so does what it may load later", async (context) => {
  const bytes = await laterBytes();
  context.diagnostic(`${bytes} bytes may be loaded later`);
  assert.ok(bytes <= LATER_BYTES_MAX, `${bytes} bytes are more than ${LATER_BYTES_MAX}`);
});
