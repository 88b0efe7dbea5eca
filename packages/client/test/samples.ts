/** Records of any schema: values that satisfy what it says of each field. */
import assert from "node:assert/strict";
import type { FieldKind, Json, Row } from "../src/entity.js";

interface Bound { value: number; exclusive?: boolean }
interface Rules {
  one_of?: Json[]; min_length?: number; max_length?: number; pattern?: string; minimum?: Bound; maximum?: Bound; multiple_of?: number; format?: string;
  json?: { type: "array"; items?: Nested; min_items?: number } | { type: "object"; properties?: Record<string, Nested>; others?: "none" | "any" | { each: Nested } };
}
interface Nested { kind: FieldKind; nullable?: boolean; rules?: Rules }
interface Field extends Nested {
  name: string; required?: boolean; read_only?: boolean; sync_exclude?: boolean; default?: Json; references?: string;
}

/** An entity as the server's `/api/schema` has it. */
export interface Entity {
  name: string;
  key: string;
  mode: { kind: "optimistic" | "confirmed" | "cache" };
  fields: Field[];
  subset?: string;
  access: { role_via?: { entity: string; entity_field: string; field: string; user_field: string; role_field: string } };
  operations?: { verb: string; field_parameters?: [parameter: string, field: string][] }[];
}

/** Who asks a server that asks for no credential. */
const USER = "anonymous";

export class Samples {
  constructor(readonly entities: readonly Entity[]) {}

  /** So that what gives a role on others comes before them, and what is named before what names it. */
  inOrder(): Entity[] {
    const order: Entity[] = [];
    const visit = (entity: Entity | undefined, way: readonly Entity[]): void => {
      if (!entity || way.includes(entity) || order.includes(entity)) return;
      const named = this.isMembership(entity) ? [] : entity.fields.map(({ references }) => references);
      for (const name of [entity.access.role_via?.entity, ...named]) visit(this.entities.find((one) => one.name === name), [...way, entity]);
      order.push(entity);
    };
    for (const entity of this.entities) visit(entity, []);
    return order;
  }

  private isMembership({ name }: Entity): boolean {
    return this.entities.some(({ access }) => access.role_via?.entity === name);
  }

  /** Whether a record's role hangs on others, or others' on it: only the first one fits them. */
  isBound(entity: Entity): boolean {
    return entity.access.role_via !== undefined || this.isMembership(entity);
  }

  /** The key of the record that others name. */
  keyOf(entity: Entity): string | number {
    return valueOf(entity.fields.find(({ name }) => name === entity.key)!, 0) as string | number;
  }

  /** A new record with all that a client may write. */
  whole(entity: Entity): Row {
    return { ...this.values(entity, 0, () => true), [entity.key]: this.keyOf(entity) };
  }

  /** Another one, with what it must have alone; its key is made where it is made. */
  least(entity: Entity): Row {
    const isMinted = ({ kind, rules }: Field): boolean => (kind === "text" || kind === "uuid") && !rules?.one_of;
    const within = subsetOf(entity);
    return this.values(entity, 2, (field) => (field.name === entity.key ? !isMinted(field) : field.name in within || (field.required && field.default === undefined)));
  }

  /** Another value of each field that can be changed: one by which its path or its role goes stays. */
  changed(entity: Entity): Row {
    const { role_via: via } = entity.access;
    const parents = (entity.operations ?? []).flatMap(({ field_parameters = [] }) => field_parameters.map(([, field]) => field));
    const fixed = [entity.key, ...parents, ...(via ? [via.field] : []), ...(this.isMembership(entity) ? entity.fields.map(({ name }) => name) : [])];
    return this.values(entity, 1, ({ name }) => !fixed.includes(name));
  }

  private values(entity: Entity, seed: number, isGiven: (field: Field) => boolean | undefined): Row {
    const given = entity.fields.filter((field) => (field.name === entity.key || !field.read_only) && isGiven(field));
    const values = given.map((field) => [field.name, this.reference(field) ?? valueOf(field, seed)] as const);
    for (const [name, value] of values) {
      assert.ok(value !== undefined || !entity.fields.find((field) => field.name === name)!.required, `no value is known for ${entity.name}.${name}`);
    }
    return { ...Object.fromEntries(values.filter(([, value]) => value !== undefined)), ...pickOf(subsetOf(entity), given), ...this.membership(entity) };
  }

