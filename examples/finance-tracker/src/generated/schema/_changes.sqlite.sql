-- The queue of writes that this database has made and its server has not yet shown.
--
-- Run this file first, then that of each entity. The applications write to the entities' views; a write
-- becomes a change here, and what is shown on top of the synced rows follows from the changes alone.
-- Of a row at most one change is unsent at a time, but for a row that was changed and deleted, or deleted
-- and made again, for writes of different transactions, and for one that is offered again.

CREATE TABLE IF NOT EXISTS "_changes" (
  -- The order in which changes were made, and are sent.
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The name of the write on every machine: sent with it, stored by the server with its outcome.
  "write_id" TEXT NOT NULL UNIQUE DEFAULT (lower(
    hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
    || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  "entity" TEXT NOT NULL,
  -- The row's key, as text.
  "key" TEXT NOT NULL,
  "operation" TEXT NOT NULL CHECK ("operation" IN ('insert', 'update', 'delete')),
  -- A JSON object of the columns that the write sets, nulls among them.
  "value" TEXT NOT NULL DEFAULT '{}' CHECK (json_valid("value")),
  -- A JSON object of what the writer saw in those columns.
  "base" TEXT NOT NULL DEFAULT '{}' CHECK (json_valid("base")),
  "mode" TEXT NOT NULL CHECK ("mode" IN ('optimistic', 'confirmed')),
  -- Changes of one transaction are sent, accepted and refused together. Null: it stands alone.
  "transaction_id" TEXT DEFAULT NULL,
  "state" TEXT NOT NULL DEFAULT 'pending'
    CHECK ("state" IN ('pending', 'sending', 'acknowledged', 'rejected')),
  -- The place in the server's log at which it was accepted; null where a server has no such places.
  "seq" INTEGER,
  -- The transaction in which it was accepted, as the server's shapes name it.
  "txid" INTEGER,
  "attempts" INTEGER NOT NULL DEFAULT 0,
  -- A JSON object: why the server refused it.
  "error" TEXT,
  "created_at" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE INDEX IF NOT EXISTS "_changes_by_row" ON "_changes" ("entity", "key", "id");
CREATE INDEX IF NOT EXISTS "_changes_by_state" ON "_changes" ("state", "id");
CREATE INDEX IF NOT EXISTS "_changes_by_transaction" ON "_changes" ("transaction_id");

-- Accepted changes whose rows have come, while others of their transaction have not: a server that turns out to
-- have lost these has lost all of them, and is sent all of them again.
CREATE TABLE IF NOT EXISTS "_let_go" AS SELECT * FROM "_changes" WHERE 0;

-- What became of writes that are no longer among the changes, for whoever waits for one; kept for a while.
CREATE TABLE IF NOT EXISTS "_outcomes" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "write_id" TEXT NOT NULL UNIQUE,
  -- The write that has taken it in.
  "joined" TEXT,
  -- A JSON object: why it was refused. Null: it was accepted, or there was nothing left to send of it.
  "error" TEXT
);

-- How far each entity's rows have been read from the server.
CREATE TABLE IF NOT EXISTS "_shapes" (
  "entity" TEXT PRIMARY KEY,
  "handle" TEXT,
  "offset" TEXT,
  -- The place in the server's log up to which the synced rows are whole.
  "seq" INTEGER NOT NULL DEFAULT 0,
  "read_at" TEXT
);

-- The server's transactions that came with rows while writes were on their way; the last of them are kept.
CREATE TABLE IF NOT EXISTS "_txids" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "entity" TEXT NOT NULL,
  "txid" INTEGER NOT NULL
);

-- The rows whose shown state may have changed, in the order of the changes; kept for a while.
CREATE TABLE IF NOT EXISTS "_touched" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "entity" TEXT NOT NULL,
  "key" TEXT NOT NULL
);

-- Which fields hold the keys of which entities: each entity says so anew.
CREATE TABLE IF NOT EXISTS "_references" (
  "entity" TEXT NOT NULL,
  "field" TEXT NOT NULL,
  "target" TEXT NOT NULL,
  PRIMARY KEY ("entity", "field")
);
DELETE FROM "_references";

