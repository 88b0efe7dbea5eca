//! Whether a file is whole, for those who look for what is wrong.

use std::path::Path;

use crate::file::{Existence, FileOptions, OpenError, connect};

/// How many problems are told: the first few say what the matter is.
const PROBLEMS_MAX: usize = 10;

/// Reads all of the file at `path`, and gives what is wrong with it; nothing, if it is whole.
pub fn quick_check(path: &Path) -> Result<Vec<String>, OpenError> {
    let connection = connect(path, &FileOptions::default(), Existence::Required)?;
    let check = || {
        let mut statement = connection.prepare(&format!("PRAGMA quick_check({PROBLEMS_MAX})"))?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.collect::<Result<Vec<_>, rusqlite::Error>>()
    };
    let mut problems = check().map_err(|error| OpenError::store(path, error))?;
    problems.retain(|problem| problem != "ok");
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_torn_page_is_not_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        let rows = "CREATE TABLE t (x TEXT); CREATE INDEX i ON t (x); WITH RECURSIVE n (x) AS \
                    (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000) INSERT INTO t SELECT x FROM n;";
        connection.execute_batch(rows).unwrap();
        drop(connection);
        assert_eq!(quick_check(&path).unwrap(), [] as [String; 0]);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..middle + 4096].fill(0);
        std::fs::write(&path, bytes).unwrap();
        assert!(!quick_check(&path).unwrap().is_empty());
    }

    #[test]
    fn a_missing_file_is_not_made() {
        let path = Path::new("/nonexistent/x.db");
        assert!(matches!(quick_check(path), Err(OpenError::Missing { .. })));
    }
}
