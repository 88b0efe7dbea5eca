INSERT OR REPLACE INTO cursorDiskKV (key, value) VALUES (?, ?)
