-- contacts: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "contacts_synced" (
  "id" text NOT NULL PRIMARY KEY,
  "name" text,
  "email" text,
  "kind" text,
  "credit_limit" numeric,
  "_role" text
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "contacts_local" (
  "id" text NOT NULL PRIMARY KEY,
  "name" text,
  "email" text,
  "kind" text,
  "credit_limit" numeric,
  "private_notes" text,
  -- The columns that changes set.
  "_changed_columns" text[] NOT NULL DEFAULT '{}',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" boolean NOT NULL DEFAULT false,
  "_is_deleted" boolean NOT NULL DEFAULT false,
  -- Of the last change.
  "_write_id" text
);

INSERT INTO "_shapes" ("entity") VALUES ('contacts') ON CONFLICT DO NOTHING;

DROP VIEW IF EXISTS "contacts";
CREATE VIEW "contacts" AS
SELECT synced."id" AS "id",
  CASE WHEN 'name' = ANY (own."_changed_columns") THEN own."name" ELSE synced."name" END AS "name",
  CASE WHEN 'email' = ANY (own."_changed_columns") THEN own."email" ELSE synced."email" END AS "email",
  CASE WHEN 'kind' = ANY (own."_changed_columns") THEN own."kind" ELSE synced."kind" END AS "kind",
  CASE WHEN 'credit_limit' = ANY (own."_changed_columns") THEN own."credit_limit" ELSE synced."credit_limit" END AS "credit_limit",
  own."private_notes" AS "private_notes",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "contacts_synced" AS synced LEFT JOIN "contacts_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT TRUE
UNION ALL
SELECT own."id",
  own."name",
  own."email",
  own."kind",
  own."credit_limit",
  own."private_notes",
  NULL,
  true,
  own."_write_id"
FROM "contacts_local" AS own
WHERE own."_is_new" AND (
  own."_is_deleted"
  OR NOT EXISTS (SELECT 1 FROM "contacts_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
-- The parameter goes by its place, and what is named both ways is the column: fields may have any name.
CREATE OR REPLACE FUNCTION "_contacts_overlay"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row record;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('contacts', $1);
  SELECT * INTO _row FROM "_overlay"('contacts', $1);
  INSERT INTO "contacts_local" AS own (
    "id", "name", "email", "kind", "credit_limit",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  VALUES (
    $1::text,
    (_row."value" ->> 'name')::text,
    (_row."value" ->> 'email')::text,
    (_row."value" ->> 'kind')::text,
    (_row."value" ->> 'credit_limit')::numeric,
    ARRAY(SELECT jsonb_object_keys(_row."value")), _row."is_new", _row."is_deleted", _row."write_id")
  ON CONFLICT ("id") DO UPDATE SET
    "name" = excluded."name",
    "email" = excluded."email",
    "kind" = excluded."kind",
    "credit_limit" = excluded."credit_limit",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  IF _row."write_id" IS NULL THEN
    DELETE FROM "contacts_local" WHERE "id" = $1::text AND "private_notes" IS NULL;
  END IF;
END
$body0$;
CREATE OR REPLACE FUNCTION "_contacts_overlay"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_contacts_overlay"(CASE TG_OP WHEN 'DELETE' THEN OLD."key" ELSE NEW."key" END);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_contacts_overlay" ON "_changes";
CREATE TRIGGER "_contacts_overlay" AFTER INSERT ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'contacts') EXECUTE FUNCTION "_contacts_overlay"();
-- That a write is under way, or accepted, changes nothing of what is shown of it.
DROP TRIGGER IF EXISTS "_contacts_moved" ON "_changes";
CREATE TRIGGER "_contacts_moved" AFTER UPDATE OF "value", "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'contacts' AND (
  NEW."value" <> OLD."value"
  OR (NEW."state" = 'acknowledged' OR NEW."mode" = 'optimistic' AND NEW."state" <> 'rejected')
    <> (OLD."state" = 'acknowledged' OR OLD."mode" = 'optimistic' AND OLD."state" <> 'rejected')))
EXECUTE FUNCTION "_contacts_overlay"();
DROP TRIGGER IF EXISTS "_contacts_dropped" ON "_changes";
CREATE TRIGGER "_contacts_dropped" AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."entity" = 'contacts') EXECUTE FUNCTION "_contacts_overlay"();

