-- format 13
CREATE TABLE identity (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    replica TEXT NOT NULL,
    actor TEXT NOT NULL,
    clock INTEGER NOT NULL,
    offered INTEGER NOT NULL,
    host TEXT,
    tenant TEXT,
    user_id TEXT,
    tenant_file TEXT NOT NULL
) STRICT;
CREATE TABLE outbox (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    clock INTEGER NOT NULL,
    payload TEXT,
    payload_hash BLOB NOT NULL,
    written_at TEXT NOT NULL,
    acknowledged_seq INTEGER,
    heal_seq INTEGER,
    heal_mark BLOB
, first_ordinal INTEGER, first_clock INTEGER) STRICT;
CREATE TABLE sqlite_sequence(name,seq);
CREATE UNIQUE INDEX outbox_key ON outbox (resource_id, actor, clock, scope);
CREATE INDEX outbox_pending ON outbox (ordinal) WHERE acknowledged_seq IS NULL;
CREATE INDEX outbox_acknowledged ON outbox (acknowledged_seq) WHERE acknowledged_seq IS NOT NULL;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    clock INTEGER NOT NULL,
    payload TEXT,
    payload_hash BLOB NOT NULL,
    written_at TEXT NOT NULL,
    refused_at TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL
, details TEXT, first_clock INTEGER) STRICT;
CREATE TABLE refolds_due (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    resource_id TEXT NOT NULL
) STRICT;
CREATE TABLE leftover_files (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE TABLE sync_notes (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    head_heard INTEGER,
    last_sync_at TEXT,
    last_error_code TEXT,
    last_error TEXT,
    last_error_at TEXT
, sight TEXT, cut_at TEXT, cut_ops INTEGER, healed_ops INTEGER NOT NULL DEFAULT 0, foreign_epoch TEXT, joined_epoch TEXT, compared_epoch TEXT, compared_seq INTEGER, cut_scope TEXT, cut_resource_id TEXT, cut_actor TEXT, cut_clock INTEGER, cut_hash BLOB) STRICT;
CREATE TABLE list_steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stack TEXT NOT NULL CHECK (stack IN ('undo', 'redo')),
    done_at TEXT NOT NULL,
    change TEXT NOT NULL,
    back TEXT NOT NULL
) STRICT;
CREATE TABLE compaction (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    tenant_file TEXT NOT NULL,
    floor INTEGER NOT NULL,
    reached INTEGER NOT NULL
) STRICT;
CREATE TABLE import_files (
    path TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    mark TEXT NOT NULL,
    memory TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE import_units (
    key BLOB PRIMARY KEY,
    note BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox_touches (
    ordinal INTEGER NOT NULL,
    scope TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    PRIMARY KEY (resource_id, scope, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_touches_ordinal ON outbox_touches (ordinal);
CREATE TABLE lost_edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor TEXT NOT NULL,
    clock INTEGER NOT NULL,
    edit TEXT NOT NULL
) STRICT;
