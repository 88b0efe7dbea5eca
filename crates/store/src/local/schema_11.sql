ALTER TABLE sync_notes ADD COLUMN compared_epoch TEXT;
ALTER TABLE sync_notes ADD COLUMN compared_seq INTEGER;
