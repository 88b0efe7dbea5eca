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