  private reference({ references }: Field): string | number | undefined {
    const named = this.entities.find(({ name }) => name === references);
    return named && this.keyOf(named);
  }

  private membership({ name }: Entity): Row {
    const via = this.entities.find(({ access }) => access.role_via?.entity === name)?.access.role_via;
    return via ? { [via.user_field]: USER, [via.role_field]: "owner" } : {};
  }
}

const pickOf = (values: Row, fields: readonly Field[]): Row => Object.fromEntries(Object.entries(values).filter(([name]) => fields.some((field) => field.name === name)));

/** What a record must hold to be among those that clients take. */
function subsetOf({ subset }: Entity): Row {
  if (subset === undefined) return {};
  const [, name, value] = subset.match(/^(\w+) = (true|false|'[^']*')$/) ?? assert.fail(`no record is known where ${subset}`);
  return { [name!]: JSON.parse(value!.replaceAll("'", '"')) as Json };
}

/** One of a value's possible ones, another for each seed where there are more; undefined: none is known. */
function valueOf({ kind, rules = {} }: Nested, seed: number): Json | undefined {
  if (rules.one_of) return rules.one_of[seed % rules.one_of.length];
  switch (kind) {
    case "text": return textOf(rules, seed);
    case "uuid": return `0000000${seed}-0000-4000-8000-00000000000a`;
    case "boolean": return seed % 2 === 0;
    case "int32": case "int64": return numberOf(rules, 7 + seed, 1);
    case "float": return numberOf(rules, 2.5 + seed, 0.5);
    case "decimal": return String(numberOf(rules, 1.25 + seed, 0.25));
    case "date": return `2026-01-3${seed % 2}`;
    case "time": return `10:00:0${seed}`;
    case "timestamp": return `2026-01-31T10:00:0${seed}Z`;
    case "json": return jsonOf(rules, seed);
  }
}

const FORMS: Record<string, (seed: number) => string> = {
  email: (seed) => `ann${seed}@example.org`,
  uri: (seed) => `https://example.org/${seed}`,
  url: (seed) => `https://example.org/${seed}`,
  ipv4: (seed) => `192.0.2.${seed}`,
  ipv6: (seed) => `2001:db8::${seed}`,
  hostname: (seed) => `host${seed}.example.org`,
};

function textOf({ min_length: min = 0, max_length: max = Infinity, pattern, format }: Rules, seed: number): string | undefined {
  const plain = [`it's ${seed}`, `a${seed}`, String(seed), "EUR", `00ff0${seed}`].map((text) => text.padEnd(min, "x").slice(0, max));
  const candidates = [...(format && FORMS[format] ? [FORMS[format](seed)] : []), ...(pattern ? [beginningOf(pattern) + seed] : []), ...plain];
  return candidates.find((text) => text.length >= min && text.length <= max && (pattern === undefined || new RegExp(pattern, "u").test(text)));
}

/** What a pattern's first way begins with, where it is no more than words and a choice of them. */
const beginningOf = (pattern: string): string => pattern.replace(/^\^/, "").replace(/\(([^()|]*)\|[^()]*\)/g, "$1").split("|")[0]!;

function numberOf({ minimum, maximum, multiple_of: unit = 0 }: Rules, wanted: number, step: number): number {
  const least = minimum ? minimum.value + (minimum.exclusive ? step : 0) : -Infinity;
  const most = maximum ? maximum.value - (maximum.exclusive ? step : 0) : Infinity;
  const found = Math.min(Math.max(wanted, least), most);
  return unit > 0 ? Math.ceil(found / unit) * unit : found;
}

function jsonOf({ json }: Rules, seed: number): Json | undefined {
  if (!json) return { deep: [seed, null] };
  if (json.type === "array") {
    const items = Array.from({ length: Math.max(json.min_items ?? 0, 1) }, (_, at) => (json.items ? valueOf(json.items, seed + at) : seed + at));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  const named = Object.entries(json.properties ?? {}).map(([name, nested]) => [name, valueOf(nested, seed)] as const);
  const others = typeof json.others === "object" ? [["other", valueOf(json.others.each, seed)] as const] : [];
  return Object.fromEntries([...named, ...others].filter((one): one is [string, Json] => one[1] !== undefined));
}
