-- contacts: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "contacts_synced" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT,
  "email" TEXT,
  "kind" TEXT,
  "credit_limit" TEXT,
  "_role" TEXT
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "contacts_local" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT,
  "email" TEXT,
  "kind" TEXT,
  "credit_limit" TEXT,
  "private_notes" TEXT,
  -- A JSON array of the columns that changes set.
  "_changed_columns" TEXT NOT NULL DEFAULT '[]',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" INTEGER NOT NULL DEFAULT 0,
  "_is_deleted" INTEGER NOT NULL DEFAULT 0,
  -- Of the last change.
  "_write_id" TEXT
);

INSERT OR IGNORE INTO "_shapes" ("entity") VALUES ('contacts');

DROP VIEW IF EXISTS "contacts";
CREATE VIEW "contacts" AS
SELECT synced."id" AS "id",
  CASE WHEN instr(own."_changed_columns", '"name"') > 0 THEN own."name" ELSE synced."name" END AS "name",
  CASE WHEN instr(own."_changed_columns", '"email"') > 0 THEN own."email" ELSE synced."email" END AS "email",
  CASE WHEN instr(own."_changed_columns", '"kind"') > 0 THEN own."kind" ELSE synced."kind" END AS "kind",
  CASE WHEN instr(own."_changed_columns", '"credit_limit"') > 0 THEN own."credit_limit" ELSE synced."credit_limit" END AS "credit_limit",
  own."private_notes" AS "private_notes",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "contacts_synced" AS synced LEFT JOIN "contacts_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT 1
UNION ALL
SELECT own."id",
  own."name",
  own."email",
  own."kind",
  own."credit_limit",
  own."private_notes",
  NULL,
  1,
  own."_write_id"
