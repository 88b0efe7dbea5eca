INSERT INTO tools VALUES ('claude-1-toolu_1', 'claude-1', NULL, 'Bash', '{"command":"ls"}', 'a.rs', NULL, 1, NULL, 4, 1767000009000);