-- Which fields hold what no other row of the entity may hold, or a part of it.
CREATE TABLE IF NOT EXISTS "_unique" (
  "entity" TEXT NOT NULL,
  "field" TEXT NOT NULL,
  PRIMARY KEY ("entity", "field")
);
DELETE FROM "_unique";

-- The transaction that is being written: its id goes to each change made until it is null again.
CREATE TABLE IF NOT EXISTS "_transaction" (
  "one" INTEGER PRIMARY KEY CHECK ("one" = 1),
  "id" TEXT
);
INSERT OR IGNORE INTO "_transaction" ("one", "id") VALUES (1, NULL);
-- A server takes no more as one. What is counted are changes as they are sent: each has joined by then.
DROP TRIGGER IF EXISTS "_transaction_limit";
CREATE TRIGGER "_transaction_limit" AFTER UPDATE OF "id" ON "_transaction"
WHEN NEW."id" IS NULL AND (SELECT count(*) FROM "_changes" WHERE "transaction_id" = OLD."id") > 1000 BEGIN
  SELECT RAISE(ABORT, 'more than 1000 writes are too many to be one: change at most 1000 rows in a transaction');
END;

-- What was noted of a row's overlay is made anew by each entity's own trigger on this view.
DROP VIEW IF EXISTS "_overlay";
CREATE VIEW "_overlay" AS SELECT NULL AS "entity", NULL AS "key" WHERE 0;

-- Accepted writes of a row are held against what the server shows by each entity's own trigger on this view.
DROP VIEW IF EXISTS "_told";
CREATE VIEW "_told" AS SELECT NULL AS "entity", NULL AS "key" WHERE 0;

-- The columns that changes set, each with its JSON text.
DROP VIEW IF EXISTS "_change_columns";
CREATE VIEW "_change_columns" AS
SELECT change."id" AS "id", part."column" AS "part", cell."key" AS "name",
  CASE cell."type"
    WHEN 'object' THEN cell."value"
    WHEN 'array' THEN cell."value"
    WHEN 'true' THEN 'true'
    WHEN 'false' THEN 'false'
    WHEN 'null' THEN 'null'
    ELSE json_quote(cell."value")
  END AS "text"
FROM "_changes" AS change,
  (SELECT 'value' AS "column" UNION ALL SELECT 'base') AS part,
  json_each(CASE part."column" WHEN 'value' THEN change."value" ELSE change."base" END) AS cell;

-- Each unsent change, and the unsent one of the same row before it that takes it in. One that was tried is
-- pending again where somebody offers it anew: the server may have it as it is.
DROP VIEW IF EXISTS "_joinable";
CREATE VIEW "_joinable" AS
SELECT later."id" AS "later", earlier."id" AS "earlier", earlier."operation" AS "operation"
FROM "_changes" AS later
JOIN "_changes" AS earlier ON earlier."id" = (
  SELECT max("id") FROM "_changes"
  WHERE "entity" = later."entity" AND "key" = later."key" AND "id" < later."id" AND "state" <> 'rejected')
WHERE later."state" = 'pending' AND earlier."state" = 'pending' AND earlier."attempts" = 0
  AND later."operation" <> 'insert' AND earlier."operation" <> 'delete'
  AND NOT (earlier."operation" = 'update' AND later."operation" = 'delete')
  AND earlier."transaction_id" IS later."transaction_id"
  -- A value that is one row's alone must not leave before another row's change, which may be what makes it free.
  AND NOT EXISTS (
    SELECT 1 FROM "_unique" AS own, json_each(later."value") AS cell, "_changes" AS other
    WHERE own."entity" = later."entity" AND cell."key" = own."field"
      AND other."entity" = later."entity" AND other."key" <> later."key" AND other."id" > earlier."id"
      AND other."id" < later."id" AND other."state" <> 'acknowledged')
  -- What names a row that was made since must not leave before it.
  AND NOT EXISTS (
    SELECT 1 FROM "_references" AS reference, json_each(later."value") AS cell, "_changes" AS made
    WHERE reference."entity" = later."entity" AND cell."key" = reference."field"
      AND made."entity" = reference."target" AND made."key" = CAST(cell."value" AS TEXT)
      AND made."operation" = 'insert' AND made."state" <> 'acknowledged' AND made."id" > earlier."id");