FROM "contacts_local" AS own
WHERE own."_is_new" = 1 AND (
  own."_is_deleted" = 1
  OR NOT EXISTS (SELECT 1 FROM "contacts_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
DROP TRIGGER IF EXISTS "_contacts_overlay";
CREATE TRIGGER "_contacts_overlay" INSTEAD OF INSERT ON "_overlay" WHEN NEW."entity" = 'contacts' BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('contacts', NEW."key");
  INSERT INTO "contacts_local" (
    "id", "name", "email", "kind", "credit_limit",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  SELECT CAST(NEW."key" AS TEXT),
    max(CASE cell."name" WHEN 'name' THEN cell."value" END),
    max(CASE cell."name" WHEN 'email' THEN cell."value" END),
    max(CASE cell."name" WHEN 'kind' THEN cell."value" END),
    max(CASE cell."name" WHEN 'credit_limit' THEN cell."value" END),
    json_group_array(cell."name") FILTER (WHERE cell."name" IS NOT NULL),
    EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'contacts' AND "key" = NEW."key"
      AND "operation" = 'insert' AND "id" > row."deleted" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')),
    row."deleted" > 0,
    (SELECT "write_id" FROM "_changes" WHERE "entity" = 'contacts' AND "key" = NEW."key"
      AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected') ORDER BY "id" DESC LIMIT 1)
  FROM (
    SELECT coalesce(max(CASE "operation" WHEN 'delete' THEN "id" END), 0) AS "deleted",
      coalesce(max("id"), 0) AS "first"
    FROM "_changes"
    WHERE "entity" = 'contacts' AND "key" = NEW."key" AND "operation" <> 'update' AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS row
  LEFT JOIN (
    SELECT change."id" AS "id", cell."key" AS "name", cell."value" AS "value", cell."type" AS "type"
    FROM "_changes" AS change, json_each(change."value") AS cell
    WHERE change."entity" = 'contacts' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS cell
    ON cell."id" >= row."first" AND NOT EXISTS (
      SELECT 1 FROM "_changes" AS change, json_each(change."value") AS later
      WHERE change."entity" = 'contacts' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')
        AND change."id" > cell."id" AND later."key" = cell."name")
  WHERE true
  ON CONFLICT ("id") DO UPDATE SET
    "name" = excluded."name",
    "email" = excluded."email",
    "kind" = excluded."kind",
    "credit_limit" = excluded."credit_limit",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  DELETE FROM "contacts_local" WHERE "id" = CAST(NEW."key" AS TEXT) AND "_write_id" IS NULL AND "private_notes" IS NULL;
END;

-- What never leaves this database goes when the server has accepted that its row was deleted here, and when a
-- row that was made here comes to nothing. Of a row that the server shows no more, it stays: the row may come back.
DROP TRIGGER IF EXISTS "_contacts_forgotten";
CREATE TRIGGER "_contacts_forgotten" AFTER UPDATE OF "state" ON "_changes"
WHEN NEW."entity" = 'contacts' AND NEW."operation" = 'delete' AND NEW."state" = 'acknowledged'
  AND NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'contacts' AND "key" = NEW."key" AND "id" > NEW."id")
BEGIN
  UPDATE "contacts_local" SET "private_notes" = NULL
  WHERE "id" = CAST(NEW."key" AS TEXT);
  INSERT INTO "_overlay" ("entity", "key") VALUES ('contacts', NEW."key");
END;
DROP TRIGGER IF EXISTS "_contacts_unmade";
CREATE TRIGGER "_contacts_unmade" AFTER DELETE ON "_changes"
WHEN OLD."entity" = 'contacts' AND OLD."operation" = 'insert' AND OLD."state" <> 'acknowledged'
  AND NOT EXISTS (SELECT 1 FROM "contacts_synced" WHERE "id" = CAST(OLD."key" AS TEXT))
  AND NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'contacts' AND "key" = OLD."key"
    AND NOT ("operation" = 'delete' AND "state" = 'pending'))
BEGIN
  UPDATE "contacts_local" SET "private_notes" = NULL
  WHERE "id" = CAST(OLD."key" AS TEXT);
  INSERT INTO "_overlay" ("entity", "key") VALUES ('contacts', OLD."key");
END;
DROP TRIGGER IF EXISTS "_contacts_insert";
CREATE TRIGGER "_contacts_insert" INSTEAD OF INSERT ON "contacts" BEGIN
  SELECT RAISE(ABORT, 'contacts: a row needs its key') WHERE NEW."id" IS NULL;
  SELECT RAISE(ABORT, 'contacts: a row with this key is there')
  WHERE EXISTS (SELECT 1 FROM "contacts" WHERE "id" = lower(NEW."id"));
  INSERT INTO "contacts_local" ("id", "private_notes")
  VALUES (lower(NEW."id"), NEW."private_notes")
  ON CONFLICT ("id") DO UPDATE SET
    "private_notes" = excluded."private_notes";
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value")
  SELECT 'contacts', CAST(lower(NEW."id") AS TEXT), 'insert', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(cell."text")) FILTER (WHERE cell."text" IS NOT NULL), '{}')
  FROM (
    SELECT 'name' AS "name", CASE WHEN NEW."name" IS NULL THEN NULL ELSE json_quote(NEW."name") END AS "text"
    UNION ALL SELECT 'email' AS "name", CASE WHEN NEW."email" IS NULL THEN NULL ELSE json_quote(NEW."email") END AS "text"
    UNION ALL SELECT 'kind' AS "name", CASE WHEN NEW."kind" IS NULL THEN NULL ELSE json_quote(NEW."kind") END AS "text"
    UNION ALL SELECT 'credit_limit' AS "name", CASE WHEN NEW."credit_limit" IS NULL THEN NULL ELSE json_quote(NEW."credit_limit") END AS "text") AS cell;
END;

DROP TRIGGER IF EXISTS "_contacts_update";
CREATE TRIGGER "_contacts_update" INSTEAD OF UPDATE ON "contacts" BEGIN
  SELECT RAISE(ABORT, 'contacts: a key can''t change') WHERE NEW."id" IS NOT OLD."id";
  INSERT INTO "contacts_local" ("id", "private_notes")
  SELECT NEW."id", NEW."private_notes"
  WHERE NEW."private_notes" IS NOT OLD."private_notes"
  ON CONFLICT ("id") DO UPDATE SET
    "private_notes" = excluded."private_notes";
  INSERT INTO "_touched" ("entity", "key") VALUES ('contacts', CAST(OLD."id" AS TEXT));
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value", "base")
  SELECT 'contacts', CAST(OLD."id" AS TEXT), 'update', 'optimistic', (SELECT "id" FROM "_transaction"),
    json_group_object(cell."name", json(coalesce(cell."text", 'null'))),
    json_group_object(cell."name", json(coalesce(cell."base", 'null')))
  FROM (
    SELECT 'name' AS "name", CASE WHEN NEW."name" IS NULL THEN NULL ELSE json_quote(NEW."name") END AS "text", CASE WHEN OLD."name" IS NULL THEN NULL ELSE json_quote(OLD."name") END AS "base"
    WHERE NEW."name" IS NOT OLD."name"
    UNION ALL SELECT 'email' AS "name", CASE WHEN NEW."email" IS NULL THEN NULL ELSE json_quote(NEW."email") END AS "text", CASE WHEN OLD."email" IS NULL THEN NULL ELSE json_quote(OLD."email") END AS "base"
    WHERE NEW."email" IS NOT OLD."email"
    UNION ALL SELECT 'kind' AS "name", CASE WHEN NEW."kind" IS NULL THEN NULL ELSE json_quote(NEW."kind") END AS "text", CASE WHEN OLD."kind" IS NULL THEN NULL ELSE json_quote(OLD."kind") END AS "base"
    WHERE NEW."kind" IS NOT OLD."kind"
    UNION ALL SELECT 'credit_limit' AS "name", CASE WHEN NEW."credit_limit" IS NULL THEN NULL ELSE json_quote(NEW."credit_limit") END AS "text", CASE WHEN OLD."credit_limit" IS NULL THEN NULL ELSE json_quote(OLD."credit_limit") END AS "base"
    WHERE NEW."credit_limit" IS NOT OLD."credit_limit") AS cell
  HAVING count(*) > 0;
END;

DROP TRIGGER IF EXISTS "_contacts_delete";
CREATE TRIGGER "_contacts_delete" INSTEAD OF DELETE ON "contacts" BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "base")
  SELECT 'contacts', CAST(OLD."id" AS TEXT), 'delete', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(coalesce(cell."text", 'null'))), '{}')
  FROM (
    SELECT 'name' AS "name", CASE WHEN OLD."name" IS NULL THEN NULL ELSE json_quote(OLD."name") END AS "text"
    UNION ALL SELECT 'email' AS "name", CASE WHEN OLD."email" IS NULL THEN NULL ELSE json_quote(OLD."email") END AS "text"
    UNION ALL SELECT 'kind' AS "name", CASE WHEN OLD."kind" IS NULL THEN NULL ELSE json_quote(OLD."kind") END AS "text"
    UNION ALL SELECT 'credit_limit' AS "name", CASE WHEN OLD."credit_limit" IS NULL THEN NULL ELSE json_quote(OLD."credit_limit") END AS "text") AS cell;
