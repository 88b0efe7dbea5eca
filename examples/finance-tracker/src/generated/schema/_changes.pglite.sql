-- The queue of writes that this database has made and its server has not yet shown.
--
-- Run this file first, then that of each entity. The applications write to the entities' views; a write
-- becomes a change here, and what is shown on top of the synced rows follows from the changes alone.
-- Of a row at most one change is unsent at a time, but for a row that was changed and deleted, or deleted
-- and made again, for writes of transactions that hold several, and for one that is offered again.

CREATE TABLE IF NOT EXISTS "_changes" (
  -- The order in which changes were made, and are sent.
  "id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The name of the write on every machine: sent with it, stored by the server with its outcome.
  "write_id" text NOT NULL UNIQUE DEFAULT (gen_random_uuid()::text),
  "entity" text NOT NULL,
  -- The row's key, as text.
  "key" text NOT NULL,
  "operation" text NOT NULL CHECK ("operation" IN ('insert', 'update', 'delete')),
  -- An object of the columns that the write sets, nulls among them.
  "value" jsonb NOT NULL DEFAULT '{}',
  -- An object of what the writer saw in those columns.
  "base" jsonb NOT NULL DEFAULT '{}',
  "mode" text NOT NULL CHECK ("mode" IN ('optimistic', 'confirmed')),
  -- Changes of one transaction are sent, accepted and refused together.
  "transaction_id" text DEFAULT (pg_current_xact_id()::text),
  "state" text NOT NULL DEFAULT 'pending'
    CHECK ("state" IN ('pending', 'sending', 'acknowledged', 'rejected')),
  -- The place in the server's log at which it was accepted; null where a server has no such places.
  "seq" bigint,
  -- The transaction in which it was accepted, as the server's shapes name it.
  "txid" bigint,
  "attempts" integer NOT NULL DEFAULT 0,
  -- An object: why the server refused it.
  "error" jsonb,
  "created_at" text NOT NULL
    DEFAULT (to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
);
CREATE INDEX IF NOT EXISTS "_changes_by_row" ON "_changes" ("entity", "key", "id");
CREATE INDEX IF NOT EXISTS "_changes_by_state" ON "_changes" ("state", "id");
CREATE INDEX IF NOT EXISTS "_changes_by_transaction" ON "_changes" ("transaction_id");

-- Accepted changes whose rows have come, while others of their transaction have not: a server that turns out to
-- have lost these has lost all of them, and is sent all of them again.
CREATE TABLE IF NOT EXISTS "_let_go" (LIKE "_changes");

-- What became of writes that are no longer among the changes, for whoever waits for one; kept for a while.
CREATE TABLE IF NOT EXISTS "_outcomes" (
  "id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "write_id" text NOT NULL UNIQUE,
  -- The write that has taken it in.
  "joined" text,
  -- An object: why it was refused. Null: it was accepted, or there was nothing left to send of it.
  "error" jsonb
);

-- How far each entity's rows have been read from the server.
CREATE TABLE IF NOT EXISTS "_shapes" (
  "entity" text PRIMARY KEY,
  "handle" text,
  "offset" text,
  -- The place in the server's log up to which the synced rows are whole.
  "seq" bigint NOT NULL DEFAULT 0,
  "read_at" text
);

-- The server's transactions that came with rows while writes were on their way; the last of them are kept.
CREATE TABLE IF NOT EXISTS "_txids" (
  "id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "entity" text NOT NULL,
  "txid" bigint NOT NULL
);

-- The rows whose shown state may have changed, in the order of the changes; kept for a while.
CREATE TABLE IF NOT EXISTS "_touched" (
  "id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "entity" text NOT NULL,
  "key" text NOT NULL
);
CREATE OR REPLACE FUNCTION "_touched_notify"() RETURNS trigger LANGUAGE plpgsql AS $notify$
BEGIN
  NOTIFY "_touched";
  RETURN NULL;
END
$notify$;
DROP TRIGGER IF EXISTS "_touched_notify" ON "_touched";
CREATE TRIGGER "_touched_notify" AFTER INSERT ON "_touched"
FOR EACH STATEMENT EXECUTE FUNCTION "_touched_notify"();
DROP TRIGGER IF EXISTS "_changes_notify" ON "_changes";
CREATE TRIGGER "_changes_notify" AFTER UPDATE OF "state" ON "_changes"
FOR EACH STATEMENT EXECUTE FUNCTION "_touched_notify"();

-- Which fields hold the keys of which entities: each entity says so anew.
CREATE TABLE IF NOT EXISTS "_references" (
  "entity" text NOT NULL,
  "field" text NOT NULL,
  "target" text NOT NULL,
  PRIMARY KEY ("entity", "field")
);
DELETE FROM "_references";

-- Which fields hold what no other row of the entity may hold, or a part of it.
CREATE TABLE IF NOT EXISTS "_unique" (
  "entity" text NOT NULL,
  "field" text NOT NULL,
  PRIMARY KEY ("entity", "field")
);
DELETE FROM "_unique";

-- An update joins the unsent insert or update before it; of a value that is back at its base nothing
-- stays. An insert and its delete are nothing. An update stays before a delete: what was typed must not go
-- with a delete that is refused. It runs at the end of the transaction, when it is known which changes
-- belong together.
CREATE OR REPLACE FUNCTION "_changes_join"() RETURNS trigger LANGUAGE plpgsql AS $join$
DECLARE
  _later "_changes";
  _earlier "_changes";
  _value jsonb;
  _base jsonb;
BEGIN
  SELECT * INTO _later FROM "_changes" WHERE "id" = NEW."id" AND "state" = 'pending';
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT * INTO _earlier FROM "_changes"
  WHERE "entity" = _later."entity" AND "key" = _later."key" AND "id" < _later."id" AND "state" <> 'rejected'
  ORDER BY "id" DESC LIMIT 1;
  -- One that was tried is pending again where somebody offers it anew: the server may have it as it is.
  IF NOT FOUND OR _earlier."state" <> 'pending' OR _earlier."attempts" > 0
    OR _earlier."operation" = 'delete' OR _later."operation" = 'insert'
    OR _earlier."operation" = 'update' AND _later."operation" = 'delete'
    OR _earlier."transaction_id" IS DISTINCT FROM _later."transaction_id" AND EXISTS (
      SELECT 1 FROM "_changes"
      WHERE "transaction_id" = _earlier."transaction_id" AND "id" <> _earlier."id"
        OR "transaction_id" = _later."transaction_id" AND "id" <> _later."id")
    -- A value that is one row's alone must not leave before another row's change, which may be what makes it free.
    OR EXISTS (
      SELECT 1 FROM "_unique" AS own JOIN "_changes" AS other ON other."entity" = own."entity"
      WHERE own."entity" = _later."entity" AND _later."value" ? own."field"
        AND other."key" <> _later."key" AND other."id" > _earlier."id"
        AND other."id" < _later."id" AND other."state" <> 'acknowledged')
    -- What names a row that was made since must not leave before it.
    OR EXISTS (
      SELECT 1 FROM "_references" AS reference JOIN "_changes" AS made
        ON made."entity" = reference."target" AND made."key" = _later."value" ->> reference."field"
      WHERE reference."entity" = _later."entity"
        AND made."operation" = 'insert' AND made."state" <> 'acknowledged' AND made."id" > _earlier."id")
  THEN
    RETURN NULL;
  END IF;
  IF _later."operation" = 'delete' THEN
    DELETE FROM "_changes" WHERE "id" IN (_earlier."id", _later."id");
    INSERT INTO "_outcomes" ("write_id") VALUES (_later."write_id");
    RETURN NULL;
  END IF;
  _value := _earlier."value" || _later."value";
  _base := _later."base" || _earlier."base";
  DELETE FROM "_changes" WHERE "id" = _later."id";
  INSERT INTO "_outcomes" ("write_id", "joined") VALUES (_later."write_id", _earlier."write_id");
  IF _earlier."operation" = 'insert' THEN
    UPDATE "_changes" SET "value" = _value WHERE "id" = _earlier."id";
    RETURN NULL;
  END IF;
  SELECT coalesce(jsonb_object_agg("key", "value"), '{}') INTO _value
  FROM jsonb_each(_value) WHERE "value" IS DISTINCT FROM _base -> "key";
  SELECT coalesce(jsonb_object_agg("key", "value"), '{}') INTO _base
  FROM jsonb_each(_base) WHERE _value ? "key";
  IF _value = '{}' THEN
    DELETE FROM "_changes" WHERE "id" = _earlier."id";
    UPDATE "_outcomes" SET "joined" = NULL WHERE "write_id" = _later."write_id";
  ELSE
    UPDATE "_changes" SET "value" = _value, "base" = _base WHERE "id" = _earlier."id";
  END IF;
  RETURN NULL;
END
$join$;
DROP TRIGGER IF EXISTS "_changes_join" ON "_changes";
CREATE CONSTRAINT TRIGGER "_changes_join" AFTER INSERT ON "_changes"
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "_changes_join"();

-- A server takes no more as one. The last of a transaction counts what the joins have left of it: by its name this
-- comes after the join of the same change, and nobody else writes meanwhile.
CREATE OR REPLACE FUNCTION "_changes_limit"() RETURNS trigger LANGUAGE plpgsql AS $limit$
DECLARE
  _count bigint;
BEGIN
  IF EXISTS (SELECT 1 FROM "_changes" WHERE "id" > NEW."id") THEN RETURN NULL; END IF;
  SELECT count(*) INTO _count FROM "_changes" WHERE "transaction_id" = NEW."transaction_id";
  IF _count > 1000 THEN
    RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded',
      MESSAGE = format('%s writes are too many to be one: change at most 1000 rows in a transaction', _count);
  END IF;
  RETURN NULL;
END
$limit$;
DROP TRIGGER IF EXISTS "_changes_limit" ON "_changes";
CREATE CONSTRAINT TRIGGER "_changes_limit" AFTER INSERT ON "_changes"
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "_changes_limit"();

-- A change that has its answer leaves it behind.
CREATE OR REPLACE FUNCTION "_changes_ended"() RETURNS trigger LANGUAGE plpgsql AS $ended$
BEGIN
  INSERT INTO "_outcomes" ("write_id", "error") VALUES (OLD."write_id", OLD."error")
  ON CONFLICT ("write_id") DO UPDATE SET "joined" = NULL, "error" = excluded."error";
  RETURN NULL;
END
$ended$;
DROP TRIGGER IF EXISTS "_changes_ended" ON "_changes";
CREATE TRIGGER "_changes_ended" AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."state" IN ('acknowledged', 'rejected')) EXECUTE FUNCTION "_changes_ended"();

