-- categories: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "categories_synced" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT,
  "kind" TEXT,
  "color" TEXT,
  "_role" TEXT
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "categories_local" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT,
  "kind" TEXT,
  "color" TEXT,
  -- A JSON array of the columns that changes set.
  "_changed_columns" TEXT NOT NULL DEFAULT '[]',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" INTEGER NOT NULL DEFAULT 0,
  "_is_deleted" INTEGER NOT NULL DEFAULT 0,
  -- Of the last change.
  "_write_id" TEXT
);

INSERT OR IGNORE INTO "_unique" ("entity", "field") VALUES ('categories', 'name');
INSERT OR IGNORE INTO "_shapes" ("entity") VALUES ('categories');

DROP VIEW IF EXISTS "categories";
CREATE VIEW "categories" AS
SELECT synced."id" AS "id",
  CASE WHEN instr(own."_changed_columns", '"name"') > 0 THEN own."name" ELSE synced."name" END AS "name",
  CASE WHEN instr(own."_changed_columns", '"kind"') > 0 THEN own."kind" ELSE synced."kind" END AS "kind",
  CASE WHEN instr(own."_changed_columns", '"color"') > 0 THEN own."color" ELSE synced."color" END AS "color",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "categories_synced" AS synced LEFT JOIN "categories_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT 1
UNION ALL
SELECT own."id",
  own."name",
  own."kind",
  own."color",
  NULL,
  1,
  own."_write_id"
