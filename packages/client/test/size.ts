/** What the runtime weighs in a page. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export const PAGE_BYTES_MAX = 15_000;

/**
 * All that the generated code of a page over PGlite can take of the runtime, as a bundler makes it for the page; the peers are
 * the page's own. The other database's adapter is in no such page, and the worker is a program of its own. Nor is counted what a
 * page loads when it comes to that, as parts of their own: `migration`, where the database in it is another version's, `rest`,
 * where its writes go to another server than Syncline's, `retry`, where a refused write is offered again or a value was lost to another's, and `diagnoses`, the words
 * for what failed.
 */
export async function pageBytes(): Promise<number> {
  const { outputFiles } = await build({
    stdin: {
      contents: ["index", "react", "collection", "pglite", "query", "age"].map((name) => `export * from "./${name}.js";`).join("\n"),
      resolveDir: fileURLToPath(new URL("../src", import.meta.url)),
    },
    bundle: true, minify: true, write: false, format: "esm", target: "es2022", packages: "external",
    external: ["*/migration.js", "*/rest.js", "*/retry.js", "*/diagnoses.js"],
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}
