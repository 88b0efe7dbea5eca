INSERT INTO message (id, session_id, data) SELECT ?1 || count(*), 's1', ?2 FROM message
INSERT INTO part (id, message_id, session_id, data) SELECT ?1 || count(*), 'message' || (count(*) % 40), 's1', ?2 FROM part
INSERT INTO session_message (id, session_id, type, seq, data) SELECT 'x' || count(*), 's2', ?1, count(*), ?2 FROM session_message
