/** Local schemas of documents, as the generator writes them. Needs the binary, as the server does. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Dialect } from "../src/database.js";
import type { EntityMeta, LocalSchema } from "../src/entity.js";
import { BINARY } from "./served.js";

/** What the generator writes of a document: for a database, its statements and what they are about. */
export function generated(document: string): (dialect: Dialect) => LocalSchema {
  const home = mkdtempSync(join(tmpdir(), "syncline-client-"));
  try {
    writeFileSync(join(home, "openapi.yaml"), document);
    const out = join(home, "out");
    execFileSync(BINARY, ["generate", join(home, "openapi.yaml"), "--out", out, "--only", "schema"], { stdio: "pipe" });
    const texts = new Map(readdirSync(join(out, "schema")).map((name) => [name, readFileSync(join(out, "schema", name), "utf8")]));
    const metas = [...readFileSync(join(out, "meta.ts"), "utf8").matchAll(/^export const (\S+)Meta: EntityMeta = (\{[^]*?^\});$/gm)]
      .map(([, variable, body]) => ({ variable, meta: new Function(`return ${body}`)() as EntityMeta }));
    return (dialect) => ({
      version: texts.get(`${dialect}.ts`)!.match(/version: "(.+)"/)![1]!,
      changes: texts.get(`_changes.${dialect}.sql`)!,
      entities: metas.map(({ meta }) => {
        const sql = [...texts].find(([name, text]) => name.endsWith(`.${dialect}.sql`) && text.startsWith(`-- ${meta.name}: `))![1];
        return { meta, sql };
      }),
    });
  } finally {
    rmSync(home, { recursive: true });
  }
}