-- The shown changes of a row, folded in their order.
CREATE OR REPLACE FUNCTION "_overlay"(
  _entity text, _key text,
  OUT "value" jsonb, OUT "is_new" boolean, OUT "is_deleted" boolean, OUT "write_id" text
) LANGUAGE plpgsql AS $overlay$
DECLARE
  _change "_changes";
BEGIN
  "value" := '{}';
  "is_new" := false;
  "is_deleted" := false;
  FOR _change IN
    SELECT * FROM "_changes" AS change
    WHERE change."entity" = _entity AND change."key" = _key AND (
      change."state" = 'acknowledged' OR change."mode" = 'optimistic' AND change."state" <> 'rejected')
    ORDER BY change."id"
  LOOP
    "write_id" := _change."write_id";
    IF _change."operation" = 'delete' THEN
      "value" := '{}';
      "is_new" := false;
      "is_deleted" := true;
    ELSIF _change."operation" = 'insert' THEN
      "value" := _change."value";
      "is_new" := true;
    ELSE
      "value" := "value" || _change."value";
    END IF;
  END LOOP;
END
$overlay$;

-- Accepted writes are let go when the synced rows have reached their place in the log.
CREATE OR REPLACE FUNCTION "_shapes_read"() RETURNS trigger LANGUAGE plpgsql AS $read$
BEGIN
  DELETE FROM "_changes"
  WHERE "state" = 'acknowledged' AND "entity" = NEW."entity" AND "seq" <= NEW."seq";
  RETURN NULL;
