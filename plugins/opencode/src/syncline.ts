// Syncline's plugin for OpenCode: tells `syncline` that a session has something new to be read.
//
// It passes on which session that is, and nothing of what was said in it: OpenCode's own store holds that,
// and is read from there. OpenCode never waits for it, and never sees it fail.

import { spawn } from "node:child_process";
import type { Event } from "@opencode-ai/sdk";

/** What is called, with the flags that come first; `syncline hook install opencode` names its own path. */
const program: readonly string[] = ["syncline"];

/** The events after which the store holds something new. */
const told: ReadonlySet<string> = new Set<Event["type"]>([
  "session.created",
  "session.idle",
  "session.compacted",
  "session.error",
]);

/** OpenCode calls every function that a plugin exports: this is the only one. */
export const Syncline = async ({ directory }: { directory: string }) => ({
  event: async ({ event }: { event: Event }): Promise<void> => {
    if (told.has(event.type)) {
      call(event.type, { sessionID: sessionOf(event.properties), cwd: directory });
    }
  },
});

/** The id of the session that an event is about, wherever it stands in it. */
function sessionOf(properties: unknown): string | undefined {
  const sessionID = field(properties, "sessionID") ?? field(field(properties, "info"), "id");
  return typeof sessionID === "string" ? sessionID : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** Calls the hook, and forgets it: what goes wrong there is no matter of OpenCode's. */
function call(event: string, payload: object): void {
  const [command, ...flags] = program;
  if (command === undefined) {
    return;
  }
  try {
    const words = [...flags, "hook", "run", "opencode", event];
    const child = spawn(command, words, { stdio: ["pipe", "ignore", "ignore"], windowsHide: true });
    // Without a listener an error would end OpenCode: that the program is gone, or does not read.
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(payload));
    child.unref();
  } catch {
    // As above, on systems that say so at once.
  }
}
