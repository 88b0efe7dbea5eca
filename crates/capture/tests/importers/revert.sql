ALTER TABLE session ADD COLUMN revert TEXT;
UPDATE session SET revert = '{"messageID":"m3"}';
UPDATE session SET revert = NULL, time_updated = 1767000009000;
