/** Requests of a generated client that fail: which are made again, when, and under which name. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test, type mock } from "node:test";
import { HttpFailure, request, type HttpOptions } from "@syncline/client";
import { backoffMs, RETRY_AFTER_MAX_MS } from "../src/http.js";
import { configure, contactsClient } from "./generated/index.js";
import type { Context } from "./served.js";

const CONTACT = { id: "01a201c3-7806-7b30-9972-ddf22a714fb6", first_name: "Ann" };

/** How the server answers one request: with a status and headers, by cutting the line before or in the answer, or never. */
type Turn = number | readonly [status: number, headers: Record<string, string>] | "cut" | "cut in the answer" | "a page" | "silence";

interface Seen { method: string | undefined; key: string | undefined; token: string | undefined; body: string }

/** What stands for chance, and the waits that follow from it: before the second try, the third and so on. */
const CHANCE = 0.25;
const WAITS = [250, 500, 1_000];

/**
 * A server that answers as is written down for each request, the last time for all that follow, and a client of it.
 * No wait is waited: it is noted in `waits`. A timeout comes when the server has seen a request that it leaves unanswered.
 */
async function scripted(context: Context & { mock: typeof mock }, script: readonly Turn[], options: HttpOptions = {}) {
  const seen: Seen[] = [];
  const waits: number[] = [];
  const timeouts: AbortController[] = [];
  const sockets = new Set<Socket>();
  const told = {
    whenSilent: (): void => timeouts.at(-1)!.abort(new DOMException("the time is over", "TimeoutError")),
    /** Instead of the wait being over at once. */
    whenWaiting: undefined as (() => void) | undefined,
  };
  const server = createServer((asked, answer) => {
    void read(asked).then((body) => {
      seen.push({ method: asked.method, key: asked.headers["idempotency-key"] as string | undefined, token: asked.headers.authorization, body });
      const turn = script[Math.min(seen.length, script.length) - 1]!;
      if (turn === "silence") told.whenSilent();
      else take(turn, asked, answer);
    });
  });
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
  context.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resume) => server.close(resume));
  });
  context.mock.method(Math, "random", () => CHANCE);
  context.mock.method(AbortSignal, "timeout", () => {
    timeouts.push(new AbortController());
    return timeouts.at(-1)!.signal;
  });
  const timer = globalThis.setTimeout;
  context.mock.method(globalThis, "setTimeout", ((run: () => void, ms: number, ...given: []) => {
    // Node's own requests have timers, too.
    if (!/\bpause\b/.test(new Error().stack ?? "")) return timer(run, ms, ...given);
    waits.push(ms);
    if (told.whenWaiting) setImmediate(told.whenWaiting);
    return timer(run, told.whenWaiting ? ms : 0);
  }) as typeof setTimeout);
  const all: HttpOptions = { apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...options };
  configure(all);
  return { seen, waits, told, options: all };
}

async function read(asked: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of asked) text += String(part);
  return text;
}

function take(turn: Exclude<Turn, "silence">, asked: IncomingMessage, answer: ServerResponse): void {
  if (turn === "cut") return void asked.socket.resetAndDestroy();
  if (turn === "cut in the answer") {
    answer.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    return void answer.write('{"id":', () => asked.socket.resetAndDestroy());
  }
  if (turn === "a page") return void answer.writeHead(200, { "content-type": "text/html" }).end("<h1>Sign in</h1>");
  const [status, headers] = typeof turn === "number" ? [turn, {}] : turn;
  const body = status < 400 ? CONTACT : { error: { code: `said_${status}`, message: "so it is" } };
  answer.writeHead(status, { "content-type": "application/json", ...headers }).end(status === 204 ? "" : JSON.stringify(body));
}

const PASSING: readonly (readonly [what: string, turn: Turn])[] = [
  ["408", 408], ["429", 429], ["500", 500], ["502", 502], ["503", 503], ["504", 504], ["a reset", "cut"],
  ["an answer that breaks off", "cut in the answer"], ["a page of something on the way", "a page"], ["a timeout", "silence"],
];

for (const [what, turn] of PASSING) {
  test(`a write is made again after ${what}, under the same name and with the same body`, async (context) => {
    const { seen, waits } = await scripted(context, [turn, turn, turn, 201]);
    const made = await contactsClient.create(CONTACT, "write-1");
    assert.equal(made.first_name, "Ann");
    assert.deepEqual(seen, Array.from({ length: 4 }, () => ({ method: "POST", key: "write-1", token: undefined, body: JSON.stringify(CONTACT) })));
    assert.deepEqual(waits, WAITS);
  });

  test(`a read is made again after ${what}`, async (context) => {
    const { seen, waits } = await scripted(context, [turn, 200]);
    assert.equal((await contactsClient.get(CONTACT.id)).first_name, "Ann");
    assert.deepEqual([seen.length, waits], [2, WAITS.slice(0, 1)]);
  });

  test(`a write without a name is left at ${what}: nobody knows whether it has happened`, async (context) => {
    const { seen, waits, options } = await scripted(context, [turn, 201]);
    await assert.rejects(request(options, "POST", "/api/contacts", CONTACT), (error) => error instanceof HttpFailure && error.kind === "transient");
    assert.deepEqual([seen.length, waits], [1, []]);
  });
}

