ALTER TABLE sync_notes ADD COLUMN cut_at TEXT;
ALTER TABLE sync_notes ADD COLUMN cut_ops INTEGER;
