UPDATE session_message SET data = substr(data, 2), time_updated = time_updated + 1;
