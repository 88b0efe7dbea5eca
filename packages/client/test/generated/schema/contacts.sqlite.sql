-- contacts: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "contacts_synced" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "first_name" TEXT,
  "email" TEXT,
  "active" INTEGER,
  "score" REAL,
  "tags" TEXT,
  "credit_limit" TEXT,
  "status" TEXT,
  "created_at" TEXT,
  "_role" TEXT
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "contacts_local" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "first_name" TEXT,
  "email" TEXT,
  "active" INTEGER,
  "score" REAL,
  "tags" TEXT,
  "credit_limit" TEXT,
  "status" TEXT,
  "created_at" TEXT,
  "local_notes" TEXT,
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
  CASE WHEN instr(own."_changed_columns", '"first_name"') > 0 THEN own."first_name" ELSE synced."first_name" END AS "first_name",
  CASE WHEN instr(own."_changed_columns", '"email"') > 0 THEN own."email" ELSE synced."email" END AS "email",
  CASE WHEN instr(own."_changed_columns", '"active"') > 0 THEN own."active" ELSE synced."active" END AS "active",
  CASE WHEN instr(own."_changed_columns", '"score"') > 0 THEN own."score" ELSE synced."score" END AS "score",
  CASE WHEN instr(own."_changed_columns", '"tags"') > 0 THEN own."tags" ELSE synced."tags" END AS "tags",
  CASE WHEN instr(own."_changed_columns", '"credit_limit"') > 0 THEN own."credit_limit" ELSE synced."credit_limit" END AS "credit_limit",
  CASE WHEN instr(own."_changed_columns", '"status"') > 0 THEN own."status" ELSE synced."status" END AS "status",
  CASE WHEN instr(own."_changed_columns", '"created_at"') > 0 THEN own."created_at" ELSE synced."created_at" END AS "created_at",
  own."local_notes" AS "local_notes",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "contacts_synced" AS synced LEFT JOIN "contacts_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT 1
UNION ALL
SELECT own."id",
  own."first_name",
  own."email",
  own."active",
  own."score",
  own."tags",
  own."credit_limit",
  own."status",
  own."created_at",
  own."local_notes",
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
    "id", "first_name", "email", "active", "score", "tags", "credit_limit", "status", "created_at",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  SELECT CAST(NEW."key" AS TEXT),
    max(CASE cell."name" WHEN 'first_name' THEN cell."value" END),
    max(CASE cell."name" WHEN 'email' THEN cell."value" END),
    max(CASE cell."name" WHEN 'active' THEN cell."value" END),
    max(CASE cell."name" WHEN 'score' THEN cell."value" END),
    max(CASE cell."name" WHEN 'tags' THEN CASE cell."type" WHEN 'object' THEN cell."value" WHEN 'array' THEN cell."value" WHEN 'null' THEN NULL WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE json_quote(cell."value") END END),
    max(CASE cell."name" WHEN 'credit_limit' THEN cell."value" END),
    max(CASE cell."name" WHEN 'status' THEN cell."value" END),
    max(CASE cell."name" WHEN 'created_at' THEN cell."value" END),
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
    "first_name" = excluded."first_name",
    "email" = excluded."email",
    "active" = excluded."active",
    "score" = excluded."score",
    "tags" = excluded."tags",
    "credit_limit" = excluded."credit_limit",
    "status" = excluded."status",
    "created_at" = excluded."created_at",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  DELETE FROM "contacts_local" WHERE "id" = CAST(NEW."key" AS TEXT) AND "_write_id" IS NULL AND "local_notes" IS NULL;
END;

-- What never leaves this database goes when the server has accepted that its row was deleted here, and when a
-- row that was made here comes to nothing. Of a row that the server shows no more, it stays: the row may come back.
DROP TRIGGER IF EXISTS "_contacts_forgotten";
CREATE TRIGGER "_contacts_forgotten" AFTER UPDATE OF "state" ON "_changes"
WHEN NEW."entity" = 'contacts' AND NEW."operation" = 'delete' AND NEW."state" = 'acknowledged'
  AND NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'contacts' AND "key" = NEW."key" AND "id" > NEW."id")
BEGIN
  UPDATE "contacts_local" SET "local_notes" = NULL
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
  UPDATE "contacts_local" SET "local_notes" = NULL
  WHERE "id" = CAST(OLD."key" AS TEXT);
  INSERT INTO "_overlay" ("entity", "key") VALUES ('contacts', OLD."key");
