/** What the runtime weighs in a page. */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export const PAGE_BYTES_MAX = 15_000;
export const LATER_BYTES_MAX = 8_000;

/** What a page loads when it comes to that, as parts of their own. */
const LATER = ["migration", "rest", "retry", "diagnoses"];

/**
 * All that the generated code of a page over PGlite can take of the runtime, as a bundler makes it for the page; the peers are
 * the page's own. The other database's adapter is in no such page, and the worker is a program of its own. Nor is counted what a
 * page loads later: `migration`, where the database in it is another version's, `rest`,
 * where its writes go to another server than Syncline's, `retry`, where a refused write is offered again or a value was lost to another's, and `diagnoses`, the words
 * for what failed.
 */
export const pageBytes = async (): Promise<number> => (await page()).bytes;

/**
 * All that a page may load beside that, each part by itself, without what it has of the page's: the parts for later, what collections in memory
 * are made of, and the worker.
 */
export async function laterBytes(): Promise<number> {
  const { modules } = await page();
  const parts = await Promise.all([...LATER, "electric", "worker"].map((name) => bundled([name], [...modules, ...LATER.filter((other) => other !== name)])));
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

const page = () => bundled(["index", "react", "collection", "pglite", "query", "age"], LATER);

/** Modules as one, without those that `apart` names. */
async function bundled(names: readonly string[], apart: readonly string[]): Promise<{ bytes: number; modules: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: names.map((name) => `export * from "./${name}.js";`).join("\n"),
      resolveDir: fileURLToPath(new URL("../src", import.meta.url)),
    },
    bundle: true, minify: true, write: false, format: "esm", target: "es2022", packages: "external", metafile: true,
    external: apart.map((name) => `*/${name}.js`),
  });
  const modules = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>").map((path) => basename(path, ".js"));
  return { bytes: gzipSync(outputFiles[0]!.contents, { level: 9 }).length, modules };
}
