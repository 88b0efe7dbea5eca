import { WriteFailure } from "./changes.js";
import { HttpFailure } from "./http.js";
import { errorOf } from "./sender.js";

/** Ends a write that a server was asked for as one through a local database ends: it fails with a {@link WriteFailure}. */
export async function answered<T>(writeId: string, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    if (error.kind !== "transient") throw new WriteFailure(writeId, errorOf(error));
    throw new WriteFailure(writeId, globalThis.navigator?.onLine === false
      ? { code: "offline", message: "the server could not be reached" }
      : { code: "timed_out", message: "the server did not answer in time: it may have the write, which shows if it has" });
  }
}
