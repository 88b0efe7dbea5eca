-- format 1
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
