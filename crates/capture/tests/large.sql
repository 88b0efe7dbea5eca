SELECT text FROM session_parts WHERE owner_id = ?1 ORDER BY position, part_id
