-- transactions: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "transactions_synced" (
  "id" text NOT NULL PRIMARY KEY,
  "account_id" text,
  "category_id" text,
  "contact_id" text,
  "date" text,
  "amount" numeric,
  "description" text,
  "cleared" boolean,
  "created_at" text,
  "updated_at" text,
  "_role" text
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "transactions_local" (
  "id" text NOT NULL PRIMARY KEY,
  "account_id" text,
  "category_id" text,
  "contact_id" text,
  "date" text,
  "amount" numeric,
  "description" text,
  "cleared" boolean,
  "created_at" text,
  "updated_at" text,
  "private_memo" text,
  -- The columns that changes set.
  "_changed_columns" text[] NOT NULL DEFAULT '{}',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" boolean NOT NULL DEFAULT false,
  "_is_deleted" boolean NOT NULL DEFAULT false,
  -- Of the last change.
  "_write_id" text
);

INSERT INTO "_references" ("entity", "field", "target") VALUES ('transactions', 'account_id', 'accounts')
ON CONFLICT ("entity", "field") DO UPDATE SET "target" = excluded."target";
INSERT INTO "_references" ("entity", "field", "target") VALUES ('transactions', 'category_id', 'categories')
ON CONFLICT ("entity", "field") DO UPDATE SET "target" = excluded."target";
INSERT INTO "_references" ("entity", "field", "target") VALUES ('transactions', 'contact_id', 'contacts')
ON CONFLICT ("entity", "field") DO UPDATE SET "target" = excluded."target";
INSERT INTO "_shapes" ("entity") VALUES ('transactions') ON CONFLICT DO NOTHING;

DROP VIEW IF EXISTS "transactions";
CREATE VIEW "transactions" AS
SELECT synced."id" AS "id",
  CASE WHEN 'account_id' = ANY (own."_changed_columns") THEN own."account_id" ELSE synced."account_id" END AS "account_id",
  CASE WHEN 'category_id' = ANY (own."_changed_columns") THEN own."category_id" ELSE synced."category_id" END AS "category_id",
  CASE WHEN 'contact_id' = ANY (own."_changed_columns") THEN own."contact_id" ELSE synced."contact_id" END AS "contact_id",
  CASE WHEN 'date' = ANY (own."_changed_columns") THEN own."date" ELSE synced."date" END AS "date",
  CASE WHEN 'amount' = ANY (own."_changed_columns") THEN own."amount" ELSE synced."amount" END AS "amount",
  CASE WHEN 'description' = ANY (own."_changed_columns") THEN own."description" ELSE synced."description" END AS "description",
  CASE WHEN 'cleared' = ANY (own."_changed_columns") THEN own."cleared" ELSE synced."cleared" END AS "cleared",
  CASE WHEN 'created_at' = ANY (own."_changed_columns") THEN own."created_at" ELSE synced."created_at" END AS "created_at",
  CASE WHEN 'updated_at' = ANY (own."_changed_columns") THEN own."updated_at" ELSE synced."updated_at" END AS "updated_at",
  own."private_memo" AS "private_memo",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "transactions_synced" AS synced LEFT JOIN "transactions_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT TRUE
UNION ALL
SELECT own."id",
  own."account_id",
  own."category_id",
  own."contact_id",
  own."date",
  own."amount",
  own."description",
  own."cleared",
  own."created_at",
  own."updated_at",
  own."private_memo",
  NULL,
  true,
  own."_write_id"
FROM "transactions_local" AS own
WHERE own."_is_new" AND (
  own."_is_deleted"
  OR NOT EXISTS (SELECT 1 FROM "transactions_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
-- The parameter goes by its place, and what is named both ways is the column: fields may have any name.
CREATE OR REPLACE FUNCTION "_transactions_overlay"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row record;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('transactions', $1);
  SELECT * INTO _row FROM "_overlay"('transactions', $1);
  INSERT INTO "transactions_local" AS own (
    "id", "account_id", "category_id", "contact_id", "date", "amount", "description", "cleared", "created_at", "updated_at",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  VALUES (
    $1::text,
    (_row."value" ->> 'account_id')::text,
    (_row."value" ->> 'category_id')::text,
    (_row."value" ->> 'contact_id')::text,
    (_row."value" ->> 'date')::text,
    (_row."value" ->> 'amount')::numeric,
    (_row."value" ->> 'description')::text,
    (_row."value" ->> 'cleared')::boolean,
    (_row."value" ->> 'created_at')::text,
    (_row."value" ->> 'updated_at')::text,
    ARRAY(SELECT jsonb_object_keys(_row."value")), _row."is_new", _row."is_deleted", _row."write_id")
  ON CONFLICT ("id") DO UPDATE SET
    "account_id" = excluded."account_id",
    "category_id" = excluded."category_id",
    "contact_id" = excluded."contact_id",
    "date" = excluded."date",
    "amount" = excluded."amount",
    "description" = excluded."description",
    "cleared" = excluded."cleared",
    "created_at" = excluded."created_at",
    "updated_at" = excluded."updated_at",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  IF _row."write_id" IS NULL THEN
    DELETE FROM "transactions_local" WHERE "id" = $1::text AND "private_memo" IS NULL;
  END IF;
END
$body0$;
CREATE OR REPLACE FUNCTION "_transactions_overlay"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_transactions_overlay"(CASE TG_OP WHEN 'DELETE' THEN OLD."key" ELSE NEW."key" END);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_transactions_overlay" ON "_changes";
CREATE TRIGGER "_transactions_overlay" AFTER INSERT ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'transactions') EXECUTE FUNCTION "_transactions_overlay"();
-- That a write is under way, or accepted, changes nothing of what is shown of it.
DROP TRIGGER IF EXISTS "_transactions_moved" ON "_changes";
CREATE TRIGGER "_transactions_moved" AFTER UPDATE OF "value", "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'transactions' AND (
  NEW."value" <> OLD."value"
  OR (NEW."state" = 'acknowledged' OR NEW."mode" = 'optimistic' AND NEW."state" <> 'rejected')
    <> (OLD."state" = 'acknowledged' OR OLD."mode" = 'optimistic' AND OLD."state" <> 'rejected')))
EXECUTE FUNCTION "_transactions_overlay"();
DROP TRIGGER IF EXISTS "_transactions_dropped" ON "_changes";
CREATE TRIGGER "_transactions_dropped" AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."entity" = 'transactions') EXECUTE FUNCTION "_transactions_overlay"();

