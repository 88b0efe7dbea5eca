-- accounts: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "accounts_synced" (
  "id" text NOT NULL PRIMARY KEY,
  "name" text,
  "kind" text,
  "opening_balance" numeric,
  "overdraft_limit" numeric,
  "closed" boolean,
  "created_at" text,
  "updated_at" text,
  "_role" text
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "accounts_local" (
  "id" text NOT NULL PRIMARY KEY,
  "name" text,
  "kind" text,
  "opening_balance" numeric,
  "overdraft_limit" numeric,
  "closed" boolean,
  "created_at" text,
  "updated_at" text,
  -- The columns that changes set.
  "_changed_columns" text[] NOT NULL DEFAULT '{}',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" boolean NOT NULL DEFAULT false,
  "_is_deleted" boolean NOT NULL DEFAULT false,
  -- Of the last change.
  "_write_id" text
);

INSERT INTO "_unique" ("entity", "field") VALUES ('accounts', 'name') ON CONFLICT DO NOTHING;
INSERT INTO "_shapes" ("entity") VALUES ('accounts') ON CONFLICT DO NOTHING;

DROP VIEW IF EXISTS "accounts";
CREATE VIEW "accounts" AS
SELECT synced."id" AS "id",
  CASE WHEN 'name' = ANY (own."_changed_columns") THEN own."name" ELSE synced."name" END AS "name",
  CASE WHEN 'kind' = ANY (own."_changed_columns") THEN own."kind" ELSE synced."kind" END AS "kind",
  CASE WHEN 'opening_balance' = ANY (own."_changed_columns") THEN own."opening_balance" ELSE synced."opening_balance" END AS "opening_balance",
  CASE WHEN 'overdraft_limit' = ANY (own."_changed_columns") THEN own."overdraft_limit" ELSE synced."overdraft_limit" END AS "overdraft_limit",
  CASE WHEN 'closed' = ANY (own."_changed_columns") THEN own."closed" ELSE synced."closed" END AS "closed",
  CASE WHEN 'created_at' = ANY (own."_changed_columns") THEN own."created_at" ELSE synced."created_at" END AS "created_at",
  CASE WHEN 'updated_at' = ANY (own."_changed_columns") THEN own."updated_at" ELSE synced."updated_at" END AS "updated_at",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "accounts_synced" AS synced LEFT JOIN "accounts_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT TRUE
UNION ALL
SELECT own."id",
  own."name",
  own."kind",
  own."opening_balance",
  own."overdraft_limit",
  own."closed",
  own."created_at",
  own."updated_at",
  NULL,
  true,
  own."_write_id"
FROM "accounts_local" AS own
WHERE own."_is_new" AND (
  own."_is_deleted"
  OR NOT EXISTS (SELECT 1 FROM "accounts_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
-- The parameter goes by its place, and what is named both ways is the column: fields may have any name.
CREATE OR REPLACE FUNCTION "_accounts_overlay"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row record;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('accounts', $1);
  SELECT * INTO _row FROM "_overlay"('accounts', $1);
  INSERT INTO "accounts_local" AS own (
    "id", "name", "kind", "opening_balance", "overdraft_limit", "closed", "created_at", "updated_at",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  VALUES (
    $1::text,
    (_row."value" ->> 'name')::text,
    (_row."value" ->> 'kind')::text,
    (_row."value" ->> 'opening_balance')::numeric,
    (_row."value" ->> 'overdraft_limit')::numeric,
    (_row."value" ->> 'closed')::boolean,
    (_row."value" ->> 'created_at')::text,
    (_row."value" ->> 'updated_at')::text,
    ARRAY(SELECT jsonb_object_keys(_row."value")), _row."is_new", _row."is_deleted", _row."write_id")
  ON CONFLICT ("id") DO UPDATE SET
    "name" = excluded."name",
    "kind" = excluded."kind",
    "opening_balance" = excluded."opening_balance",
    "overdraft_limit" = excluded."overdraft_limit",
    "closed" = excluded."closed",
    "created_at" = excluded."created_at",
    "updated_at" = excluded."updated_at",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  IF _row."write_id" IS NULL THEN
    DELETE FROM "accounts_local" WHERE "id" = $1::text;
  END IF;
END
$body0$;
CREATE OR REPLACE FUNCTION "_accounts_overlay"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_accounts_overlay"(CASE TG_OP WHEN 'DELETE' THEN OLD."key" ELSE NEW."key" END);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_accounts_overlay" ON "_changes";
CREATE TRIGGER "_accounts_overlay" AFTER INSERT ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'accounts') EXECUTE FUNCTION "_accounts_overlay"();
-- That a write is under way, or accepted, changes nothing of what is shown of it.
DROP TRIGGER IF EXISTS "_accounts_moved" ON "_changes";
CREATE TRIGGER "_accounts_moved" AFTER UPDATE OF "value", "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'accounts' AND (
  NEW."value" <> OLD."value"
  OR (NEW."state" = 'acknowledged' OR NEW."mode" = 'optimistic' AND NEW."state" <> 'rejected')
    <> (OLD."state" = 'acknowledged' OR OLD."mode" = 'optimistic' AND OLD."state" <> 'rejected')))
EXECUTE FUNCTION "_accounts_overlay"();
DROP TRIGGER IF EXISTS "_accounts_dropped" ON "_changes";
CREATE TRIGGER "_accounts_dropped" AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."entity" = 'accounts') EXECUTE FUNCTION "_accounts_overlay"();