-- The columns of both, the later value and the earlier base of each.
DROP VIEW IF EXISTS "_joined";
CREATE VIEW "_joined" AS
SELECT joinable."later" AS "later", cell."name" AS "name", cell."text" AS "text",
  coalesce(
    (SELECT "text" FROM "_change_columns"
      WHERE "id" = joinable."earlier" AND "part" = 'base' AND "name" = cell."name"),
    (SELECT "text" FROM "_change_columns"
      WHERE "id" = joinable."later" AND "part" = 'base' AND "name" = cell."name")) AS "base",
  joinable."operation" AS "operation"
FROM "_joinable" AS joinable
JOIN "_change_columns" AS cell ON cell."part" = 'value' AND (
  cell."id" = joinable."later"
  OR cell."id" = joinable."earlier" AND cell."name" NOT IN (
    SELECT "name" FROM "_change_columns" WHERE "id" = joinable."later" AND "part" = 'value'));

-- An update joins the insert or update before it; of a value that is back at its base nothing stays.
-- An insert and its delete are nothing. An update stays before a delete: what was typed must not go with a
-- delete that is refused.
DROP TRIGGER IF EXISTS "_changes_join";
CREATE TRIGGER "_changes_join" AFTER INSERT ON "_changes"
WHEN EXISTS (SELECT 1 FROM "_joinable" WHERE "later" = NEW."id")
BEGIN
  UPDATE "_changes" SET ("value", "base") = (
    SELECT json_group_object("name", json("text")),
      CASE "_changes"."operation" WHEN 'insert' THEN '{}'
        ELSE json_group_object("name", json(coalesce("base", 'null'))) END
    FROM "_joined"
    WHERE "later" = NEW."id" AND ("operation" = 'insert' OR "base" IS NULL OR "text" <> "base"
      -- A number is the same with and without a fraction of zero.
      AND NOT (json_type("text") IN ('integer', 'real') AND json_type("base") IN ('integer', 'real') AND "text" + 0 = "base" + 0)))
  WHERE NEW."operation" = 'update'
    AND "id" = (SELECT "earlier" FROM "_joinable" WHERE "later" = NEW."id");
  INSERT INTO "_outcomes" ("write_id", "joined")
  SELECT NEW."write_id",
    CASE WHEN NEW."operation" = 'update' AND (earlier."operation" = 'insert' OR earlier."value" <> '{}')
      THEN earlier."write_id" END
  FROM "_joinable" JOIN "_changes" AS earlier ON earlier."id" = "earlier" WHERE "later" = NEW."id";
  DELETE FROM "_changes" WHERE "id" IN (
    SELECT "later" FROM "_joinable" WHERE "later" = NEW."id"
    UNION
    SELECT "earlier" FROM "_joinable" WHERE "later" = NEW."id" AND NEW."operation" = 'delete'
    UNION
    SELECT earlier."id" FROM "_joinable" JOIN "_changes" AS earlier ON earlier."id" = "earlier"
      WHERE "later" = NEW."id" AND earlier."operation" = 'update' AND earlier."value" = '{}');
END;

-- What is shown of a row follows from its changes.
DROP TRIGGER IF EXISTS "_changes_made";
CREATE TRIGGER "_changes_made" AFTER INSERT ON "_changes" BEGIN
  INSERT INTO "_overlay" ("entity", "key") VALUES (NEW."entity", NEW."key");
END;
-- That a write is under way, or accepted, changes nothing of it.
DROP TRIGGER IF EXISTS "_changes_moved";
CREATE TRIGGER "_changes_moved" AFTER UPDATE OF "value", "state" ON "_changes" WHEN NEW."value" <> OLD."value"
  OR (NEW."state" = 'acknowledged' OR NEW."mode" = 'optimistic' AND NEW."state" <> 'rejected')
    <> (OLD."state" = 'acknowledged' OR OLD."mode" = 'optimistic' AND OLD."state" <> 'rejected') BEGIN
  INSERT INTO "_overlay" ("entity", "key") VALUES (NEW."entity", NEW."key");