END
$read$;
DROP TRIGGER IF EXISTS "_shapes_read" ON "_shapes";
CREATE TRIGGER "_shapes_read" AFTER UPDATE OF "seq" ON "_shapes"
FOR EACH ROW EXECUTE FUNCTION "_shapes_read"();

-- What is let go of a transaction is kept aside until all of it is, and goes with the rest where that is offered again.
CREATE OR REPLACE FUNCTION "_changes_let_go"() RETURNS trigger LANGUAGE plpgsql AS $let_go$
BEGIN
  IF EXISTS (SELECT 1 FROM "_changes" WHERE "transaction_id" = OLD."transaction_id" AND "state" = 'acknowledged') THEN
    INSERT INTO "_let_go" SELECT OLD.*;
  ELSE
    DELETE FROM "_let_go" WHERE "transaction_id" = OLD."transaction_id";
  END IF;
  RETURN NULL;
END
$let_go$;
DROP TRIGGER IF EXISTS "_changes_let_go" ON "_changes";
CREATE TRIGGER "_changes_let_go" AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."state" = 'acknowledged' AND OLD."seq" IS NOT NULL) EXECUTE FUNCTION "_changes_let_go"();
CREATE OR REPLACE FUNCTION "_changes_offered"() RETURNS trigger LANGUAGE plpgsql AS $offered$
BEGIN
  WITH rest AS (DELETE FROM "_let_go" WHERE "transaction_id" = NEW."transaction_id" RETURNING *)
  INSERT INTO "_changes" (
    "id", "write_id", "entity", "key", "operation", "value", "base", "mode", "transaction_id", "attempts", "created_at")
  OVERRIDING SYSTEM VALUE
  SELECT "id", "write_id", "entity", "key", "operation", "value", "base", "mode", "transaction_id", "attempts", "created_at"
  FROM rest;
  RETURN NULL;
