CREATE TABLE list_steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stack TEXT NOT NULL CHECK (stack IN ('undo', 'redo')),
    done_at TEXT NOT NULL,
    change TEXT NOT NULL,
    back TEXT NOT NULL
) STRICT;
