// The plugin as OpenCode calls it, with a program in the place of `syncline` that notes what it was given.

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import type { Event } from "@opencode-ai/sdk";
import * as plugin from "../src/syncline.js";

const directory = mkdtempSync(join(tmpdir(), "opencode-syncline-"));
const path = process.env["PATH"] ?? "";
const notes = join(directory, "notes");

/** Notes its words and what it reads in a file of its own, whole or not at all. */
const recorder = `#!${process.execPath}
const fs = require("node:fs");
const note = JSON.stringify({ words: process.argv.slice(2), read: JSON.parse(fs.readFileSync(0, "utf8")) });
const path = process.env.NOTES + "." + process.pid;
fs.writeFileSync(path + ".part", note);
fs.renameSync(path + ".part", path);
`;

writeFileSync(join(directory, "syncline"), recorder);
chmodSync(join(directory, "syncline"), 0o755);

beforeEach(() => {
  process.env["PATH"] = directory + delimiter + path;
  process.env["NOTES"] = notes;
  for (const name of noted()) {
    rmSync(join(directory, name));
  }
});

after(() => rmSync(directory, { recursive: true }));

function noted(): string[] {
  return readdirSync(directory).filter((name) => /^notes\.\d+$/.test(name));
}

/** Tells an event to the plugin. */
async function tell(event: { type: string; properties: unknown }): Promise<void> {
  const hooks = await plugin.Syncline({ directory: "/w/app" });
  await hooks.event({ event: event as Event });
}

/** The note of the one call, once it is there. */
async function called(): Promise<unknown> {
  for (;;) {
    const [name] = noted();
    if (name !== undefined) {
      return JSON.parse(readFileSync(join(directory, name), "utf8"));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("an idle session is told with its id and nothing of what was said", async () => {
  await tell({ type: "session.idle", properties: { sessionID: "ses_1", text: "hunter2" } });
  assert.deepEqual(await called(), {
    words: ["hook", "run", "opencode", "session.idle"],
    read: { sessionID: "ses_1", cwd: "/w/app" },
  });
});

test("a new session is told by the id in its description", async () => {
  await tell({ type: "session.created", properties: { info: { id: "ses_2", title: "t" } } });
  assert.deepEqual(await called(), {
    words: ["hook", "run", "opencode", "session.created"],
    read: { sessionID: "ses_2", cwd: "/w/app" },
  });
});

test("an error without a session is told all the same", async () => {
  await tell({ type: "session.error", properties: null });
  assert.deepEqual(await called(), {
    words: ["hook", "run", "opencode", "session.error"],
    read: { cwd: "/w/app" },
  });
});

test("other events start no process", async () => {
  await tell({ type: "message.part.updated", properties: { sessionID: "ses_3" } });
  await tell({ type: "session.idle", properties: { sessionID: "ses_4" } });
  assert.deepEqual(await called(), {
    words: ["hook", "run", "opencode", "session.idle"],
    read: { sessionID: "ses_4", cwd: "/w/app" },
  });
  assert.equal(noted().length, 1);
});

test("a program that is not there is no error", async () => {
  process.env["PATH"] = join(directory, "nowhere");
  await tell({ type: "session.idle", properties: { sessionID: "ses_5" } });
  // Long enough for the failure to be told, as the next process is started after it.
  process.env["PATH"] = directory + delimiter + path;
  await tell({ type: "session.idle", properties: { sessionID: "ses_6" } });
  assert.deepEqual(await called(), {
    words: ["hook", "run", "opencode", "session.idle"],
    read: { sessionID: "ses_6", cwd: "/w/app" },
  });
});

test("nothing but the plugin is exported", () => {
  assert.deepEqual(Object.keys(plugin), ["Syncline"]);
});
