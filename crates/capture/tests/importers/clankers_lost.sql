PRAGMA foreign_keys = OFF;
DELETE FROM sessions WHERE id = 'claude-1';
UPDATE messages SET session_id = 'lost' WHERE id = 'msg_1';