END;
DROP TRIGGER IF EXISTS "_contacts_insert";
CREATE TRIGGER "_contacts_insert" INSTEAD OF INSERT ON "contacts" BEGIN
  SELECT RAISE(ABORT, 'contacts: a row needs its key') WHERE NEW."id" IS NULL;
  SELECT RAISE(ABORT, 'contacts: a row with this key is there')
  WHERE EXISTS (SELECT 1 FROM "contacts" WHERE "id" = lower(NEW."id"));
  INSERT INTO "contacts_local" ("id", "local_notes")
  VALUES (lower(NEW."id"), NEW."local_notes")
  ON CONFLICT ("id") DO UPDATE SET
    "local_notes" = excluded."local_notes";
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value")
  SELECT 'contacts', CAST(lower(NEW."id") AS TEXT), 'insert', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(cell."text")) FILTER (WHERE cell."text" IS NOT NULL), '{}')
  FROM (
    SELECT 'first_name' AS "name", CASE WHEN NEW."first_name" IS NULL THEN NULL ELSE json_quote(NEW."first_name") END AS "text"
    UNION ALL SELECT 'email' AS "name", CASE WHEN NEW."email" IS NULL THEN NULL ELSE json_quote(NEW."email") END AS "text"
    UNION ALL SELECT 'active' AS "name", CASE WHEN NEW."active" IS NULL THEN NULL WHEN NEW."active" THEN 'true' ELSE 'false' END AS "text"
    UNION ALL SELECT 'score' AS "name", CASE WHEN NEW."score" IS NULL THEN NULL ELSE json_quote(NEW."score") END AS "text"
    UNION ALL SELECT 'tags' AS "name", json(NEW."tags") AS "text"
    UNION ALL SELECT 'credit_limit' AS "name", CASE WHEN NEW."credit_limit" IS NULL THEN NULL ELSE json_quote(NEW."credit_limit") END AS "text"
    UNION ALL SELECT 'status' AS "name", CASE WHEN NEW."status" IS NULL THEN NULL ELSE json_quote(NEW."status") END AS "text"
    UNION ALL SELECT 'created_at' AS "name", CASE WHEN NEW."created_at" IS NULL THEN NULL ELSE json_quote(NEW."created_at") END AS "text") AS cell;
END;

DROP TRIGGER IF EXISTS "_contacts_update";
CREATE TRIGGER "_contacts_update" INSTEAD OF UPDATE ON "contacts" BEGIN
  SELECT RAISE(ABORT, 'contacts: a key can''t change') WHERE NEW."id" IS NOT OLD."id";
  INSERT INTO "contacts_local" ("id", "local_notes")
  SELECT NEW."id", NEW."local_notes"
  WHERE NEW."local_notes" IS NOT OLD."local_notes"
  ON CONFLICT ("id") DO UPDATE SET
    "local_notes" = excluded."local_notes";
  INSERT INTO "_touched" ("entity", "key") VALUES ('contacts', CAST(OLD."id" AS TEXT));
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value", "base")
  SELECT 'contacts', CAST(OLD."id" AS TEXT), 'update', 'optimistic', (SELECT "id" FROM "_transaction"),
    json_group_object(cell."name", json(coalesce(cell."text", 'null'))),
    json_group_object(cell."name", json(coalesce(cell."base", 'null')))
  FROM (
    SELECT 'first_name' AS "name", CASE WHEN NEW."first_name" IS NULL THEN NULL ELSE json_quote(NEW."first_name") END AS "text", CASE WHEN OLD."first_name" IS NULL THEN NULL ELSE json_quote(OLD."first_name") END AS "base"
    WHERE NEW."first_name" IS NOT OLD."first_name"
    UNION ALL SELECT 'email' AS "name", CASE WHEN NEW."email" IS NULL THEN NULL ELSE json_quote(NEW."email") END AS "text", CASE WHEN OLD."email" IS NULL THEN NULL ELSE json_quote(OLD."email") END AS "base"
    WHERE NEW."email" IS NOT OLD."email"
    UNION ALL SELECT 'active' AS "name", CASE WHEN NEW."active" IS NULL THEN NULL WHEN NEW."active" THEN 'true' ELSE 'false' END AS "text", CASE WHEN OLD."active" IS NULL THEN NULL WHEN OLD."active" THEN 'true' ELSE 'false' END AS "base"
    WHERE NEW."active" IS NOT OLD."active"
    UNION ALL SELECT 'score' AS "name", CASE WHEN NEW."score" IS NULL THEN NULL ELSE json_quote(NEW."score") END AS "text", CASE WHEN OLD."score" IS NULL THEN NULL ELSE json_quote(OLD."score") END AS "base"
    WHERE NEW."score" IS NOT OLD."score"
    UNION ALL SELECT 'tags' AS "name", json(NEW."tags") AS "text", json(OLD."tags") AS "base"
    WHERE json(NEW."tags") IS NOT json(OLD."tags")
    UNION ALL SELECT 'credit_limit' AS "name", CASE WHEN NEW."credit_limit" IS NULL THEN NULL ELSE json_quote(NEW."credit_limit") END AS "text", CASE WHEN OLD."credit_limit" IS NULL THEN NULL ELSE json_quote(OLD."credit_limit") END AS "base"
    WHERE NEW."credit_limit" IS NOT OLD."credit_limit"
    UNION ALL SELECT 'status' AS "name", CASE WHEN NEW."status" IS NULL THEN NULL ELSE json_quote(NEW."status") END AS "text", CASE WHEN OLD."status" IS NULL THEN NULL ELSE json_quote(OLD."status") END AS "base"
    WHERE NEW."status" IS NOT OLD."status"
    UNION ALL SELECT 'created_at' AS "name", CASE WHEN NEW."created_at" IS NULL THEN NULL ELSE json_quote(NEW."created_at") END AS "text", CASE WHEN OLD."created_at" IS NULL THEN NULL ELSE json_quote(OLD."created_at") END AS "base"
    WHERE NEW."created_at" IS NOT OLD."created_at") AS cell
  HAVING count(*) > 0;
