CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);
CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);
CREATE TABLE composerHeaders (composerId TEXT PRIMARY KEY, workspaceId TEXT, createdAt INTEGER, lastUpdatedAt INTEGER, isArchived INTEGER, isSubagent INTEGER, recency INTEGER, value TEXT);
INSERT INTO composerHeaders VALUES
('c1', 'w1', 1790000000000, 1790000060000, 0, 0, 0, '{"type":"head","composerId":"c1","workspaceIdentifier":{"id":"w1","uri":{"$mid":1,"fsPath":"/w/app","path":"/w/app","scheme":"file"}}}'),
('task-1', 'w1', 1790000010000, 1790000020000, 0, 1, 0, '{"type":"head","composerId":"task-1","workspaceIdentifier":{"id":"w1","uri":{"$mid":1,"fsPath":"/w/app","path":"/w/app","scheme":"file"}},"subagentInfo":{"parentComposerId":"c1","subagentTypeName":"explore","toolCallId":"call_2"}}');
INSERT INTO cursorDiskKV VALUES
('composerData:c1', '{"_v":16,"composerId":"c1","name":"Mend the build","createdAt":1790000000000,"lastUpdatedAt":1790000060000,"status":"completed","unifiedMode":"agent","modelConfig":{"modelName":"gpt-x","maxMode":false},"fullConversationHeadersOnly":[{"bubbleId":"u1","type":1,"createdAt":"2026-09-21T14:13:20.000Z"},{"bubbleId":"a1","type":2,"createdAt":"2026-09-21T14:13:21.000Z","grouping":{"hasThinking":true}},{"bubbleId":"a2","type":2,"createdAt":"2026-09-21T14:13:22.000Z","grouping":{"toolCallId":"call_1"}},{"bubbleId":"a3","type":2,"createdAt":"2026-09-21T14:13:23.000Z"},{"bubbleId":"a4","type":2,"createdAt":"2026-09-21T14:13:24.000Z"},{"bubbleId":"shown","type":2,"createdAt":"2026-09-21T14:13:25.000Z"}]}'),
('composerData:task-1', '{"_v":16,"composerId":"task-1","createdAt":1790000010000,"subagentInfo":{"parentComposerId":"c1","subagentTypeName":"explore","toolCallId":"call_2"},"fullConversationHeadersOnly":[{"bubbleId":"t1","type":1,"createdAt":"2026-09-21T14:13:30.000Z"}]}'),
('bubbleId:c1:u1', '{"_v":3,"type":1,"bubbleId":"u1","text":"mend it","tokenCount":{"inputTokens":0,"outputTokens":0}}'),
('bubbleId:c1:a1', '{"_v":3,"type":2,"bubbleId":"a1","capabilityType":30,"text":"","thinking":"it may be the lock file","thinkingDurationMs":700}'),
('bubbleId:c1:a2', '{"_v":3,"type":2,"bubbleId":"a2","capabilityType":15,"text":"","toolFormerData":{"tool":15,"toolCallId":"call_1","name":"run_terminal_command_v2","status":"completed","rawArgs":"{\"command\":\"cargo build\"}","result":"{\"output\":\"no such crate\",\"exitCode\":101}","additionalData":{"status":"error"}}}'),
('bubbleId:c1:a3', '{"_v":3,"type":2,"bubbleId":"a3","capabilityType":15,"text":"","toolFormerData":{"tool":38,"toolCallId":"call_2","name":"edit_file_v2","status":"error","params":"{\"relativeWorkspacePath\":\"Cargo.toml\"}","error":"{\"clientVisibleErrorMessage\":\"the file is locked\",\"modelVisibleErrorMessage\":\"locked\"}"}}'),
('bubbleId:c1:a4', NULL),
('bubbleId:c1:shown', '{"_v":3,"type":2,"bubbleId":"shown","text":"Try our new model","isDisplayOnly":true,"turnDurationMs":5000}'),
('bubbleId:task-1:t1', '{"_v":3,"type":1,"bubbleId":"t1","text":"look around"}');
