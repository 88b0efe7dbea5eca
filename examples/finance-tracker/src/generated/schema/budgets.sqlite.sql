-- budgets: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "budgets_synced" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "category_id" TEXT,
  "month" TEXT,
  "amount" TEXT,
  "note" TEXT,
  "_role" TEXT
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "budgets_local" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "category_id" TEXT,
  "month" TEXT,
  "amount" TEXT,
  "note" TEXT,
  -- A JSON array of the columns that changes set.
  "_changed_columns" TEXT NOT NULL DEFAULT '[]',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" INTEGER NOT NULL DEFAULT 0,
  "_is_deleted" INTEGER NOT NULL DEFAULT 0,
  -- Of the last change.
  "_write_id" TEXT
);

INSERT OR REPLACE INTO "_references" ("entity", "field", "target")
VALUES ('budgets', 'category_id', 'categories');
INSERT OR IGNORE INTO "_unique" ("entity", "field") VALUES ('budgets', 'category_id');
INSERT OR IGNORE INTO "_unique" ("entity", "field") VALUES ('budgets', 'month');
INSERT OR IGNORE INTO "_shapes" ("entity") VALUES ('budgets');

DROP VIEW IF EXISTS "budgets";
CREATE VIEW "budgets" AS
SELECT synced."id" AS "id",
  CASE WHEN instr(own."_changed_columns", '"category_id"') > 0 THEN own."category_id" ELSE synced."category_id" END AS "category_id",
  CASE WHEN instr(own."_changed_columns", '"month"') > 0 THEN own."month" ELSE synced."month" END AS "month",
  CASE WHEN instr(own."_changed_columns", '"amount"') > 0 THEN own."amount" ELSE synced."amount" END AS "amount",
  CASE WHEN instr(own."_changed_columns", '"note"') > 0 THEN own."note" ELSE synced."note" END AS "note",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "budgets_synced" AS synced LEFT JOIN "budgets_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT 1
UNION ALL
SELECT own."id",
  own."category_id",
  own."month",
  own."amount",
  own."note",
  NULL,
  1,
  own."_write_id"