-- What never leaves this database goes when the server has accepted that its row was deleted here, and when a
-- row that was made here comes to nothing. Of a row that the server shows no more, it stays: the row may come back.
CREATE OR REPLACE FUNCTION "_contacts_forgotten"() RETURNS trigger LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _change "_changes";
BEGIN
  IF TG_OP = 'DELETE' THEN
    _change := OLD;
    IF EXISTS (SELECT 1 FROM "contacts_synced" WHERE "id" = _change."key"::text)
      OR EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'contacts' AND "key" = _change."key"
        AND NOT ("operation" = 'delete' AND "state" = 'pending'))
    THEN
      RETURN NULL;
    END IF;
  ELSE
    _change := NEW;
    IF EXISTS (SELECT 1 FROM "_changes"
      WHERE "entity" = 'contacts' AND "key" = _change."key" AND "id" > _change."id")
    THEN
      RETURN NULL;
    END IF;
  END IF;
  UPDATE "contacts_local" SET "private_notes" = NULL
  WHERE "id" = _change."key"::text;
  PERFORM "_contacts_overlay"(_change."key");
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_contacts_forgotten" ON "_changes";
CREATE TRIGGER "_contacts_forgotten" AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'contacts' AND NEW."operation" = 'delete' AND NEW."state" = 'acknowledged')
EXECUTE FUNCTION "_contacts_forgotten"();
DROP TRIGGER IF EXISTS "_contacts_unmade" ON "_changes";
CREATE TRIGGER "_contacts_unmade" AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."entity" = 'contacts' AND OLD."operation" = 'insert' AND OLD."state" <> 'acknowledged')
EXECUTE FUNCTION "_contacts_forgotten"();

CREATE OR REPLACE FUNCTION "_contacts_insert"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  IF NEW."id" IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE = 'contacts: a row needs its key';
  END IF;
  IF EXISTS (SELECT 1 FROM "contacts" WHERE "id" = lower(NEW."id")) THEN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = 'contacts: a row with this key is there';
  END IF;
  INSERT INTO "contacts_local" ("id", "private_notes")
  VALUES (lower(NEW."id"), NEW."private_notes")
  ON CONFLICT ("id") DO UPDATE SET
    "private_notes" = excluded."private_notes";
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value")
  VALUES ('contacts', (lower(NEW."id"))::text, 'insert', 'optimistic', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('name', to_jsonb(NEW."name")),
      ('email', to_jsonb(NEW."email")),
      ('kind', to_jsonb(NEW."kind")),
      ('credit_limit', to_jsonb(NEW."credit_limit"::text))) AS cell ("name", "json")
    WHERE cell."json" IS NOT NULL));
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_contacts_insert" ON "contacts";
CREATE TRIGGER "_contacts_insert" INSTEAD OF INSERT ON "contacts"
FOR EACH ROW EXECUTE FUNCTION "_contacts_insert"();

CREATE OR REPLACE FUNCTION "_contacts_update"() RETURNS trigger LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _value jsonb;
  _base jsonb;