END;
DROP TRIGGER IF EXISTS "_changes_dropped";
CREATE TRIGGER "_changes_dropped" AFTER DELETE ON "_changes" BEGIN
  INSERT INTO "_overlay" ("entity", "key") VALUES (OLD."entity", OLD."key");
END;
-- A change that has its answer leaves it behind.
DROP TRIGGER IF EXISTS "_changes_ended";
CREATE TRIGGER "_changes_ended" AFTER DELETE ON "_changes" WHEN OLD."state" IN ('acknowledged', 'rejected') BEGIN
  INSERT OR REPLACE INTO "_outcomes" ("write_id", "error") VALUES (OLD."write_id", OLD."error");
END;

-- Accepted writes are let go when the synced rows have reached their place in the log.
DROP TRIGGER IF EXISTS "_shapes_read";
CREATE TRIGGER "_shapes_read" AFTER UPDATE OF "seq" ON "_shapes" BEGIN
  DELETE FROM "_changes"
  WHERE "state" = 'acknowledged' AND "entity" = NEW."entity" AND "seq" <= NEW."seq";
END;

-- What is let go of a transaction is kept aside until all of it is, and goes with the rest where that is offered again.
DROP TRIGGER IF EXISTS "_changes_let_go";
CREATE TRIGGER "_changes_let_go" AFTER DELETE ON "_changes"
WHEN OLD."state" = 'acknowledged' AND OLD."seq" IS NOT NULL AND OLD."transaction_id" IS NOT NULL BEGIN
  INSERT INTO "_let_go" (
    "id", "write_id", "entity", "key", "operation", "value", "base", "mode", "transaction_id", "attempts", "created_at")
  VALUES (
    OLD."id", OLD."write_id", OLD."entity", OLD."key", OLD."operation", OLD."value", OLD."base", OLD."mode",
    OLD."transaction_id", OLD."attempts", OLD."created_at");
  DELETE FROM "_let_go" WHERE "transaction_id" = OLD."transaction_id" AND NOT EXISTS (
    SELECT 1 FROM "_changes" WHERE "transaction_id" = OLD."transaction_id" AND "state" = 'acknowledged');
END;
DROP TRIGGER IF EXISTS "_changes_offered";
CREATE TRIGGER "_changes_offered" AFTER UPDATE OF "state" ON "_changes"
WHEN OLD."state" = 'acknowledged' AND NEW."state" = 'pending' BEGIN
  INSERT INTO "_changes" (
    "id", "write_id", "entity", "key", "operation", "value", "base", "mode", "transaction_id", "attempts", "created_at")
  SELECT "id", "write_id", "entity", "key", "operation", "value", "base", "mode", "transaction_id", "attempts", "created_at"
  FROM "_let_go" WHERE "transaction_id" = NEW."transaction_id";
  DELETE FROM "_let_go" WHERE "transaction_id" = NEW."transaction_id";
END;

-- Where no place in a log tells, the rows may have come before the answer.
-- Its name was that of a trigger of an entity called `changes`.
DROP TRIGGER IF EXISTS "_changes_told";
DROP TRIGGER IF EXISTS "_changes_answered";
CREATE TRIGGER "_changes_answered" AFTER UPDATE OF "state" ON "_changes"
WHEN NEW."state" = 'acknowledged' AND NEW."seq" IS NULL BEGIN
  DELETE FROM "_changes" WHERE "entity" = NEW."entity" AND "key" = NEW."key" AND "id" <= NEW."id"
    AND "state" = 'acknowledged' AND "seq" IS NULL
    AND EXISTS (SELECT 1 FROM "_txids" WHERE "entity" = NEW."entity" AND "txid" = NEW."txid");
  INSERT INTO "_told" ("entity", "key") VALUES (NEW."entity", NEW."key");
END;

