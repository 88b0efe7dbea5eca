UPDATE session_message SET data = '!' || data, time_updated = time_updated + 1;
