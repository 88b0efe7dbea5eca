ALTER TABLE outbox ADD COLUMN first_clock INTEGER;
ALTER TABLE quarantine ADD COLUMN first_clock INTEGER;
