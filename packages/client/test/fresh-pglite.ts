import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";

/**
 * An empty PGlite in memory. By itself each would make its cluster anew (`initdb`, three quarters of its start): the first
 * makes it, and all others begin with a copy of its files, which the compiled tests keep for the next run.
 */
export async function freshPglite(): Promise<PGlite> {
  cluster ??= keptCluster() ?? newCluster();
  return PGlite.create({ loadDataDir: await cluster });
}

let cluster: Blob | Promise<Blob> | undefined;

/** Another version of PGlite may be unable to read what this one has made. */
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.resolve("@electric-sql/pglite")), "utf8")) as { version: string };
const kept = fileURLToPath(new URL(`pglite-${version}.tar`, import.meta.url));

function keptCluster(): Blob | undefined {
  try {
    return new Blob([new Uint8Array(readFileSync(kept))]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function newCluster(): Promise<Blob> {
  const pglite = await PGlite.create();
  const files = await pglite.dumpDataDir("none");
  await pglite.close();
  // Whole or not at all: other processes may look for it, or be making it too.
  const mine = `${kept}.${process.pid}`;
  writeFileSync(mine, new Uint8Array(await files.arrayBuffer()));
  renameSync(mine, kept);
  return files;
}