-- What never leaves this database goes when the server has accepted that its row was deleted here, and when a
-- row that was made here comes to nothing. Of a row that the server shows no more, it stays: the row may come back.
CREATE OR REPLACE FUNCTION "_transactions_forgotten"() RETURNS trigger LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _change "_changes";
BEGIN
  IF TG_OP = 'DELETE' THEN
    _change := OLD;
    IF EXISTS (SELECT 1 FROM "transactions_synced" WHERE "id" = _change."key"::text)
      OR EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'transactions' AND "key" = _change."key"
        AND NOT ("operation" = 'delete' AND "state" = 'pending'))
    THEN
      RETURN NULL;
    END IF;
  ELSE
    _change := NEW;
    IF EXISTS (SELECT 1 FROM "_changes"
      WHERE "entity" = 'transactions' AND "key" = _change."key" AND "id" > _change."id")
    THEN
      RETURN NULL;
    END IF;
  END IF;
  UPDATE "transactions_local" SET "private_memo" = NULL
  WHERE "id" = _change."key"::text;
  PERFORM "_transactions_overlay"(_change."key");
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_transactions_forgotten" ON "_changes";
CREATE TRIGGER "_transactions_forgotten" AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'transactions' AND NEW."operation" = 'delete' AND NEW."state" = 'acknowledged')
EXECUTE FUNCTION "_transactions_forgotten"();
DROP TRIGGER IF EXISTS "_transactions_unmade" ON "_changes";
CREATE TRIGGER "_transactions_unmade" AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."entity" = 'transactions' AND OLD."operation" = 'insert' AND OLD."state" <> 'acknowledged')
EXECUTE FUNCTION "_transactions_forgotten"();

CREATE OR REPLACE FUNCTION "_transactions_insert"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  IF NEW."id" IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE = 'transactions: a row needs its key';
  END IF;
  IF EXISTS (SELECT 1 FROM "transactions" WHERE "id" = lower(NEW."id")) THEN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = 'transactions: a row with this key is there';
  END IF;
  INSERT INTO "transactions_local" ("id", "private_memo")
  VALUES (lower(NEW."id"), NEW."private_memo")
  ON CONFLICT ("id") DO UPDATE SET
    "private_memo" = excluded."private_memo";
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value")
  VALUES ('transactions', (lower(NEW."id"))::text, 'insert', 'optimistic', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('account_id', to_jsonb(lower(NEW."account_id"))),
      ('category_id', to_jsonb(lower(NEW."category_id"))),
      ('contact_id', to_jsonb(lower(NEW."contact_id"))),
      ('date', to_jsonb(NEW."date")),
      ('amount', to_jsonb(NEW."amount"::text)),
      ('description', to_jsonb(NEW."description")),
      ('cleared', to_jsonb(NEW."cleared")),
      ('created_at', to_jsonb(NEW."created_at")),
      ('updated_at', to_jsonb(NEW."updated_at"))) AS cell ("name", "json")
    WHERE cell."json" IS NOT NULL));
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_transactions_insert" ON "transactions";
CREATE TRIGGER "_transactions_insert" INSTEAD OF INSERT ON "transactions"
FOR EACH ROW EXECUTE FUNCTION "_transactions_insert"();

CREATE OR REPLACE FUNCTION "_transactions_update"() RETURNS trigger LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _value jsonb;
  _base jsonb;
