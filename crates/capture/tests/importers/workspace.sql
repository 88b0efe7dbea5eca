CREATE TABLE ItemTable (key TEXT UNIQUE, value BLOB);
INSERT INTO ItemTable VALUES
('composer.composerData', '{"allComposers":[{"composerId":"7f2a"}],"selectedComposerIds":["7f2a"]}');