FROM "categories_local" AS own
WHERE own."_is_new" = 1 AND (
  own."_is_deleted" = 1
  OR NOT EXISTS (SELECT 1 FROM "categories_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
DROP TRIGGER IF EXISTS "_categories_overlay";
CREATE TRIGGER "_categories_overlay" INSTEAD OF INSERT ON "_overlay" WHEN NEW."entity" = 'categories' BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('categories', NEW."key");
  INSERT INTO "categories_local" (
    "id", "name", "kind", "color",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  SELECT CAST(NEW."key" AS TEXT),
    max(CASE cell."name" WHEN 'name' THEN cell."value" END),
    max(CASE cell."name" WHEN 'kind' THEN cell."value" END),
    max(CASE cell."name" WHEN 'color' THEN cell."value" END),
    json_group_array(cell."name") FILTER (WHERE cell."name" IS NOT NULL),
    EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'categories' AND "key" = NEW."key"
      AND "operation" = 'insert' AND "id" > row."deleted" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')),
    row."deleted" > 0,
    (SELECT "write_id" FROM "_changes" WHERE "entity" = 'categories' AND "key" = NEW."key"
      AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected') ORDER BY "id" DESC LIMIT 1)
  FROM (
    SELECT coalesce(max(CASE "operation" WHEN 'delete' THEN "id" END), 0) AS "deleted",
      coalesce(max("id"), 0) AS "first"
    FROM "_changes"
    WHERE "entity" = 'categories' AND "key" = NEW."key" AND "operation" <> 'update' AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS row
  LEFT JOIN (
    SELECT change."id" AS "id", cell."key" AS "name", cell."value" AS "value", cell."type" AS "type"
    FROM "_changes" AS change, json_each(change."value") AS cell
    WHERE change."entity" = 'categories' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS cell
    ON cell."id" >= row."first" AND NOT EXISTS (
      SELECT 1 FROM "_changes" AS change, json_each(change."value") AS later
      WHERE change."entity" = 'categories' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')
        AND change."id" > cell."id" AND later."key" = cell."name")
  WHERE true
  ON CONFLICT ("id") DO UPDATE SET
    "name" = excluded."name",
    "kind" = excluded."kind",
    "color" = excluded."color",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  DELETE FROM "categories_local" WHERE "id" = CAST(NEW."key" AS TEXT) AND "_write_id" IS NULL;
END;
DROP TRIGGER IF EXISTS "_categories_insert";
CREATE TRIGGER "_categories_insert" INSTEAD OF INSERT ON "categories" BEGIN
  SELECT RAISE(ABORT, 'categories: a row needs its key') WHERE NEW."id" IS NULL;
  SELECT RAISE(ABORT, 'categories: a row with this key is there')
  WHERE EXISTS (SELECT 1 FROM "categories" WHERE "id" = lower(NEW."id"));
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value")
  SELECT 'categories', CAST(lower(NEW."id") AS TEXT), 'insert', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(cell."text")) FILTER (WHERE cell."text" IS NOT NULL), '{}')
  FROM (
    SELECT 'name' AS "name", CASE WHEN NEW."name" IS NULL THEN NULL ELSE json_quote(NEW."name") END AS "text"
    UNION ALL SELECT 'kind' AS "name", CASE WHEN NEW."kind" IS NULL THEN NULL ELSE json_quote(NEW."kind") END AS "text"
    UNION ALL SELECT 'color' AS "name", CASE WHEN NEW."color" IS NULL THEN NULL ELSE json_quote(NEW."color") END AS "text") AS cell;
END;

DROP TRIGGER IF EXISTS "_categories_update";
CREATE TRIGGER "_categories_update" INSTEAD OF UPDATE ON "categories" BEGIN
  SELECT RAISE(ABORT, 'categories: a key can''t change') WHERE NEW."id" IS NOT OLD."id";
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value", "base")
  SELECT 'categories', CAST(OLD."id" AS TEXT), 'update', 'optimistic', (SELECT "id" FROM "_transaction"),
    json_group_object(cell."name", json(coalesce(cell."text", 'null'))),
    json_group_object(cell."name", json(coalesce(cell."base", 'null')))
  FROM (
    SELECT 'name' AS "name", CASE WHEN NEW."name" IS NULL THEN NULL ELSE json_quote(NEW."name") END AS "text", CASE WHEN OLD."name" IS NULL THEN NULL ELSE json_quote(OLD."name") END AS "base"
    WHERE NEW."name" IS NOT OLD."name"
    UNION ALL SELECT 'kind' AS "name", CASE WHEN NEW."kind" IS NULL THEN NULL ELSE json_quote(NEW."kind") END AS "text", CASE WHEN OLD."kind" IS NULL THEN NULL ELSE json_quote(OLD."kind") END AS "base"
    WHERE NEW."kind" IS NOT OLD."kind"
    UNION ALL SELECT 'color' AS "name", CASE WHEN NEW."color" IS NULL THEN NULL ELSE json_quote(NEW."color") END AS "text", CASE WHEN OLD."color" IS NULL THEN NULL ELSE json_quote(OLD."color") END AS "base"
    WHERE NEW."color" IS NOT OLD."color") AS cell
  HAVING count(*) > 0;
END;

DROP TRIGGER IF EXISTS "_categories_delete";
CREATE TRIGGER "_categories_delete" INSTEAD OF DELETE ON "categories" BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "base")
  SELECT 'categories', CAST(OLD."id" AS TEXT), 'delete', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(coalesce(cell."text", 'null'))), '{}')
  FROM (
    SELECT 'name' AS "name", CASE WHEN OLD."name" IS NULL THEN NULL ELSE json_quote(OLD."name") END AS "text"
    UNION ALL SELECT 'kind' AS "name", CASE WHEN OLD."kind" IS NULL THEN NULL ELSE json_quote(OLD."kind") END AS "text"
    UNION ALL SELECT 'color' AS "name", CASE WHEN OLD."color" IS NULL THEN NULL ELSE json_quote(OLD."color") END AS "text") AS cell;
END;

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
DROP TRIGGER IF EXISTS "_categories_told";
CREATE TRIGGER "_categories_told" INSTEAD OF INSERT ON "_told" WHEN NEW."entity" = 'categories' BEGIN
  DELETE FROM "_changes" WHERE "entity" = 'categories' AND "key" = NEW."key"
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max(change."id") FROM "_changes" AS change
      LEFT JOIN "categories_synced" AS synced ON synced."id" = CAST(NEW."key" AS TEXT)
      WHERE change."entity" = 'categories' AND change."key" = NEW."key"
        AND change."state" = 'acknowledged' AND change."seq" IS NULL
        AND CASE change."operation" WHEN 'delete' THEN synced."id" IS NULL
          ELSE synced."id" IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM "_change_columns" AS cell WHERE cell."id" = change."id" AND cell."part" = 'value'
              AND CASE cell."name" WHEN 'name' THEN coalesce(CASE WHEN synced."name" IS NULL THEN NULL ELSE json_quote(synced."name") END, 'null') WHEN 'kind' THEN coalesce(CASE WHEN synced."kind" IS NULL THEN NULL ELSE json_quote(synced."kind") END, 'null') WHEN 'color' THEN coalesce(CASE WHEN synced."color" IS NULL THEN NULL ELSE json_quote(synced."color") END, 'null') END IS NOT cell."text") END);
END;
DROP TRIGGER IF EXISTS "_categories_synced_insert";
CREATE TRIGGER "_categories_synced_insert" AFTER INSERT ON "categories_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('categories', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'categories' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_categories_synced_update";
CREATE TRIGGER "_categories_synced_update" AFTER UPDATE ON "categories_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('categories', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'categories' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_categories_synced_delete";
CREATE TRIGGER "_categories_synced_delete" AFTER DELETE ON "categories_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('categories', CAST(OLD."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'categories' AND "key" = CAST(OLD."id" AS TEXT) LIMIT 1;
END;
