/** The real server: `syncline serve` with the document of these tests. Needs the binary: `cargo build`, or SYNCLINE_BINARY. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
export const BINARY = process.env["SYNCLINE_BINARY"] ?? join(ROOT, "target/debug/syncline");
export const DOCUMENT = join(ROOT, "packages/client/test/openapi.yaml");

export interface Context { after: (end: () => Promise<void>) => void }
export interface Served { url: string; stop: () => Promise<void>; start: () => Promise<void> }

export const until = async (what: string, is: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 9_000; tries += 1) {
    if (await is()) return;
    await new Promise((resume) => setTimeout(resume, 20));
  }
  assert.fail(`never came about: ${what}`);
};

/** A port that nobody listens on. */
export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });

/** A server with the document, given by its API or with the command, at one address for the whole test. */
export async function serve(context: Context, document = readFileSync(DOCUMENT, "utf8"), by: "api" | "command" = "api"): Promise<Served> {
  const home = mkdtempSync(join(tmpdir(), "syncline-client-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const path = join(home, "openapi");
  writeFileSync(path, document);
  let child: ReturnType<typeof spawn>;
  const start = async (): Promise<void> => {
    const schema = by === "command" ? ["--schema", path] : [];
    child = spawn(BINARY, ["serve", "--data", join(home, "data"), "--auth", "none", "--listen", `127.0.0.1:${port}`, ...schema],
      { env: { HOME: home, PATH: process.env["PATH"] }, stdio: "ignore" });
    child.on("error", (error) => assert.fail(`${error.message}: build it with \`cargo build\`, or name it in SYNCLINE_BINARY`));
    await until("the server answers", () => fetch(`${url}/health`).then((answer) => answer.ok, () => false));
  };
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  };
  context.after(async () => {
    await stop();
    rmSync(home, { recursive: true, force: true });
  });
  await start();
  if (by === "command") return { url, stop, start };
  const applied = await fetch(`${url}/api/schema`, { method: "PUT", body: document });
  assert.equal(applied.status, 200, await applied.text());
  return { url, stop, start };
}
