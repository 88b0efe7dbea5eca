import { request, type HttpOptions } from "./http.js";

/** Pages of a list that are followed: of a Syncline server's, a hundred thousand records. */
export const PAGES_MAX = 1_000;

/**
 * Asks for a list, page after page for as long as the server names a next one: in the header `syncline-next-cursor`,
 * or as `next_cursor` beside the records. With a `limit` in the query, for that one page. Rejects at a list of more
 * than {@link PAGES_MAX} pages, of which nobody would know that a part is missing.
 */
export async function requestList<T>(
  options: HttpOptions, method: string, path: string, query: Record<string, string>, envelope?: string, signal?: AbortSignal,
): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | null | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const search = new URLSearchParams(cursor ? { ...query, cursor } : query).toString();
    const { body, headers } = await request(options, method, path + (search && `?${search}`), undefined, {}, signal);
    const told = body as Record<string, unknown> | null | undefined;
    for (const row of ((envelope === undefined ? told : told?.[envelope]) ?? []) as T[]) rows.push(row);
    cursor = headers.get("syncline-next-cursor") ?? (told?.["next_cursor"] as string | null | undefined);
    if (!cursor || "limit" in query) return rows;
  }
  throw new Error(`${method} ${path}: the list has more than ${PAGES_MAX} pages: narrow it, or ask for one page by a limit`);
}
