-- format 4
CREATE TABLE tokens (
  id           TEXT    NOT NULL PRIMARY KEY,
  hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
  tenant       TEXT    NOT NULL,
  user         TEXT    NOT NULL,
  rights       TEXT    NOT NULL CHECK (rights IN ('read', 'sync', 'admin')),
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX tokens_by_tenant ON tokens (tenant, created_at, id);

CREATE TABLE tenants (
  tenant     TEXT    NOT NULL PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
  id           TEXT    NOT NULL PRIMARY KEY,
  tenant       TEXT    NOT NULL,
  work         TEXT    NOT NULL CHECK (work IN ('compact', 'expire')),
  retention_ms INTEGER CHECK ((retention_ms IS NOT NULL) = (work = 'compact')),
  idle_ms      INTEGER NOT NULL,
  placed_at    INTEGER NOT NULL,
  taken_at     INTEGER,
  progress     TEXT,
  answer       TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE server (
  id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  name         TEXT    NOT NULL,
  retention_ms INTEGER NOT NULL,
  idle_ms      INTEGER NOT NULL
) STRICT;

CREATE TABLE members (
  tenant     TEXT    NOT NULL,
  user       TEXT    NOT NULL,
  role       TEXT    NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, user)
) STRICT, WITHOUT ROWID;
