ALTER TABLE sync_notes ADD COLUMN foreign_epoch TEXT;
ALTER TABLE sync_notes ADD COLUMN joined_epoch TEXT;
