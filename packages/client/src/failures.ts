import type { LocalDatabase } from "./database.js";
import { HttpFailure } from "./http.js";

/** What a failure says in words; where these can't be loaded, the failure itself. */
export const diagnosed = <T>(failure: T, told: (words: typeof import("./diagnoses.js")) => T): Promise<T> =>
  import("./diagnoses.js").then(told, () => failure);

/** Why the local database did not keep what it was given of `what`. Without a database there is nothing to go on with: that is thrown. */
export async function keepingFailure(database: LocalDatabase, what: string, cause: unknown): Promise<HttpFailure> {
  await database.query("SELECT 1").catch(() => {
    throw cause;
  });
  const failure = new HttpFailure(200, { code: "not_kept", message: String(cause) }, undefined, cause);
  return diagnosed(failure, ({ ofKeeping }) => ofKeeping(what, cause));
}
