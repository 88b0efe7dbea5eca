/** A service of one entity's rows, of which the tests decide every answer. */
import type { EntityMeta } from "../src/entity.js";

export type Value = Record<string, string | null>;
export interface Told { headers: { operation: "insert" | "update" | "delete"; txids?: number[] }; value: Value; key: string }

let cursor = 0;

export class Service {
  readonly asked: URL[] = [];
  /** The columns that are no text. */
  types: Record<string, { type: string; dims?: number }> = {};
  private rows: Told[];
  private readonly log: Told[][] = [];
  private generation = 0;
  private wake = (): void => undefined;

  constructor(readonly meta: EntityMeta, rows: readonly Value[], readonly name: string, readonly seq = 0) {
    this.rows = rows.map((row) => this.told("insert", row));
  }

  told(operation: Told["headers"]["operation"], value: Value, ...txids: number[]): Told {
    return { key: `"${this.meta.name}"/"${value[this.meta.key]}"`, value, headers: { operation, ...(txids.length > 0 ? { txids } : {}) } };
  }

  /** What has happened since, told to whoever reads; nothing: that it is up to date. */
  tell(...messages: Told[]): void {
    this.log.push(messages);
    this.wake();
  }

  /** All must be fetched again. */
  reset(...rows: Value[]): void {
    this.rows = rows.map((row) => this.told("insert", row));
    this.generation += 1;
    this.log.length = 0;
    this.wake();
  }

  /** The log is an older copy's, under the same handle. */
  putBack(...rows: Value[]): void {
    this.generation -= 1;
    this.reset(...rows);
  }

  readonly fetch = (async (url, init) => {
    const to = new URL(String(url));
    this.asked.push(to);
    const [handle, offset] = [to.searchParams.get("handle"), to.searchParams.get("offset") ?? "-1"];
    for (;;) {
      if (offset === "-1") return this.answer("0_0", this.rows);
      if (handle !== this.handle) return this.answer("-1", [], "must-refetch", 409);
      const read = Number(offset.split("_")[0]);
      if (read > this.log.length) return Response.json({ message: "Invalid request", errors: { offset: ["out of bounds for this shape"] } }, { status: 400 });
      // Only who asks for news waits for them.
      if (this.log.length > read || to.searchParams.get("live") !== "true") return this.answer(`${this.log.length}_0`, this.log.slice(read).flat());
      await new Promise<void>((resume, fail) => {
        this.wake = resume;
        init?.signal?.addEventListener("abort", () => fail(init.signal?.reason as Error));
      });
    }
  }) as typeof fetch;

  private get handle(): string {
    return `${this.name} ${this.generation}`;
  }

  private answer(offset: string, messages: readonly Told[], control = "up-to-date", status = 200): Response {
    const end = { headers: { control, global_last_seen_lsn: String(this.seq + this.generation) } };
    return new Response(JSON.stringify([...messages, end]), {
      status,
      headers: {
        "content-type": "application/json", "electric-handle": this.handle, "electric-offset": offset, "electric-up-to-date": "",
        // Readers take an answer with a known cursor for one that was kept.
        "electric-cursor": String((cursor += 1)),
        "electric-schema": JSON.stringify({ ...Object.fromEntries(this.meta.fields.map(({ name }) => [name, { type: "text" }])), ...this.types }),
      },
    });
  }
}