BEGIN
  IF NEW."id" IS DISTINCT FROM OLD."id" THEN
    RAISE EXCEPTION USING MESSAGE = 'contacts: a key can''t change';
  END IF;
  IF NEW."private_notes" IS DISTINCT FROM OLD."private_notes" THEN
    INSERT INTO "contacts_local" ("id", "private_notes")
    VALUES (NEW."id", NEW."private_notes")
    ON CONFLICT ("id") DO UPDATE SET
      "private_notes" = excluded."private_notes";
    INSERT INTO "_touched" ("entity", "key") VALUES ('contacts', NEW."id"::text);
  END IF;
  SELECT jsonb_object_agg(cell."name", cell."json"), jsonb_object_agg(cell."name", cell."base")
  INTO _value, _base
  FROM (VALUES
    ('name', to_jsonb(NEW."name"), to_jsonb(OLD."name")),
    ('email', to_jsonb(NEW."email"), to_jsonb(OLD."email")),
    ('kind', to_jsonb(NEW."kind"), to_jsonb(OLD."kind")),
    ('credit_limit', to_jsonb(NEW."credit_limit"::text), to_jsonb(OLD."credit_limit"::text))) AS cell ("name", "json", "base")
  WHERE cell."json" IS DISTINCT FROM cell."base";
  IF _value IS NOT NULL THEN
    INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value", "base")
    VALUES ('contacts', NEW."id"::text, 'update', 'optimistic', _value, _base);
  END IF;
  RETURN NEW;
END
$body0$;
DROP TRIGGER IF EXISTS "_contacts_update" ON "contacts";
CREATE TRIGGER "_contacts_update" INSTEAD OF UPDATE ON "contacts"
FOR EACH ROW EXECUTE FUNCTION "_contacts_update"();

CREATE OR REPLACE FUNCTION "_contacts_delete"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "base")
  VALUES ('contacts', OLD."id"::text, 'delete', 'optimistic', (
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
      ('name', to_jsonb(OLD."name")),
      ('email', to_jsonb(OLD."email")),
      ('kind', to_jsonb(OLD."kind")),
      ('credit_limit', to_jsonb(OLD."credit_limit"::text))) AS cell ("name", "json")));
  RETURN OLD;
END
$body0$;
DROP TRIGGER IF EXISTS "_contacts_delete" ON "contacts";
CREATE TRIGGER "_contacts_delete" INSTEAD OF DELETE ON "contacts"
FOR EACH ROW EXECUTE FUNCTION "_contacts_delete"();

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
CREATE OR REPLACE FUNCTION "_contacts_told"(_key text) RETURNS void LANGUAGE plpgsql AS $body0$
#variable_conflict use_column
DECLARE
  _row jsonb;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'contacts' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL)
  THEN
    RETURN;
  END IF;
  SELECT (
    SELECT jsonb_object_agg(cell."name", coalesce(cell."json", 'null'))
    FROM (VALUES
      ('name', to_jsonb(synced."name")),
      ('email', to_jsonb(synced."email")),
      ('kind', to_jsonb(synced."kind")),
      ('credit_limit', to_jsonb(synced."credit_limit"::text))) AS cell ("name", "json"))
  INTO _row FROM "contacts_synced" AS synced WHERE synced."id" = $1::text;
  DELETE FROM "_changes" WHERE "entity" = 'contacts' AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max("id") FROM "_changes" WHERE "entity" = 'contacts' AND "key" = $1
        AND "state" = 'acknowledged' AND "seq" IS NULL
        AND CASE "operation" WHEN 'delete' THEN _row IS NULL ELSE _row || "value" = _row END);
END
$body0$;
CREATE OR REPLACE FUNCTION "_contacts_told"() RETURNS trigger LANGUAGE plpgsql AS $body0$
BEGIN
  PERFORM "_contacts_told"(NEW."key");
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_contacts_told" ON "_changes";
CREATE TRIGGER "_contacts_told" AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = 'contacts' AND NEW."state" = 'acknowledged' AND NEW."seq" IS NULL)
EXECUTE FUNCTION "_contacts_told"();
CREATE OR REPLACE FUNCTION "_contacts_synced"() RETURNS trigger LANGUAGE plpgsql AS $body0$
DECLARE
  _key text := CASE TG_OP WHEN 'DELETE' THEN OLD."id" ELSE NEW."id" END;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('contacts', _key);
  PERFORM "_contacts_told"(_key);
  RETURN NULL;
END
$body0$;
DROP TRIGGER IF EXISTS "_contacts_synced" ON "contacts_synced";
CREATE TRIGGER "_contacts_synced" AFTER INSERT OR UPDATE OR DELETE ON "contacts_synced"
FOR EACH ROW EXECUTE FUNCTION "_contacts_synced"();
