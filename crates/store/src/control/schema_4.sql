CREATE TABLE members (
  tenant     TEXT    NOT NULL,
  user       TEXT    NOT NULL,
  role       TEXT    NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, user)
) STRICT, WITHOUT ROWID;
