ALTER TABLE outbox ADD COLUMN first_ordinal INTEGER;
