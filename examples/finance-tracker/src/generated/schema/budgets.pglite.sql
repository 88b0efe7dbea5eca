-- budgets: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "budgets_synced" (
  "id" text NOT NULL PRIMARY KEY,
  "category_id" text,
  "month" text,
  "amount" numeric,
  "note" text,
  "_role" text
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "budgets_local" (
  "id" text NOT NULL PRIMARY KEY,
  "category_id" text,
  "month" text,
  "amount" numeric,
  "note" text,
  -- The columns that changes set.
  "_changed_columns" text[] NOT NULL DEFAULT '{}',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" boolean NOT NULL DEFAULT false,
  "_is_deleted" boolean NOT NULL DEFAULT false,
  -- Of the last change.
  "_write_id" text
);

INSERT INTO "_references" ("entity", "field", "target") VALUES ('budgets', 'category_id', 'categories')
ON CONFLICT ("entity", "field") DO UPDATE SET "target" = excluded."target";
INSERT INTO "_unique" ("entity", "field") VALUES ('budgets', 'category_id') ON CONFLICT DO NOTHING;
INSERT INTO "_unique" ("entity", "field") VALUES ('budgets', 'month') ON CONFLICT DO NOTHING;
INSERT INTO "_shapes" ("entity") VALUES ('budgets') ON CONFLICT DO NOTHING;

DROP VIEW IF EXISTS "budgets";
CREATE VIEW "budgets" AS
SELECT synced."id" AS "id",
  CASE WHEN 'category_id' = ANY (own."_changed_columns") THEN own."category_id" ELSE synced."category_id" END AS "category_id",
  CASE WHEN 'month' = ANY (own."_changed_columns") THEN own."month" ELSE synced."month" END AS "month",
  CASE WHEN 'amount' = ANY (own."_changed_columns") THEN own."amount" ELSE synced."amount" END AS "amount",
  CASE WHEN 'note' = ANY (own."_changed_columns") THEN own."note" ELSE synced."note" END AS "note",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "budgets_synced" AS synced LEFT JOIN "budgets_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT TRUE
UNION ALL
SELECT own."id",
  own."category_id",
  own."month",
  own."amount",
  own."note",
  NULL,
  true,
  own."_write_id"
FROM "budgets_local" AS own
WHERE own."_is_new" AND (
  own."_is_deleted"
  OR NOT EXISTS (SELECT 1 FROM "budgets_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
-- The parameter goes by its place, and what is named both ways is the column: fields may have any name.
CREATE OR REPLACE FUNCTION "_budgets_overlay"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row record;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('budgets', $1);
  SELECT * INTO _row FROM "_overlay"('budgets', $1);
  INSERT INTO "budgets_local" AS own (
    "id", "category_id", "month", "amount", "note",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  VALUES (
    $1::text,
    (_row."value" ->> 'category_id')::text,
    (_row."value" ->> 'month')::text,
    (_row."value" ->> 'amount')::numeric,
    (_row."value" ->> 'note')::text,
    ARRAY(SELECT jsonb_object_keys(_row."value")), _row."is_new", _row."is_deleted", _row."write_id")
  ON CONFLICT ("id") DO UPDATE SET
    "category_id" = excluded."category_id",
    "month" = excluded."month",
    "amount" = excluded."amount",
    "note" = excluded."note",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  IF _row."write_id" IS NULL THEN
    DELETE FROM "budgets_local" WHERE "id" = $1::text;
  END IF;
END
$body0$;
CREATE OR REPLACE FUNCTION "_budgets_overlay"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_budgets_overlay"(CASE TG_OP WHEN 'DELETE' THEN OLD."key" ELSE NEW."key" END);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_budgets_overlay" ON "_changes";
CREATE TRIGGER "_budgets_overlay" AFTER INSERT ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'budgets') EXECUTE FUNCTION "_budgets_overlay"();
-- That a write is under way, or accepted, changes nothing of what is shown of it.
DROP TRIGGER IF EXISTS "_budgets_moved" ON "_changes";
CREATE TRIGGER "_budgets_moved" AFTER UPDATE OF "value", "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'budgets' AND (
  NEW."value" <> OLD."value"
  OR (NEW."state" = 'acknowledged' OR NEW."mode" = 'optimistic' AND NEW."state" <> 'rejected')
    <> (OLD."state" = 'acknowledged' OR OLD."mode" = 'optimistic' AND OLD."state" <> 'rejected')))
EXECUTE FUNCTION "_budgets_overlay"();
DROP TRIGGER IF EXISTS "_budgets_dropped" ON "_changes";
CREATE TRIGGER "_budgets_dropped" AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."entity" = 'budgets') EXECUTE FUNCTION "_budgets_overlay"();

