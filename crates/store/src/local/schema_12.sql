ALTER TABLE sync_notes ADD COLUMN cut_scope TEXT;
ALTER TABLE sync_notes ADD COLUMN cut_resource_id TEXT;
ALTER TABLE sync_notes ADD COLUMN cut_actor TEXT;
ALTER TABLE sync_notes ADD COLUMN cut_clock INTEGER;
ALTER TABLE sync_notes ADD COLUMN cut_hash BLOB;
