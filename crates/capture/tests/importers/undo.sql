DELETE FROM part WHERE message_id > 'm1';
DELETE FROM message WHERE id > 'm1';
