CREATE TABLE server (
  id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  name         TEXT    NOT NULL,
  retention_ms INTEGER NOT NULL,
  idle_ms      INTEGER NOT NULL
) STRICT;