FROM "budgets_local" AS own
WHERE own."_is_new" = 1 AND (
  own."_is_deleted" = 1
  OR NOT EXISTS (SELECT 1 FROM "budgets_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
DROP TRIGGER IF EXISTS "_budgets_overlay";
CREATE TRIGGER "_budgets_overlay" INSTEAD OF INSERT ON "_overlay" WHEN NEW."entity" = 'budgets' BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('budgets', NEW."key");
  INSERT INTO "budgets_local" (
    "id", "category_id", "month", "amount", "note",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  SELECT CAST(NEW."key" AS TEXT),
    max(CASE cell."name" WHEN 'category_id' THEN cell."value" END),
    max(CASE cell."name" WHEN 'month' THEN cell."value" END),
    max(CASE cell."name" WHEN 'amount' THEN cell."value" END),
    max(CASE cell."name" WHEN 'note' THEN cell."value" END),
    json_group_array(cell."name") FILTER (WHERE cell."name" IS NOT NULL),
    EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'budgets' AND "key" = NEW."key"
      AND "operation" = 'insert' AND "id" > row."deleted" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')),
    row."deleted" > 0,
    (SELECT "write_id" FROM "_changes" WHERE "entity" = 'budgets' AND "key" = NEW."key"
      AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected') ORDER BY "id" DESC LIMIT 1)
  FROM (
    SELECT coalesce(max(CASE "operation" WHEN 'delete' THEN "id" END), 0) AS "deleted",
      coalesce(max("id"), 0) AS "first"
    FROM "_changes"
    WHERE "entity" = 'budgets' AND "key" = NEW."key" AND "operation" <> 'update' AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS row
  LEFT JOIN (
    SELECT change."id" AS "id", cell."key" AS "name", cell."value" AS "value", cell."type" AS "type"
    FROM "_changes" AS change, json_each(change."value") AS cell
    WHERE change."entity" = 'budgets' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS cell
    ON cell."id" >= row."first" AND NOT EXISTS (
      SELECT 1 FROM "_changes" AS change, json_each(change."value") AS later
      WHERE change."entity" = 'budgets' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')
        AND change."id" > cell."id" AND later."key" = cell."name")
  WHERE true
  ON CONFLICT ("id") DO UPDATE SET
    "category_id" = excluded."category_id",
    "month" = excluded."month",
    "amount" = excluded."amount",
    "note" = excluded."note",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  DELETE FROM "budgets_local" WHERE "id" = CAST(NEW."key" AS TEXT) AND "_write_id" IS NULL;
END;
DROP TRIGGER IF EXISTS "_budgets_insert";
CREATE TRIGGER "_budgets_insert" INSTEAD OF INSERT ON "budgets" BEGIN
  SELECT RAISE(ABORT, 'budgets: a row needs its key') WHERE NEW."id" IS NULL;
  SELECT RAISE(ABORT, 'budgets: a row with this key is there')
  WHERE EXISTS (SELECT 1 FROM "budgets" WHERE "id" = lower(NEW."id"));
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value")
  SELECT 'budgets', CAST(lower(NEW."id") AS TEXT), 'insert', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(cell."text")) FILTER (WHERE cell."text" IS NOT NULL), '{}')
  FROM (
    SELECT 'category_id' AS "name", CASE WHEN lower(NEW."category_id") IS NULL THEN NULL ELSE json_quote(lower(NEW."category_id")) END AS "text"
    UNION ALL SELECT 'month' AS "name", CASE WHEN NEW."month" IS NULL THEN NULL ELSE json_quote(NEW."month") END AS "text"
    UNION ALL SELECT 'amount' AS "name", CASE WHEN NEW."amount" IS NULL THEN NULL ELSE json_quote(NEW."amount") END AS "text"
    UNION ALL SELECT 'note' AS "name", CASE WHEN NEW."note" IS NULL THEN NULL ELSE json_quote(NEW."note") END AS "text") AS cell;
END;

DROP TRIGGER IF EXISTS "_budgets_update";
CREATE TRIGGER "_budgets_update" INSTEAD OF UPDATE ON "budgets" BEGIN
  SELECT RAISE(ABORT, 'budgets: a key can''t change') WHERE NEW."id" IS NOT OLD."id";
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value", "base")
  SELECT 'budgets', CAST(OLD."id" AS TEXT), 'update', 'optimistic', (SELECT "id" FROM "_transaction"),
    json_group_object(cell."name", json(coalesce(cell."text", 'null'))),
    json_group_object(cell."name", json(coalesce(cell."base", 'null')))
  FROM (
    SELECT 'category_id' AS "name", CASE WHEN lower(NEW."category_id") IS NULL THEN NULL ELSE json_quote(lower(NEW."category_id")) END AS "text", CASE WHEN OLD."category_id" IS NULL THEN NULL ELSE json_quote(OLD."category_id") END AS "base"
    WHERE lower(NEW."category_id") IS NOT OLD."category_id"
    UNION ALL SELECT 'month' AS "name", CASE WHEN NEW."month" IS NULL THEN NULL ELSE json_quote(NEW."month") END AS "text", CASE WHEN OLD."month" IS NULL THEN NULL ELSE json_quote(OLD."month") END AS "base"
    WHERE NEW."month" IS NOT OLD."month"
    UNION ALL SELECT 'amount' AS "name", CASE WHEN NEW."amount" IS NULL THEN NULL ELSE json_quote(NEW."amount") END AS "text", CASE WHEN OLD."amount" IS NULL THEN NULL ELSE json_quote(OLD."amount") END AS "base"
    WHERE NEW."amount" IS NOT OLD."amount"
    UNION ALL SELECT 'note' AS "name", CASE WHEN NEW."note" IS NULL THEN NULL ELSE json_quote(NEW."note") END AS "text", CASE WHEN OLD."note" IS NULL THEN NULL ELSE json_quote(OLD."note") END AS "base"
    WHERE NEW."note" IS NOT OLD."note") AS cell
  HAVING count(*) > 0;
END;

DROP TRIGGER IF EXISTS "_budgets_delete";
CREATE TRIGGER "_budgets_delete" INSTEAD OF DELETE ON "budgets" BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "base")
  SELECT 'budgets', CAST(OLD."id" AS TEXT), 'delete', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(coalesce(cell."text", 'null'))), '{}')
  FROM (
    SELECT 'category_id' AS "name", CASE WHEN OLD."category_id" IS NULL THEN NULL ELSE json_quote(OLD."category_id") END AS "text"
    UNION ALL SELECT 'month' AS "name", CASE WHEN OLD."month" IS NULL THEN NULL ELSE json_quote(OLD."month") END AS "text"
    UNION ALL SELECT 'amount' AS "name", CASE WHEN OLD."amount" IS NULL THEN NULL ELSE json_quote(OLD."amount") END AS "text"
    UNION ALL SELECT 'note' AS "name", CASE WHEN OLD."note" IS NULL THEN NULL ELSE json_quote(OLD."note") END AS "text") AS cell;
END;

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
DROP TRIGGER IF EXISTS "_budgets_told";
CREATE TRIGGER "_budgets_told" INSTEAD OF INSERT ON "_told" WHEN NEW."entity" = 'budgets' BEGIN
  DELETE FROM "_changes" WHERE "entity" = 'budgets' AND "key" = NEW."key"
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max(change."id") FROM "_changes" AS change
      LEFT JOIN "budgets_synced" AS synced ON synced."id" = CAST(NEW."key" AS TEXT)
      WHERE change."entity" = 'budgets' AND change."key" = NEW."key"
        AND change."state" = 'acknowledged' AND change."seq" IS NULL
        AND CASE change."operation" WHEN 'delete' THEN synced."id" IS NULL
          ELSE synced."id" IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM "_change_columns" AS cell WHERE cell."id" = change."id" AND cell."part" = 'value'
              AND CASE cell."name" WHEN 'category_id' THEN coalesce(CASE WHEN synced."category_id" IS NULL THEN NULL ELSE json_quote(synced."category_id") END, 'null') WHEN 'month' THEN coalesce(CASE WHEN synced."month" IS NULL THEN NULL ELSE json_quote(synced."month") END, 'null') WHEN 'amount' THEN coalesce(CASE WHEN synced."amount" IS NULL THEN NULL ELSE json_quote(synced."amount") END, 'null') WHEN 'note' THEN coalesce(CASE WHEN synced."note" IS NULL THEN NULL ELSE json_quote(synced."note") END, 'null') END IS NOT cell."text") END);
END;
DROP TRIGGER IF EXISTS "_budgets_synced_insert";
CREATE TRIGGER "_budgets_synced_insert" AFTER INSERT ON "budgets_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('budgets', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'budgets' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_budgets_synced_update";
CREATE TRIGGER "_budgets_synced_update" AFTER UPDATE ON "budgets_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('budgets', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'budgets' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_budgets_synced_delete";
CREATE TRIGGER "_budgets_synced_delete" AFTER DELETE ON "budgets_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('budgets', CAST(OLD."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'budgets' AND "key" = CAST(OLD."id" AS TEXT) LIMIT 1;
END;
