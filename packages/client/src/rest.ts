import type { Change, Lost } from "./changes.js";
import type { EntityMeta, Json } from "./entity.js";
import { HttpFailure, request, type HttpOptions } from "./http.js";
import { keyOf } from "./rows.js";
import { errorOf, hasAnswer, hasReason, isOfWrite, type Outcome, type Transaction, type Transport } from "./sender.js";

/**
 * Tries of a write that a backend forbids without the server's words: enough for a session to be renewed, and few
 * enough that what comes after the write does not wait for ever.
 */
export const FORBIDDEN_TRIES_MAX = 5;
/** How often a backend has forbidden a write without saying why, in a row. */
interface Forbidden {
  writeId: string;
  tries: number;
}

/** Sends to any backend, one write at a time, at the paths that `route` gives; a new row with its key, as `entities` name it. */
export function restTransport(
  http: HttpOptions, route: (change: Change) => { method: string; path: string }, entities: readonly EntityMeta[] = [],
): Transport {
  const forbidden: Forbidden = { writeId: "", tries: 0 };
  return Object.assign(async (transactions: readonly Transaction[], signal: AbortSignal): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    for (const change of transactions.flatMap(({ changes }) => changes)) {
      const meta = entities.find(({ name }) => name === change.entity);
      const key = change.operation === "insert" ? { [meta?.key ?? "id"]: meta ? keyOf(meta, change.key) : change.key } : {};
      let to: ReturnType<typeof route>;
      try {
        to = route(change);
      } catch (error) {
        outcomes.push({ status: "rejected", error: { code: "no_route", message: `this page has no path for the write: ${(error as Error).message}` } });
        continue;
      }
      outcomes.push(await sendOne(http, to, change, { ...change.value, ...key }, signal, forbidden));
    }
    return outcomes;
  }, { takesOne: true });
}

/** Counts a failure, which ends the row where it is another; gives whether there were as many as a write is tried. */
function isForbiddenForGood(forbidden: Forbidden, writeId: string, isForbidden: boolean): boolean {
  const before = forbidden.writeId === writeId ? forbidden.tries : 0;
  const isLast = isForbidden && before + 1 >= FORBIDDEN_TRIES_MAX;
  Object.assign(forbidden, { writeId, tries: isForbidden && !isLast ? before + 1 : 0 });
  return isLast;
}

async function sendOne(
  http: HttpOptions, { method, path }: { method: string; path: string }, { operation, writeId }: Change, value: unknown, signal: AbortSignal,
  forbidden: Forbidden,
): Promise<Outcome> {
  const { onAuthError, ...options } = http;
  try {
    const body = operation === "delete" ? undefined : value;
    const answer = await request({ ...options, retries: 0 }, method, path, body, { "idempotency-key": writeId }, signal);
    const { txid = null, _lost } = (answer.body ?? {}) as { txid?: Json; _lost?: Lost };
    const told = txid ?? answer.headers.get("syncline-txid");
    const seq = answer.headers.get("syncline-seq");
    return {
      status: "accepted",
      txid: told === null ? undefined : Number(told),
      seq: seq === null ? undefined : Number(seq),
      lost: _lost && [_lost],
    };
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    const isForbidden = isForbiddenForGood(forbidden, writeId, error.status === 403 && hasAnswer(error) && !hasReason(error));
    if (error.kind === "transient") throw error;
    // Without the backend's reason these are an ended session's, and an address's at which there is no such collection.
    const isOfAddress = (error.kind === "auth" && !isForbidden) || error.status === 405 || (error.status === 404 && operation === "insert");
    if (error.status !== 401 && isOfWrite(error, isOfAddress ? hasReason : hasAnswer)) return { status: "rejected", error: errorOf(error) };
    if (error.kind === "auth") onAuthError?.(error.status);
    throw error;
  }
}