CREATE OR REPLACE FUNCTION "_accounts_insert"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  IF NEW."id" IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE = 'accounts: a row needs its key';
  END IF;
  IF EXISTS (SELECT 1 FROM "accounts" WHERE "id" = lower(NEW."id")) THEN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = 'accounts: a row with this key is there';
  END IF;
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value")
  VALUES ('accounts', (lower(NEW."id"))::text, 'insert', 'confirmed', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('name', to_jsonb(NEW."name")),
      ('kind', to_jsonb(NEW."kind")),
      ('opening_balance', to_jsonb(NEW."opening_balance"::text)),
      ('overdraft_limit', to_jsonb(NEW."overdraft_limit"::text)),
      ('closed', to_jsonb(NEW."closed")),
      ('created_at', to_jsonb(NEW."created_at")),
      ('updated_at', to_jsonb(NEW."updated_at"))) AS cell ("name", "json")
    WHERE cell."json" IS NOT NULL));
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_accounts_insert" ON "accounts";
CREATE TRIGGER "_accounts_insert" INSTEAD OF INSERT ON "accounts"
FOR EACH ROW EXECUTE FUNCTION "_accounts_insert"();

CREATE OR REPLACE FUNCTION "_accounts_update"() RETURNS trigger LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _value jsonb;
  _base jsonb;
BEGIN
  IF NEW."id" IS DISTINCT FROM OLD."id" THEN
    RAISE EXCEPTION USING MESSAGE = 'accounts: a key can''t change';
  END IF;
  SELECT jsonb_object_agg(cell."name", cell."json"), jsonb_object_agg(cell."name", cell."base")
  INTO _value, _base
  FROM (VALUES
    ('name', to_jsonb(NEW."name"), to_jsonb(OLD."name")),
    ('kind', to_jsonb(NEW."kind"), to_jsonb(OLD."kind")),
    ('opening_balance', to_jsonb(NEW."opening_balance"::text), to_jsonb(OLD."opening_balance"::text)),
    ('overdraft_limit', to_jsonb(NEW."overdraft_limit"::text), to_jsonb(OLD."overdraft_limit"::text)),
    ('closed', to_jsonb(NEW."closed"), to_jsonb(OLD."closed")),
    ('created_at', to_jsonb(NEW."created_at"), to_jsonb(OLD."created_at")),
    ('updated_at', to_jsonb(NEW."updated_at"), to_jsonb(OLD."updated_at"))) AS cell ("name", "json", "base")
  WHERE cell."json" IS DISTINCT FROM cell."base";
  IF _value IS NOT NULL THEN
    INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value", "base")
    VALUES ('accounts', NEW."id"::text, 'update', 'confirmed', _value, _base);
  END IF;
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_accounts_update" ON "accounts";
CREATE TRIGGER "_accounts_update" INSTEAD OF UPDATE ON "accounts"
FOR EACH ROW EXECUTE FUNCTION "_accounts_update"();

CREATE OR REPLACE FUNCTION "_accounts_delete"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "base")
  VALUES ('accounts', OLD."id"::text, 'delete', 'confirmed', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('name', to_jsonb(OLD."name")),
      ('kind', to_jsonb(OLD."kind")),
      ('opening_balance', to_jsonb(OLD."opening_balance"::text)),
      ('overdraft_limit', to_jsonb(OLD."overdraft_limit"::text)),
      ('closed', to_jsonb(OLD."closed")),
      ('created_at', to_jsonb(OLD."created_at")),
      ('updated_at', to_jsonb(OLD."updated_at"))) AS cell ("name", "json")));
  RETURN OLD;
END
$body0$;
DROP TRIGGER IF EXISTS "_accounts_delete" ON "accounts";
CREATE TRIGGER "_accounts_delete" INSTEAD OF DELETE ON "accounts"
FOR EACH ROW EXECUTE FUNCTION "_accounts_delete"();

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
CREATE OR REPLACE FUNCTION "_accounts_told"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row jsonb;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'accounts' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL)
  THEN
    RETURN;
  END IF;
  SELECT (
    SELECT jsonb_object_agg(cell."name", coalesce(cell."json", 'null'))
    FROM (VALUES
      ('name', to_jsonb(synced."name")),
      ('kind', to_jsonb(synced."kind")),
      ('opening_balance', to_jsonb(synced."opening_balance"::text)),
      ('overdraft_limit', to_jsonb(synced."overdraft_limit"::text)),
      ('closed', to_jsonb(synced."closed")),
      ('created_at', to_jsonb(synced."created_at")),
      ('updated_at', to_jsonb(synced."updated_at"))) AS cell ("name", "json"))
  INTO _row FROM "accounts_synced" AS synced WHERE synced."id" = $1::text;
  DELETE FROM "_changes" WHERE "entity" = 'accounts' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max("id") FROM "_changes" WHERE "entity" = 'accounts' AND "key" = $1
        AND "state" = 'acknowledged' AND "seq" IS NULL
        AND CASE "operation" WHEN 'delete' THEN _row IS NULL ELSE _row || "value" = _row END);
END
$body0$;
CREATE OR REPLACE FUNCTION "_accounts_told"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_accounts_told"(NEW."key");
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_accounts_told" ON "_changes";
CREATE TRIGGER "_accounts_told" AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'accounts' AND NEW."state" = 'acknowledged' AND NEW."seq" IS NULL)
EXECUTE FUNCTION "_accounts_told"();
CREATE OR REPLACE FUNCTION "_accounts_synced"() RETURNS trigger LANGUAGE plpgsql AS $body0$
DECLARE
  _key text := CASE TG_OP WHEN 'DELETE' THEN OLD."id" ELSE NEW."id" END;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('accounts', _key);
  PERFORM "_accounts_told"(_key);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_accounts_synced" ON "accounts_synced";
CREATE TRIGGER "_accounts_synced" AFTER INSERT OR UPDATE OR DELETE ON "accounts_synced"
FOR EACH ROW EXECUTE FUNCTION "_accounts_synced"();