-- What has seen the values of a refused change, and was not sent, stands on what that stood on.
DROP VIEW IF EXISTS "_hand_on";
CREATE VIEW "_hand_on" AS SELECT NULL AS "id" WHERE 0;
DROP TRIGGER IF EXISTS "_hand_on_base";
CREATE TRIGGER "_hand_on_base" INSTEAD OF INSERT ON "_hand_on" BEGIN
  UPDATE "_changes" SET "base" = (
    SELECT json_group_object(own."name", json(coalesce((
      SELECT former."text"
      FROM "_changes" AS refused
      JOIN "_change_columns" AS mine ON mine."id" = refused."id" AND mine."part" = 'value'
        AND mine."name" = own."name"
        -- As values: a number is the same with and without a fraction of zero.
        AND json_extract('[' || mine."text" || ']', '$[0]') IS json_extract('[' || own."text" || ']', '$[0]')
      JOIN "_change_columns" AS former ON former."id" = refused."id" AND former."part" = 'base'
        AND former."name" = own."name"
      WHERE refused."id" = NEW."id"
        AND NOT EXISTS (
          SELECT 1 FROM "_changes" AS middle
          WHERE middle."entity" = refused."entity" AND middle."key" = refused."key"
            AND middle."id" > refused."id" AND middle."id" < "_changes"."id" AND middle."state" <> 'rejected'
            AND (middle."operation" <> 'update' OR EXISTS (
              SELECT 1 FROM json_each(middle."value") AS cell WHERE cell."key" = own."name")))),
      own."text")))
    FROM "_change_columns" AS own WHERE own."id" = "_changes"."id" AND own."part" = 'base')
  WHERE "state" = 'pending' AND "attempts" = 0 AND "id" > NEW."id" AND ("entity", "key") =
    (SELECT "entity", "key" FROM "_changes" WHERE "id" = NEW."id");
END;

-- To note a refusal: INSERT INTO "_reject" ("write_id", "error") VALUES (…). The changes that stand on
-- the refused one go with it: those of its transaction, the later ones of a row that it would have made
-- or made room for, and those that name that row. A later change that has seen what it set takes over its
-- base, but not one that was tried: the server may have that as it is.
DROP VIEW IF EXISTS "_reject";
CREATE VIEW "_reject" AS SELECT NULL AS "write_id", NULL AS "error" WHERE 0;
DROP TRIGGER IF EXISTS "_reject_write";
CREATE TRIGGER "_reject_write" INSTEAD OF INSERT ON "_reject" BEGIN
  UPDATE "_changes" SET "state" = 'rejected', "error" = CASE "write_id"
      WHEN NEW."write_id" THEN NEW."error"
      ELSE json_object('code', 'dependency_rejected',
        'message', 'the write that this one builds on was refused', 'write_id', NEW."write_id") END
  WHERE "state" IN ('pending', 'sending') AND "id" IN (
    WITH RECURSIVE refused("id", "entity", "key", "operation", "transaction_id") AS (
      SELECT "id", "entity", "key", "operation", "transaction_id"
      FROM "_changes" WHERE "write_id" = NEW."write_id"
      UNION
      SELECT change."id", change."entity", change."key", change."operation", change."transaction_id"
      FROM refused JOIN "_changes" AS change ON
        change."transaction_id" = refused."transaction_id"
        OR change."id" > refused."id" AND (
          change."entity" = refused."entity" AND change."key" = refused."key"
            AND (refused."operation" = 'insert'
              OR refused."operation" = 'delete' AND change."operation" = 'insert')
          OR refused."operation" = 'insert' AND EXISTS (
            SELECT 1 FROM "_references" AS reference, json_each(change."value") AS cell
            WHERE reference."entity" = change."entity" AND reference."target" = refused."entity"
              AND cell."key" = reference."field" AND CAST(cell."value" AS TEXT) = refused."key")))
    SELECT "id" FROM refused);
  INSERT INTO "_hand_on" ("id") SELECT "id" FROM "_changes"
  WHERE "state" = 'rejected' AND "operation" = 'update' AND NEW."write_id" IN ("write_id", "error" ->> 'write_id')
  -- Of refused ones on top of each other the newest hands on the value of the one before it.
  ORDER BY "id" DESC;
END;
