-- categories: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "categories_synced" (
  "id" text NOT NULL PRIMARY KEY,
  "name" text,
  "kind" text,
  "color" text,
  "_role" text
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "categories_local" (
  "id" text NOT NULL PRIMARY KEY,
  "name" text,
  "kind" text,
  "color" text,
  -- The columns that changes set.
  "_changed_columns" text[] NOT NULL DEFAULT '{}',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" boolean NOT NULL DEFAULT false,
  "_is_deleted" boolean NOT NULL DEFAULT false,
  -- Of the last change.
  "_write_id" text
);

INSERT INTO "_unique" ("entity", "field") VALUES ('categories', 'name') ON CONFLICT DO NOTHING;
INSERT INTO "_shapes" ("entity") VALUES ('categories') ON CONFLICT DO NOTHING;

DROP VIEW IF EXISTS "categories";
CREATE VIEW "categories" AS
SELECT synced."id" AS "id",
  CASE WHEN 'name' = ANY (own."_changed_columns") THEN own."name" ELSE synced."name" END AS "name",
  CASE WHEN 'kind' = ANY (own."_changed_columns") THEN own."kind" ELSE synced."kind" END AS "kind",
  CASE WHEN 'color' = ANY (own."_changed_columns") THEN own."color" ELSE synced."color" END AS "color",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "categories_synced" AS synced LEFT JOIN "categories_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT TRUE
UNION ALL
SELECT own."id",
  own."name",
  own."kind",
  own."color",
  NULL,
  true,
  own."_write_id"
FROM "categories_local" AS own
WHERE own."_is_new" AND (
  own."_is_deleted"
  OR NOT EXISTS (SELECT 1 FROM "categories_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
-- The parameter goes by its place, and what is named both ways is the column: fields may have any name.
CREATE OR REPLACE FUNCTION "_categories_overlay"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row record;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('categories', $1);
  SELECT * INTO _row FROM "_overlay"('categories', $1);
  INSERT INTO "categories_local" AS own (
    "id", "name", "kind", "color",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  VALUES (
    $1::text,
    (_row."value" ->> 'name')::text,
    (_row."value" ->> 'kind')::text,
    (_row."value" ->> 'color')::text,
    ARRAY(SELECT jsonb_object_keys(_row."value")), _row."is_new", _row."is_deleted", _row."write_id")
  ON CONFLICT ("id") DO UPDATE SET
    "name" = excluded."name",
    "kind" = excluded."kind",
    "color" = excluded."color",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  IF _row."write_id" IS NULL THEN
    DELETE FROM "categories_local" WHERE "id" = $1::text;
  END IF;
END
$body0$;
CREATE OR REPLACE FUNCTION "_categories_overlay"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_categories_overlay"(CASE TG_OP WHEN 'DELETE' THEN OLD."key" ELSE NEW."key" END);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_categories_overlay" ON "_changes";
CREATE TRIGGER "_categories_overlay" AFTER INSERT ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'categories') EXECUTE FUNCTION "_categories_overlay"();
-- That a write is under way, or accepted, changes nothing of what is shown of it.
DROP TRIGGER IF EXISTS "_categories_moved" ON "_changes";
CREATE TRIGGER "_categories_moved" AFTER UPDATE OF "value", "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'categories' AND (
  NEW."value" <> OLD."value"
  OR (NEW."state" = 'acknowledged' OR NEW."mode" = 'optimistic' AND NEW."state" <> 'rejected')
    <> (OLD."state" = 'acknowledged' OR OLD."mode" = 'optimistic' AND OLD."state" <> 'rejected')))
EXECUTE FUNCTION "_categories_overlay"();
DROP TRIGGER IF EXISTS "_categories_dropped" ON "_changes";
CREATE TRIGGER "_categories_dropped" AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."entity" = 'categories') EXECUTE FUNCTION "_categories_overlay"();