END;

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
DROP TRIGGER IF EXISTS "_contacts_told";
CREATE TRIGGER "_contacts_told" INSTEAD OF INSERT ON "_told" WHEN NEW."entity" = 'contacts' BEGIN
  DELETE FROM "_changes" WHERE "entity" = 'contacts' AND "key" = NEW."key"
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max(change."id") FROM "_changes" AS change
      LEFT JOIN "contacts_synced" AS synced ON synced."id" = CAST(NEW."key" AS TEXT)
      WHERE change."entity" = 'contacts' AND change."key" = NEW."key"
        AND change."state" = 'acknowledged' AND change."seq" IS NULL
        AND CASE change."operation" WHEN 'delete' THEN synced."id" IS NULL
          ELSE synced."id" IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM "_change_columns" AS cell WHERE cell."id" = change."id" AND cell."part" = 'value'
              AND CASE cell."name" WHEN 'name' THEN coalesce(CASE WHEN synced."name" IS NULL THEN NULL ELSE json_quote(synced."name") END, 'null') WHEN 'email' THEN coalesce(CASE WHEN synced."email" IS NULL THEN NULL ELSE json_quote(synced."email") END, 'null') WHEN 'kind' THEN coalesce(CASE WHEN synced."kind" IS NULL THEN NULL ELSE json_quote(synced."kind") END, 'null') WHEN 'credit_limit' THEN coalesce(CASE WHEN synced."credit_limit" IS NULL THEN NULL ELSE json_quote(synced."credit_limit") END, 'null') END IS NOT cell."text") END);
END;
DROP TRIGGER IF EXISTS "_contacts_synced_insert";
CREATE TRIGGER "_contacts_synced_insert" AFTER INSERT ON "contacts_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('contacts', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'contacts' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_contacts_synced_update";
CREATE TRIGGER "_contacts_synced_update" AFTER UPDATE ON "contacts_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('contacts', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'contacts' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_contacts_synced_delete";
CREATE TRIGGER "_contacts_synced_delete" AFTER DELETE ON "contacts_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('contacts', CAST(OLD."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'contacts' AND "key" = CAST(OLD."id" AS TEXT) LIMIT 1;
END;