BEGIN
  IF NEW."id" IS DISTINCT FROM OLD."id" THEN
    RAISE EXCEPTION USING MESSAGE = 'transactions: a key can''t change';
  END IF;
  IF NEW."private_memo" IS DISTINCT FROM OLD."private_memo" THEN
    INSERT INTO "transactions_local" ("id", "private_memo")
    VALUES (NEW."id", NEW."private_memo")
    ON CONFLICT ("id") DO UPDATE SET
      "private_memo" = excluded."private_memo";
    INSERT INTO "_touched" ("entity", "key") VALUES ('transactions', NEW."id"::text);
  END IF;
  SELECT jsonb_object_agg(cell."name", cell."json"), jsonb_object_agg(cell."name", cell."base")
  INTO _value, _base
  FROM (VALUES
    ('account_id', to_jsonb(lower(NEW."account_id")), to_jsonb(OLD."account_id")),
    ('category_id', to_jsonb(lower(NEW."category_id")), to_jsonb(OLD."category_id")),
    ('contact_id', to_jsonb(lower(NEW."contact_id")), to_jsonb(OLD."contact_id")),
    ('date', to_jsonb(NEW."date"), to_jsonb(OLD."date")),
    ('amount', to_jsonb(NEW."amount"::text), to_jsonb(OLD."amount"::text)),
    ('description', to_jsonb(NEW."description"), to_jsonb(OLD."description")),
    ('cleared', to_jsonb(NEW."cleared"), to_jsonb(OLD."cleared")),
    ('created_at', to_jsonb(NEW."created_at"), to_jsonb(OLD."created_at")),
    ('updated_at', to_jsonb(NEW."updated_at"), to_jsonb(OLD."updated_at"))) AS cell ("name", "json", "base")
  WHERE cell."json" IS DISTINCT FROM cell."base";
  IF _value IS NOT NULL THEN
    INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value", "base")
    VALUES ('transactions', NEW."id"::text, 'update', 'optimistic', _value, _base);
  END IF;
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_transactions_update" ON "transactions";
CREATE TRIGGER "_transactions_update" INSTEAD OF UPDATE ON "transactions"
FOR EACH ROW EXECUTE FUNCTION "_transactions_update"();

CREATE OR REPLACE FUNCTION "_transactions_delete"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "base")
  VALUES ('transactions', OLD."id"::text, 'delete', 'optimistic', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('account_id', to_jsonb(OLD."account_id")),
      ('category_id', to_jsonb(OLD."category_id")),
      ('contact_id', to_jsonb(OLD."contact_id")),
      ('date', to_jsonb(OLD."date")),
      ('amount', to_jsonb(OLD."amount"::text)),
      ('description', to_jsonb(OLD."description")),
      ('cleared', to_jsonb(OLD."cleared")),
      ('created_at', to_jsonb(OLD."created_at")),
      ('updated_at', to_jsonb(OLD."updated_at"))) AS cell ("name", "json")));
  RETURN OLD;
END
$body0$;
DROP TRIGGER IF EXISTS "_transactions_delete" ON "transactions";
CREATE TRIGGER "_transactions_delete" INSTEAD OF DELETE ON "transactions"
FOR EACH ROW EXECUTE FUNCTION "_transactions_delete"();

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
CREATE OR REPLACE FUNCTION "_transactions_told"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row jsonb;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'transactions' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL)
  THEN
    RETURN;
  END IF;
  SELECT (
    SELECT jsonb_object_agg(cell."name", coalesce(cell."json", 'null'))
    FROM (VALUES
      ('account_id', to_jsonb(synced."account_id")),
      ('category_id', to_jsonb(synced."category_id")),
      ('contact_id', to_jsonb(synced."contact_id")),
      ('date', to_jsonb(synced."date")),
      ('amount', to_jsonb(synced."amount"::text)),
      ('description', to_jsonb(synced."description")),
      ('cleared', to_jsonb(synced."cleared")),
      ('created_at', to_jsonb(synced."created_at")),
      ('updated_at', to_jsonb(synced."updated_at"))) AS cell ("name", "json"))
  INTO _row FROM "transactions_synced" AS synced WHERE synced."id" = $1::text;
  DELETE FROM "_changes" WHERE "entity" = 'transactions' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max("id") FROM "_changes" WHERE "entity" = 'transactions' AND "key" = $1
        AND "state" = 'acknowledged' AND "seq" IS NULL
        AND CASE "operation" WHEN 'delete' THEN _row IS NULL ELSE _row || "value" = _row END);
END
$body0$;
CREATE OR REPLACE FUNCTION "_transactions_told"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_transactions_told"(NEW."key");
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_transactions_told" ON "_changes";
CREATE TRIGGER "_transactions_told" AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'transactions' AND NEW."state" = 'acknowledged' AND NEW."seq" IS NULL)
EXECUTE FUNCTION "_transactions_told"();
CREATE OR REPLACE FUNCTION "_transactions_synced"() RETURNS trigger LANGUAGE plpgsql AS $body0$
DECLARE
  _key text := CASE TG_OP WHEN 'DELETE' THEN OLD."id" ELSE NEW."id" END;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('transactions', _key);
  PERFORM "_transactions_told"(_key);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_transactions_synced" ON "transactions_synced";
CREATE TRIGGER "_transactions_synced" AFTER INSERT OR UPDATE OR DELETE ON "transactions_synced"
FOR EACH ROW EXECUTE FUNCTION "_transactions_synced"();
