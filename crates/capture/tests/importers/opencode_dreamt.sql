INSERT INTO session_message VALUES ('n8', 's2', 'dream', 8, 1767000009500, 1767000009500, '{"time":{"created":1767000009500},"of":"tomorrow"}');
UPDATE session_message SET time_updated = 1767000009600, data = '{"time":{"created":1767000008000},"text":"told anew"}' WHERE id = 'n6';
