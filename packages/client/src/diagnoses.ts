/** What failed, in words for a person: loaded when something has. */
import type { FetchError } from "@electric-sql/client";
import type { EntityMeta } from "./entity.js";
import { HttpFailure } from "./http.js";

/** What the local database says where it has no room left, whichever it is: a disk's, or a browser's quota. */
const FULL = /quota|no space|is full|\b53100\b/i;
/** Where it lacks a table or column of this page. */
const OTHER = /does not exist|no such (table|column)|has no column/i;
/** Where a value is none of its column's. */
const VALUE = /^TypeError|\b2[23]\w{3}\b|invalid input|out of range|constraint/i;

/** Why the local database did not keep what it was given of `what`, and what can be done about it. */
export function ofKeeping(what: string, cause: unknown): HttpFailure {
  const { name, message, code } = cause as { name?: string; message?: string; code?: string };
  const told = `${name} ${code ?? ""} ${message}`;
  const [word, next] = FULL.test(told) ? ["storage_full", "Free some room: it is tried again by itself"]
    : OTHER.test(told) ? ["local_schema", "The local database is another version's of this page: reload the page"]
      : VALUE.test(told) ? ["value_invalid", "Run `syncline generate` with the server's /api/schema"]
        : ["not_kept", "It is tried again by itself"];
  return new HttpFailure(200, { code: word!, message: `${what} could not be kept in the local database: ${message}. ${next}` }, undefined, cause);
}

/** Why a server does not serve an entity that it does not know as this client does. */
export function ofRefusal(meta: EntityMeta, error: FetchError): HttpFailure {
  const { errors, message } = (error.json ?? {}) as { errors?: Record<string, string[]>; message?: string };
  const reasons = Object.values(errors ?? {}).flat().join("; ") || message || `it answered ${error.status}`;
  return new HttpFailure(error.status, {
    code: "schema_mismatch",
    message: `the server does not serve ${meta.name} as this client was made for it: ${reasons}. Run \`syncline generate\` with the server's /api/schema`,
  }, undefined, error);
}
