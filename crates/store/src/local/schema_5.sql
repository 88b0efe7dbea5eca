CREATE TABLE outbox_touches (
    ordinal INTEGER NOT NULL,
    scope TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    PRIMARY KEY (resource_id, scope, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_touches_ordinal ON outbox_touches (ordinal);
ALTER TABLE quarantine ADD COLUMN details TEXT;
ALTER TABLE sync_notes ADD COLUMN sight TEXT;
