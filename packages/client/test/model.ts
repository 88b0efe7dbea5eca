/**
 * What a local database must show and hold back, without a database: rows of the server, and changes on top.
 * It knows nothing of overlays, triggers or statements.
 */
import type { Change } from "../src/changes.js";
import type { Dialect } from "../src/database.js";

export type Values = Record<string, string | boolean | null>;

export interface ModelChange {
  readonly key: string;
  readonly operation: Change["operation"];
  value: Values;
  base: Values;
  state: Change["state"];
  /** The place in the server's log at which it was accepted. */
  seq?: number;
  /** Why it was refused. */
  error?: string;
  /** Of what was written together. */
  readonly group: number | undefined;
}

export class Model {
  /** In the order in which they were made. */
  changes: ModelChange[] = [];
  readonly synced = new Map<string, Values>();
  /** What never leaves the database, by key. */
  readonly own = new Map<string, string | null>();
  private groups = 0;

  /** `naming` is the column that names rows of the same entity. */
  constructor(readonly mode: "optimistic" | "confirmed", readonly dialect: Dialect, readonly ownColumn: string, readonly naming: string) {}

  /** The rows with what is shown of the changes, in order. A row that is made begins anew: changes before it are past. */
  shown(): Map<string, Values> {
    const rows = new Map([...this.synced].map(([key, row]) => [key, { ...row }]));
    const ground = new Map(rows);
    for (const { key, operation, value, state } of this.changes) {
      if (state !== "acknowledged" && (this.mode !== "optimistic" || state === "rejected")) continue;
      const row = rows.get(key);
      if (operation === "delete") {
        rows.delete(key);
        ground.delete(key);
      } else if (operation === "insert") {
        rows.set(key, { ...ground.get(key), ...value });
      } else if (row) {
        rows.set(key, { ...row, ...value });
      }
    }
    for (const [key, row] of rows) row[this.ownColumn] = this.own.get(key) ?? null;
    return rows;
  }

  insert(key: string, value: Values, own: string | null): void {
    this.own.set(key, own);
    this.add({ key, operation: "insert", value, base: {}, state: "pending", group: undefined });
  }

  /** The server has accepted changes. What never leaves the database goes with a row that was deleted here. */
  accept(changes: readonly ModelChange[], seq: number): void {
    for (const change of changes) {
      Object.assign(change, { state: "acknowledged", seq });
      const isLast = !this.changes.slice(this.changes.indexOf(change) + 1).some(({ key }) => key === change.key);
      if (change.operation === "delete" && isLast) this.own.delete(change.key);
    }
  }

  delete(key: string, columns: readonly string[]): void {
    // What waits and is not shown will be what the server holds by then.
    const queued = this.mode === "confirmed" ? this.changes.filter((change) => change.key === key && (change.state === "pending" || change.state === "sending")) : [];
    const row: Values = { ...this.shown().get(key) };
    const base = Object.fromEntries(columns.map((name) => [name, row[name] ?? null]));
    for (const change of queued) {
      // What stands on another value than is shown now does not come to what it sets.
      for (const name of Object.keys(change.value)) if (base[name] === change.base[name]) base[name] = change.value[name]!;
    }
    this.add({ key, operation: "delete", value: {}, base, state: "pending", group: undefined });
  }

  /** One write of several rows; those that it does not change have no part in it. */
  updateTogether(keys: readonly string[], given: Values): void {
    this.groups += 1;
    const made = keys.flatMap((key) => this.updated(key, given, this.groups));
    // A database whose transactions have names knows that a single one stands alone.
    for (const change of made) this.add(made.length === 1 && this.dialect === "pglite" ? { ...change, group: undefined } : change);
  }

  update(key: string, given: Values): void {
    for (const change of this.updated(key, given, undefined)) this.add(change);
  }

