INSERT INTO {table} (id, session_id, data) VALUES (?, ?, ?)
