CREATE TABLE ItemTable (key TEXT UNIQUE, value BLOB);
CREATE TABLE cursorDiskKV (key TEXT UNIQUE, value BLOB);
INSERT INTO cursorDiskKV VALUES
('composerData:7f2a', '{"_v":3,"composerId":"7f2a","name":"Fix","createdAt":1767600000000,"status":"completed","modelConfig":{"modelName":"gpt-x"},"createdOnBranch":"main","fullConversationHeadersOnly":[{"bubbleId":"b0","type":1},{"bubbleId":"b1","type":2},{"bubbleId":"gone","type":2}]}'),
('bubbleId:7f2a:b0', '{"_v":3,"type":1,"bubbleId":"b0","text":"fix it"}'),
('bubbleId:7f2a:b1', '{"_v":3,"type":2,"bubbleId":"b1","text":"Fixed.","createdAt":"2026-01-05T12:00:00.000Z","tokenCount":{"inputTokens":2100,"outputTokens":35},"toolFormerData":{"name":"edit_file","rawArgs":"{\"target_file\":\"a.rs\"}","result":"{}","status":"completed"}}'),
('composerData:empty', '{"composerId":"empty","fullConversationHeadersOnly":[]}');
