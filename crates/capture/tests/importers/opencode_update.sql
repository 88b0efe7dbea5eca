UPDATE part SET data = replace(data, 'one', 'new'), time_updated = time_updated + 1 WHERE id = 'p-s1b';
