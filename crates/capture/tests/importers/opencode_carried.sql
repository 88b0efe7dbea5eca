INSERT INTO message (id, session_id, time_created, data) VALUES ('m1', 's1', 1767000000500, '{"role":"user","time":{"created":1767000000500}}');
INSERT INTO part (id, message_id, session_id, data) VALUES ('p1', 'm1', 's1', '{"type":"text","text":"said before"}');
INSERT INTO session_v2 VALUES ('s1', 'p1', NULL, NULL, NULL, '/w/app', 'Fix', '2.0.12', NULL, 1767000000000, 1767000009000);
INSERT INTO session_message VALUES ('m1', 's1', 'user', 0, 1767000000500, 1767000000500, '{"time":{"created":1767000000500},"text":"said before"}');
INSERT INTO session_message VALUES ('m1a', 's1', 'synthetic', 1, 1767000000500, 1767000000500, '{"time":{"created":1767000000500},"text":"split from it"}');
INSERT INTO session_message VALUES ('m2', 's1', 'user', 2, 1767000009000, 1767000009000, '{"time":{"created":1767000009000},"text":"said after"}');
