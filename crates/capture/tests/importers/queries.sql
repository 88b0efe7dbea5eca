-- figures
SELECT native_id, message_count, prompt_count, tool_call_count, tool_error_count, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens FROM sessions WHERE deleted_at IS NULL;
-- sessions
SELECT native_id, title, project_path, git_branch, model, started_at || '', ended_at || '' FROM sessions ORDER BY 1;
-- messages
SELECT session_id, message_id, role, kind, at || '', model FROM session_messages ORDER BY session_id, position, message_id;
-- tools
SELECT session_id, tool_id, name, success || '', duration_ms || '', files FROM session_tools ORDER BY session_id, position, tool_id;
-- parts
SELECT session_id, owner_id, part_id, kind, text FROM session_parts WHERE owner <> 'session' ORDER BY session_id, owner, owner_id, position, part_id;
-- told
SELECT owner, kind, text FROM session_parts WHERE owner <> 'session' AND kind NOT IN ('title') ORDER BY position, owner;
-- calls
SELECT name, success || '', duration_ms || '', files FROM session_tools;
-- about
SELECT agent, title, project_path, project_name, git_branch, model, agent_version FROM sessions;
-- kept
SELECT count(*) || '' FROM session_messages JOIN sessions USING (session_id) WHERE native_id = 'fork';
-- tree
SELECT child.native_id, child.parent_kind, parent.native_id, tool.tool_id, tool.duration_ms || '' FROM sessions child JOIN sessions parent ON parent.session_id = child.parent_session JOIN session_tools tool ON tool.child_session = child.session_id;
-- in_order
SELECT native_id || '|' || id FROM (SELECT session_id, position, message_id AS id FROM session_messages UNION ALL SELECT session_id, position, tool_id FROM session_tools) JOIN sessions USING (session_id) ORDER BY native_id, position;
-- titles
SELECT title FROM sessions;
-- compactions
SELECT trigger, tokens_before || '' FROM session_compactions;
-- errors
SELECT kind, message FROM session_errors;
-- referred
SELECT kind, media_type, reference FROM session_parts WHERE reference IS NOT NULL ORDER BY position, part_id;
-- continued
SELECT part_id FROM session_parts WHERE continues = 1;
-- raw
SELECT text FROM session_parts WHERE kind = 'raw';
-- titled
SELECT agent, native_id, title, project_path, git_branch, model FROM sessions ORDER BY native_id;
-- said
SELECT role, session_parts.kind, text FROM session_parts JOIN session_messages ON message_id = owner_id AND session_messages.session_id = session_parts.session_id WHERE owner = 'message' ORDER BY session_parts.position;
-- counted_texts
SELECT text FROM session_parts AS p JOIN session_messages AS m ON m.message_id = p.owner_id AND m.session_id = p.session_id WHERE p.owner = 'message' AND m.counted ORDER BY p.position, p.part_id, length(m.message_id), m.message_id;
-- used_files
SELECT name, success || '', files FROM session_tools ORDER BY position;
-- costs
SELECT cost_nanos || '' FROM session_usage;
-- forked
SELECT child.native_id, child.parent_kind, parent.native_id FROM sessions child JOIN sessions parent ON parent.session_id = child.parent_session;
-- answered
SELECT m.role, u.input_tokens || '|' || u.output_tokens FROM session_messages AS m JOIN session_usage AS u ON u.session_id = m.session_id AND u.usage_id = coalesce(m.response_id, m.message_id) AND u.message_id = m.message_id ORDER BY m.position;
-- spent
SELECT session_id, usage_id, input_tokens || '|' || output_tokens || '|' || cache_read_tokens || '|' || copied FROM session_usage ORDER BY 1, 2;
-- lose_notes
DELETE FROM import_files; DELETE FROM import_units;
-- age_marks
UPDATE import_files SET mark = json_remove(mark, '$.reader');
-- forget_places
UPDATE import_files SET mark = json_remove(mark, '$.up_to');
-- note_otherwise
UPDATE import_units SET note = CAST(?1 AS BLOB) WHERE note = CAST(?2 AS BLOB);
-- spoil_notes
UPDATE import_units SET note = x'7b';
-- trees
SELECT native_id, parent_session, parent_kind FROM sessions ORDER BY 1, 2;
-- agents
SELECT agent, native_id, (SELECT text FROM session_parts AS p WHERE p.session_id = s.session_id AND p.owner = 'message'), message_count || '' FROM sessions AS s ORDER BY 1;
-- remembered
SELECT group_concat(memory) FROM import_files;
-- taken_back
SELECT message_id FROM session_messages WHERE rewound ORDER BY position;
-- given
SELECT name, (SELECT text FROM session_parts AS p WHERE p.session_id = t.session_id AND p.owner_id = t.tool_id AND p.kind = 'tool_output') FROM session_tools AS t ORDER BY position;
-- references
SELECT coalesce(media_type, ''), reference FROM session_parts WHERE reference IS NOT NULL ORDER BY position;
