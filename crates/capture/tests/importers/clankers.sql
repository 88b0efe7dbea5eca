CREATE TABLE sessions (id TEXT PRIMARY KEY, title TEXT, project_path TEXT, project_name TEXT, model TEXT, provider TEXT, source TEXT, status TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL, message_count INTEGER, tool_call_count INTEGER, permission_mode TEXT, created_at INTEGER, updated_at INTEGER, ended_at INTEGER);
CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT, role TEXT, text_content TEXT, model TEXT, source TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, duration_ms INTEGER, created_at INTEGER, completed_at INTEGER);
CREATE TABLE tools (id TEXT PRIMARY KEY, session_id TEXT, message_id TEXT, tool_name TEXT, tool_input TEXT, tool_output TEXT, file_path TEXT, success INTEGER, error_message TEXT, duration_ms INTEGER, created_at INTEGER);
INSERT INTO sessions VALUES ('ses_1', 'Fix', '/w/app', 'app', 'gpt-x', 'openai', 'opencode', 'ended', 100, 20, 0, 2, 1, NULL, 1767000000000, 1767000001000, NULL);
INSERT INTO sessions VALUES ('claude-1', 'Untitled Session', '/w/app', 'app', NULL, 'anthropic', 'claude-code', 'ended', 7, 8, 0, 2, 0, NULL, 1767000000000, 1767000001000, NULL);
INSERT INTO messages VALUES ('msg_1', 'ses_1', 'user', 'fix it', NULL, 'opencode', 0, 0, NULL, 1767000000000, NULL);
INSERT INTO messages VALUES ('msg_2', 'ses_1', 'assistant', 'Fixed.', 'gpt-x', 'opencode', 100, 20, 5, 1767000000500, 1767000001000);
INSERT INTO messages VALUES ('claude-1-user-1', 'claude-1', 'user', 'hello', NULL, 'claude-code', 0, 0, NULL, 1767000000000, NULL);
INSERT INTO tools VALUES ('ses_1-bash-k1', 'ses_1', 'msg_2', 'bash', '{"command":"ls"}', 'no', NULL, 0, 'no', 4, 1767000000600);