END
$offered$;
DROP TRIGGER IF EXISTS "_changes_offered" ON "_changes";
CREATE TRIGGER "_changes_offered" AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (OLD."state" = 'acknowledged' AND NEW."state" = 'pending') EXECUTE FUNCTION "_changes_offered"();

-- Where no place in a log tells, the rows may have come before the answer.
-- Its name was that of a trigger of an entity called `changes`.
DROP TRIGGER IF EXISTS "_changes_told" ON "_changes";
CREATE OR REPLACE FUNCTION "_changes_answered"() RETURNS trigger LANGUAGE plpgsql AS $told$
BEGIN
  DELETE FROM "_changes" WHERE "entity" = NEW."entity" AND "key" = NEW."key" AND "id" <= NEW."id"
    AND "state" = 'acknowledged' AND "seq" IS NULL
    AND EXISTS (SELECT 1 FROM "_txids" WHERE "entity" = NEW."entity" AND "txid" = NEW."txid");
  RETURN NULL;
END
$told$;
DROP TRIGGER IF EXISTS "_changes_answered" ON "_changes";
CREATE TRIGGER "_changes_answered" AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."state" = 'acknowledged' AND NEW."seq" IS NULL) EXECUTE FUNCTION "_changes_answered"();

-- To note a refusal: INSERT INTO "_reject" ("write_id", "error") VALUES (…). The changes that stand on
-- the refused one go with it: those of its transaction, the later ones of a row that it would have made
-- or made room for, and those that name that row. A later change that has seen what it set takes over its
-- base, but not one that was tried: the server may have that as it is.
CREATE OR REPLACE VIEW "_reject" AS SELECT NULL::text AS "write_id", NULL::jsonb AS "error" WHERE false;
CREATE OR REPLACE FUNCTION "_reject_write"() RETURNS trigger LANGUAGE plpgsql AS $reject$
DECLARE
  ended "_changes"%ROWTYPE;
BEGIN
  WITH RECURSIVE refused AS (
    SELECT "id", "entity", "key", "operation", "transaction_id" FROM "_changes" WHERE "write_id" = NEW."write_id"
    UNION
    SELECT change."id", change."entity", change."key", change."operation", change."transaction_id"
    FROM refused JOIN "_changes" AS change ON
      change."transaction_id" = refused."transaction_id"
      OR change."id" > refused."id" AND (
        change."entity" = refused."entity" AND change."key" = refused."key"
          AND (refused."operation" = 'insert'
            OR refused."operation" = 'delete' AND change."operation" = 'insert')
        OR refused."operation" = 'insert' AND EXISTS (
          SELECT 1 FROM "_references" AS reference
          WHERE reference."entity" = change."entity" AND reference."target" = refused."entity"
            AND change."value" ->> reference."field" = refused."key")))
  UPDATE "_changes" SET "state" = 'rejected', "error" = CASE "write_id"
      WHEN NEW."write_id" THEN NEW."error"
      ELSE jsonb_build_object('code', 'dependency_rejected',
        'message', 'the write that this one builds on was refused', 'write_id', NEW."write_id") END
  WHERE "state" IN ('pending', 'sending') AND "id" IN (SELECT "id" FROM refused);
  -- Of refused ones on top of each other the newest hands on the value of the one before it.
  FOR ended IN SELECT * FROM "_changes"
    WHERE "state" = 'rejected' AND "operation" = 'update' AND NEW."write_id" IN ("write_id", "error" ->> 'write_id')
    ORDER BY "id" DESC
  LOOP
    UPDATE "_changes" AS later SET "base" = later."base" || (
      SELECT coalesce(jsonb_object_agg(cell."key", ended."base" -> cell."key"), '{}')
      FROM jsonb_each(ended."value") AS cell
      WHERE later."base" -> cell."key" = cell."value"
        AND NOT EXISTS (
          SELECT 1 FROM "_changes" AS middle
          WHERE middle."entity" = later."entity" AND middle."key" = later."key"
            AND middle."id" > ended."id" AND middle."id" < later."id" AND middle."state" <> 'rejected'
            AND (middle."operation" <> 'update' OR middle."value" ? cell."key")))
    WHERE "state" = 'pending' AND "attempts" = 0
      AND later."entity" = ended."entity" AND later."key" = ended."key" AND later."id" > ended."id";
  END LOOP;
  RETURN NEW;
END
$reject$;
DROP TRIGGER IF EXISTS "_reject_write" ON "_reject";
CREATE TRIGGER "_reject_write" INSTEAD OF INSERT ON "_reject"
FOR EACH ROW EXECUTE FUNCTION "_reject_write"();