END;

DROP TRIGGER IF EXISTS "_contacts_delete";
CREATE TRIGGER "_contacts_delete" INSTEAD OF DELETE ON "contacts" BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "base")
  SELECT 'contacts', CAST(OLD."id" AS TEXT), 'delete', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(coalesce(cell."text", 'null'))), '{}')
  FROM (
    SELECT 'first_name' AS "name", CASE WHEN OLD."first_name" IS NULL THEN NULL ELSE json_quote(OLD."first_name") END AS "text"
    UNION ALL SELECT 'email' AS "name", CASE WHEN OLD."email" IS NULL THEN NULL ELSE json_quote(OLD."email") END AS "text"
    UNION ALL SELECT 'active' AS "name", CASE WHEN OLD."active" IS NULL THEN NULL WHEN OLD."active" THEN 'true' ELSE 'false' END AS "text"
    UNION ALL SELECT 'score' AS "name", CASE WHEN OLD."score" IS NULL THEN NULL ELSE json_quote(OLD."score") END AS "text"
    UNION ALL SELECT 'tags' AS "name", json(OLD."tags") AS "text"
    UNION ALL SELECT 'credit_limit' AS "name", CASE WHEN OLD."credit_limit" IS NULL THEN NULL ELSE json_quote(OLD."credit_limit") END AS "text"
    UNION ALL SELECT 'status' AS "name", CASE WHEN OLD."status" IS NULL THEN NULL ELSE json_quote(OLD."status") END AS "text"
    UNION ALL SELECT 'created_at' AS "name", CASE WHEN OLD."created_at" IS NULL THEN NULL ELSE json_quote(OLD."created_at") END AS "text") AS cell;
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
              AND CASE cell."name" WHEN 'first_name' THEN coalesce(CASE WHEN synced."first_name" IS NULL THEN NULL ELSE json_quote(synced."first_name") END, 'null') WHEN 'email' THEN coalesce(CASE WHEN synced."email" IS NULL THEN NULL ELSE json_quote(synced."email") END, 'null') WHEN 'active' THEN coalesce(CASE WHEN synced."active" IS NULL THEN NULL WHEN synced."active" THEN 'true' ELSE 'false' END, 'null') WHEN 'score' THEN coalesce(CASE WHEN synced."score" IS NULL THEN NULL ELSE json_quote(synced."score") END, 'null') WHEN 'tags' THEN coalesce(json(synced."tags"), 'null') WHEN 'credit_limit' THEN coalesce(CASE WHEN synced."credit_limit" IS NULL THEN NULL ELSE json_quote(synced."credit_limit") END, 'null') WHEN 'status' THEN coalesce(CASE WHEN synced."status" IS NULL THEN NULL ELSE json_quote(synced."status") END, 'null') WHEN 'created_at' THEN coalesce(CASE WHEN synced."created_at" IS NULL THEN NULL ELSE json_quote(synced."created_at") END, 'null') END IS NOT cell."text") END);
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