CREATE OR REPLACE FUNCTION "_budgets_insert"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  IF NEW."id" IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE = 'budgets: a row needs its key';
  END IF;
  IF EXISTS (SELECT 1 FROM "budgets" WHERE "id" = lower(NEW."id")) THEN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = 'budgets: a row with this key is there';
  END IF;
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value")
  VALUES ('budgets', (lower(NEW."id"))::text, 'insert', 'optimistic', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('category_id', to_jsonb(lower(NEW."category_id"))),
      ('month', to_jsonb(NEW."month")),
      ('amount', to_jsonb(NEW."amount"::text)),
      ('note', to_jsonb(NEW."note"))) AS cell ("name", "json")
    WHERE cell."json" IS NOT NULL));
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_budgets_insert" ON "budgets";
CREATE TRIGGER "_budgets_insert" INSTEAD OF INSERT ON "budgets"
FOR EACH ROW EXECUTE FUNCTION "_budgets_insert"();

CREATE OR REPLACE FUNCTION "_budgets_update"() RETURNS trigger LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _value jsonb;
  _base jsonb;
BEGIN
  IF NEW."id" IS DISTINCT FROM OLD."id" THEN
    RAISE EXCEPTION USING MESSAGE = 'budgets: a key can''t change';
  END IF;
  SELECT jsonb_object_agg(cell."name", cell."json"), jsonb_object_agg(cell."name", cell."base")
  INTO _value, _base
  FROM (VALUES
    ('category_id', to_jsonb(lower(NEW."category_id")), to_jsonb(OLD."category_id")),
    ('month', to_jsonb(NEW."month"), to_jsonb(OLD."month")),
    ('amount', to_jsonb(NEW."amount"::text), to_jsonb(OLD."amount"::text)),
    ('note', to_jsonb(NEW."note"), to_jsonb(OLD."note"))) AS cell ("name", "json", "base")
  WHERE cell."json" IS DISTINCT FROM cell."base";
  IF _value IS NOT NULL THEN
    INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value", "base")
    VALUES ('budgets', NEW."id"::text, 'update', 'optimistic', _value, _base);
  END IF;
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_budgets_update" ON "budgets";
CREATE TRIGGER "_budgets_update" INSTEAD OF UPDATE ON "budgets"
FOR EACH ROW EXECUTE FUNCTION "_budgets_update"();

CREATE OR REPLACE FUNCTION "_budgets_delete"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "base")
  VALUES ('budgets', OLD."id"::text, 'delete', 'optimistic', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('category_id', to_jsonb(OLD."category_id")),
      ('month', to_jsonb(OLD."month")),
      ('amount', to_jsonb(OLD."amount"::text)),
      ('note', to_jsonb(OLD."note"))) AS cell ("name", "json")));
  RETURN OLD;
END
$body0$;
DROP TRIGGER IF EXISTS "_budgets_delete" ON "budgets";
CREATE TRIGGER "_budgets_delete" INSTEAD OF DELETE ON "budgets"
FOR EACH ROW EXECUTE FUNCTION "_budgets_delete"();

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
CREATE OR REPLACE FUNCTION "_budgets_told"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row jsonb;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'budgets' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL)
  THEN
    RETURN;
  END IF;
  SELECT (
    SELECT jsonb_object_agg(cell."name", coalesce(cell."json", 'null'))
    FROM (VALUES
      ('category_id', to_jsonb(synced."category_id")),
      ('month', to_jsonb(synced."month")),
      ('amount', to_jsonb(synced."amount"::text)),
      ('note', to_jsonb(synced."note"))) AS cell ("name", "json"))
  INTO _row FROM "budgets_synced" AS synced WHERE synced."id" = $1::text;
  DELETE FROM "_changes" WHERE "entity" = 'budgets' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max("id") FROM "_changes" WHERE "entity" = 'budgets' AND "key" = $1
        AND "state" = 'acknowledged' AND "seq" IS NULL
        AND CASE "operation" WHEN 'delete' THEN _row IS NULL ELSE _row || "value" = _row END);
END
$body0$;
CREATE OR REPLACE FUNCTION "_budgets_told"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_budgets_told"(NEW."key");
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_budgets_told" ON "_changes";
CREATE TRIGGER "_budgets_told" AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'budgets' AND NEW."state" = 'acknowledged' AND NEW."seq" IS NULL)
EXECUTE FUNCTION "_budgets_told"();
CREATE OR REPLACE FUNCTION "_budgets_synced"() RETURNS trigger LANGUAGE plpgsql AS $body0$
DECLARE
  _key text := CASE TG_OP WHEN 'DELETE' THEN OLD."id" ELSE NEW."id" END;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('budgets', _key);
  PERFORM "_budgets_told"(_key);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_budgets_synced" ON "budgets_synced";
CREATE TRIGGER "_budgets_synced" AFTER INSERT OR UPDATE OR DELETE ON "budgets_synced"
FOR EACH ROW EXECUTE FUNCTION "_budgets_synced"();
