CREATE TABLE session (id TEXT PRIMARY KEY, project_id TEXT, parent_id TEXT, directory TEXT, title TEXT, version TEXT, time_created INTEGER, time_updated INTEGER);
CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, data TEXT);
CREATE TABLE part (id TEXT PRIMARY KEY, message_id TEXT, session_id TEXT, data TEXT);
INSERT INTO session VALUES ('s1', 'p1', NULL, '/w/app', 'Fix', '1.1', 1767000000000, 1767000005000);
CREATE TRIGGER whole AFTER INSERT ON part BEGIN UPDATE part SET session_id = 's1', message_id = new.session_id WHERE id = new.id; END;