for (const status of [400, 404, 405, 409, 410, 413, 422]) {
  test(`what is refused with ${status} is refused once`, async (context) => {
    const { seen, waits } = await scripted(context, [status, 201]);
    const isRefusal = (error: unknown): boolean => error instanceof HttpFailure && error.kind === "permanent" && error.status === status && error.code === `said_${status}`;
    await assert.rejects(contactsClient.update(CONTACT.id, { first_name: "Bea" }), isRefusal);
    assert.deepEqual([seen.length, waits], [1, []]);
  });
}

for (const status of [401, 403]) {
  test(`${status} is told to who signs in, once, and what is asked next has the token of then`, async (context) => {
    const statuses: number[] = [];
    let token = "of-yesterday";
    const { seen, waits } = await scripted(context, [status, 200], { token: async () => token, onAuthError: (told) => statuses.push(told) });
    await assert.rejects(contactsClient.delete(CONTACT.id), (error) => error instanceof HttpFailure && error.kind === "auth");
    assert.deepEqual([seen.length, waits, statuses], [1, [], [status]]);
    token = "of-today";
    await contactsClient.get(CONTACT.id);
    assert.deepEqual(seen.map((one) => one.token), ["Bearer of-yesterday", "Bearer of-today"]);
  });
}

test("a token that ran out between two tries is not sent again", async (context) => {
  let asked = 0;
  const { seen } = await scripted(context, [503, 201], { token: () => `token-${(asked += 1)}` });
  await contactsClient.create(CONTACT);
  assert.deepEqual(seen.map((one) => one.token), ["Bearer token-1", "Bearer token-2"]);
  assert.ok(seen[0]!.key, "it has a name that nobody gave");
  assert.equal(seen[0]!.key, seen[1]!.key);
});

test("each write has a name of its own", async (context) => {
  const { seen } = await scripted(context, [201]);
  await contactsClient.create(CONTACT);
  await contactsClient.update(CONTACT.id, { first_name: "Bea" });
  await contactsClient.delete(CONTACT.id);
  assert.equal(new Set(seen.map(({ key }) => key)).size, 3);
});

test("it ends with the last failure, after as many tries as are set", async (context) => {
  const { seen, waits } = await scripted(context, [503], { retries: 2 });
  await assert.rejects(contactsClient.get(CONTACT.id), (error) => error instanceof HttpFailure && error.status === 503 && error.code === "said_503");
  assert.deepEqual([seen.length, waits], [3, WAITS.slice(0, 2)]);
});

test("a server that names a time is not asked before it, and none is waited for longer than five minutes", async (context) => {
  context.mock.method(Date, "now", () => Date.parse("2026-01-01T00:00:00Z"));
  const names = (text: string): Turn => [429, { "retry-after": text }];
  const { waits } = await scripted(context, [names("7"), names("Thu, 01 Jan 2026 00:00:09 GMT"), names("86400"), names("soon"), 200], { retries: 4 });
  await contactsClient.get(CONTACT.id);
  assert.deepEqual(waits, [7_000, 9_000, RETRY_AFTER_MAX_MS, 2_000]);
});

test("waits grow to half a minute, or to five seconds where somebody looks, whatever chance says, and not beyond", (context) => {
  let chance = 0;
  context.mock.method(Math, "random", () => chance);
  assert.equal(backoffMs(1), 0);
  chance = 1 - Number.EPSILON;
  const most = (): number[] => [1, 2, 3, 4, 5, 6, 50, 2_000].map((attempt) => Math.ceil(backoffMs(attempt)));
  assert.deepEqual(most(), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  const page = { hidden: true };
  Object.assign(globalThis, { document: page });
  context.after(() => void Reflect.deleteProperty(globalThis, "document"));
  assert.deepEqual(most().at(-1), 30_000);
  page.hidden = false;
  assert.deepEqual(most(), [1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000]);
});

test("a request has the time besides that a slow connection takes to send it", async (context) => {
  const given: number[] = [];
  context.mock.method(AbortSignal, "timeout", (ms: number) => (given.push(ms), new AbortController().signal));
  const options: HttpOptions = { apiUrl: "http://server", fetch: (async () => Response.json({})) as typeof fetch };
  await request(options, "GET", "/");
  await request({ ...options, timeoutMs: 1_000 }, "POST", "/", "x".repeat(79_998));
  assert.deepEqual(given, [10_000, 11_000]);
});

test("who gives up while the server is silent is answered at once, and nothing is asked again", async (context) => {
  const { seen, waits, told } = await scripted(context, ["silence"]);
  const left = new AbortController();
  told.whenSilent = () => left.abort();
  await assert.rejects(contactsClient.get(CONTACT.id, left.signal), HttpFailure);
  assert.deepEqual([seen.length, waits], [1, []]);
});

test("who gives up while the next try is waited for is answered at once, and nothing is asked again", async (context) => {
  const { seen, waits, told } = await scripted(context, [[429, { "retry-after": "200" }], 200]);
  const left = new AbortController();
  told.whenWaiting = () => left.abort();
  await assert.rejects(contactsClient.get(CONTACT.id, left.signal), HttpFailure);
  assert.deepEqual([seen.length, waits], [1, [200_000]]);
});