  /** The columns that are not as they are shown. */
  private updated(key: string, given: Values, group: number | undefined): ModelChange[] {
    const row = this.shown().get(key)!;
    const names = Object.keys(given).filter((name) => given[name] !== (row[name] ?? null));
    if (names.length === 0) return [];
    const value = Object.fromEntries(names.map((name) => [name, given[name]!]));
    const base = Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
    return [{ key, operation: "update", value, base, state: "pending", group }];
  }

  /** Adds a change, or joins it to the unsent one of its row. */
  private add(later: ModelChange): void {
    const earlier = this.changes.filter(({ key, state }) => key === later.key && state !== "rejected").at(-1);
    // What names a row that was made since, and is not with the server, stays behind that.
    const isBehind = earlier && this.changes.slice(this.changes.indexOf(earlier) + 1)
      .some(({ key, operation, state }) => key === later.value[this.naming] && operation === "insert" && state !== "acknowledged");
    const isJoined = earlier?.state === "pending" && !isBehind && earlier.operation !== "delete" && later.operation !== "insert" && earlier.group === later.group
      && !(earlier.operation === "update" && later.operation === "delete");
    if (!earlier || !isJoined) return void this.changes.push(later);
    if (later.operation === "delete") {
      this.changes.splice(this.changes.indexOf(earlier), 1);
      if (!this.synced.has(later.key) && !this.changes.some(({ key, operation, state }) => key === later.key && !(operation === "delete" && state === "pending"))) {
        this.own.delete(later.key);
      }
      return;
    }
    earlier.value = { ...earlier.value, ...later.value };
    if (earlier.operation === "insert") return;
    const base = { ...later.base, ...earlier.base };
    const left = Object.keys(earlier.value).filter((name) => earlier.value[name] !== base[name]);
    earlier.value = Object.fromEntries(left.map((name) => [name, earlier.value[name]!]));
    earlier.base = Object.fromEntries(left.map((name) => [name, base[name]!]));
    if (left.length === 0) this.changes.splice(this.changes.indexOf(earlier), 1);
  }

  /** The first of those that are sent together was refused: what stands on them goes with them. */
  refuse(first: ModelChange, code: string): void {
    const refused = new Set([first]);
    for (const change of refused) {
      for (const [at, other] of this.changes.entries()) {
        const isLater = at > this.changes.indexOf(change);
        const standsOn = isLater && other.key === change.key
          && (change.operation === "insert" || (change.operation === "delete" && other.operation === "insert"));
        const namesIt = isLater && change.operation === "insert" && other.value[this.naming] === change.key;
        if (standsOn || namesIt || (change.group !== undefined && other.group === change.group)) refused.add(other);
      }
    }
    const open = (change: ModelChange): boolean => change.state === "pending" || change.state === "sending";
    const ended = [...refused].filter(open);
    for (const change of ended) {
      change.state = "rejected";
      change.error = change === first ? code : "dependency_rejected";
    }
    // Of refused ones on top of each other, what the newest hands on is the value of the one before it.
    const newest = ended.sort((one, other) => this.changes.indexOf(other) - this.changes.indexOf(one));
    for (const change of newest) if (change.operation === "update") this.handOn(change);
  }

  /** What has seen the values of a refused change, and was not sent, stands on what that stood on. */
  private handOn(refused: ModelChange): void {
    const left = new Set(Object.keys(refused.value));
    for (const later of this.changes.slice(this.changes.indexOf(refused) + 1)) {
      if (later.key !== refused.key || later.state === "rejected") continue;
      for (const name of left) {
        if (later.state === "pending" && name in later.base && later.base[name] === refused.value[name]) later.base[name] = refused.base[name]!;
        if (later.operation !== "update" || name in later.value) left.delete(name);
      }
    }
  }

  /** The server's rows are here, up to a place in its log. */
  read(rows: ReadonlyMap<string, Values>, seq: number): void {
    this.synced.clear();
    for (const [key, row] of rows) this.synced.set(key, { ...row });
    this.changes = this.changes.filter((change) => change.state !== "acknowledged" || change.seq! > seq);
  }
}
