CREATE TABLE compaction (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    tenant_file TEXT NOT NULL,
    floor INTEGER NOT NULL,
    reached INTEGER NOT NULL
) STRICT;
INSERT INTO compaction (id, tenant_file, floor, reached) VALUES (1, '', 0, 0);
