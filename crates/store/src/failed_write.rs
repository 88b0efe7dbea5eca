//! Whether a failure is that of a write, whoever tells it.

use std::error::Error;
use std::io;

use rusqlite::ffi;

/// Whether what is below `error` is that the system took no more bytes for a file, and named no full disk.
pub fn is_refused_write(error: &(dyn Error + 'static)) -> bool {
    is_below(error, &|error| match error.downcast_ref() {
        Some(error) => extended_code(error).is_some_and(|code| {
            code == ffi::SQLITE_IOERR_WRITE || code == ffi::SQLITE_IOERR_SHMSIZE
        }),
        None => error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::FileTooLarge),
    })
}

/// Whether what is below `error` is that a file can't be written to, or be opened for that: all that the disk does
/// but fail to read, and no memory is not the disk's.
pub fn is_failed_write(error: &(dyn Error + 'static)) -> bool {
    is_refused_write(error)
        || is_below(error, &|error| {
            let code = error.downcast_ref().and_then(extended_code);
            code.is_some_and(|code| match code {
                ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_NOMEM => {
                    false
                }
                // The lowest byte is what the others are kinds of.
                code => matches!(
                    code & 0xff,
                    ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY
                ),
            })
        })
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|failure| failure.extended_code)
}

fn is_below(error: &(dyn Error + 'static), is: &dyn Fn(&(dyn Error + 'static)) -> bool) -> bool {
    is(error) || error.source().is_some_and(|source| is_below(source, is))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OpenError, StoreError};

    #[test]
    fn what_can_not_be_written_is_told_from_what_can_not_be_read() {
        for (code, is_failed) in [
            (ffi::SQLITE_IOERR_WRITE, true),
            (ffi::SQLITE_IOERR_FSYNC, true),
            (ffi::SQLITE_CANTOPEN, true),
            (ffi::SQLITE_READONLY_DBMOVED, true),
            (ffi::SQLITE_IOERR_READ, false),
            (ffi::SQLITE_IOERR_SHORT_READ, false),
            (ffi::SQLITE_IOERR_NOMEM, false),
            (ffi::SQLITE_CONSTRAINT, false),
        ] {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let error = OpenError::store("x.db".as_ref(), StoreError::from(failure));
            assert_eq!(is_failed_write(&error), is_failed, "{code}");
        }
    }
}