CREATE OR REPLACE FUNCTION "_categories_insert"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  IF NEW."id" IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE = 'categories: a row needs its key';
  END IF;
  IF EXISTS (SELECT 1 FROM "categories" WHERE "id" = lower(NEW."id")) THEN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = 'categories: a row with this key is there';
  END IF;
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value")
  VALUES ('categories', (lower(NEW."id"))::text, 'insert', 'optimistic', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('name', to_jsonb(NEW."name")),
      ('kind', to_jsonb(NEW."kind")),
      ('color', to_jsonb(NEW."color"))) AS cell ("name", "json")
    WHERE cell."json" IS NOT NULL));
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_categories_insert" ON "categories";
CREATE TRIGGER "_categories_insert" INSTEAD OF INSERT ON "categories"
FOR EACH ROW EXECUTE FUNCTION "_categories_insert"();

CREATE OR REPLACE FUNCTION "_categories_update"() RETURNS trigger LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _value jsonb;
  _base jsonb;
BEGIN
  IF NEW."id" IS DISTINCT FROM OLD."id" THEN
    RAISE EXCEPTION USING MESSAGE = 'categories: a key can''t change';
  END IF;
  SELECT jsonb_object_agg(cell."name", cell."json"), jsonb_object_agg(cell."name", cell."base")
  INTO _value, _base
  FROM (VALUES
    ('name', to_jsonb(NEW."name"), to_jsonb(OLD."name")),
    ('kind', to_jsonb(NEW."kind"), to_jsonb(OLD."kind")),
    ('color', to_jsonb(NEW."color"), to_jsonb(OLD."color"))) AS cell ("name", "json", "base")
  WHERE cell."json" IS DISTINCT FROM cell."base";
  IF _value IS NOT NULL THEN
    INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value", "base")
    VALUES ('categories', NEW."id"::text, 'update', 'optimistic', _value, _base);
  END IF;
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_categories_update" ON "categories";
CREATE TRIGGER "_categories_update" INSTEAD OF UPDATE ON "categories"
FOR EACH ROW EXECUTE FUNCTION "_categories_update"();

CREATE OR REPLACE FUNCTION "_categories_delete"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "base")
  VALUES ('categories', OLD."id"::text, 'delete', 'optimistic', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('name', to_jsonb(OLD."name")),
      ('kind', to_jsonb(OLD."kind")),
      ('color', to_jsonb(OLD."color"))) AS cell ("name", "json")));
  RETURN OLD;
END
$body0$;
DROP TRIGGER IF EXISTS "_categories_delete" ON "categories";
CREATE TRIGGER "_categories_delete" INSTEAD OF DELETE ON "categories"
FOR EACH ROW EXECUTE FUNCTION "_categories_delete"();

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
CREATE OR REPLACE FUNCTION "_categories_told"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row jsonb;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'categories' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL)
  THEN
    RETURN;
  END IF;
  SELECT (
    SELECT jsonb_object_agg(cell."name", coalesce(cell."json", 'null'))
    FROM (VALUES
      ('name', to_jsonb(synced."name")),
      ('kind', to_jsonb(synced."kind")),
      ('color', to_jsonb(synced."color"))) AS cell ("name", "json"))
  INTO _row FROM "categories_synced" AS synced WHERE synced."id" = $1::text;
  DELETE FROM "_changes" WHERE "entity" = 'categories' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max("id") FROM "_changes" WHERE "entity" = 'categories' AND "key" = $1
        AND "state" = 'acknowledged' AND "seq" IS NULL
        AND CASE "operation" WHEN 'delete' THEN _row IS NULL ELSE _row || "value" = _row END);
END
$body0$;
CREATE OR REPLACE FUNCTION "_categories_told"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_categories_told"(NEW."key");
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_categories_told" ON "_changes";
CREATE TRIGGER "_categories_told" AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'categories' AND NEW."state" = 'acknowledged' AND NEW."seq" IS NULL)
EXECUTE FUNCTION "_categories_told"();
CREATE OR REPLACE FUNCTION "_categories_synced"() RETURNS trigger LANGUAGE plpgsql AS $body0$
DECLARE
  _key text := CASE TG_OP WHEN 'DELETE' THEN OLD."id" ELSE NEW."id" END;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('categories', _key);
  PERFORM "_categories_told"(_key);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_categories_synced" ON "categories_synced";
CREATE TRIGGER "_categories_synced" AFTER INSERT OR UPDATE OR DELETE ON "categories_synced"
FOR EACH ROW EXECUTE FUNCTION "_categories_synced"();
