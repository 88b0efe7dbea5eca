//! The methods of an open file, each a translation to one of the state's.

use std::ffi::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use rusqlite::ffi;

use super::code;
use crate::lock::Level;
use crate::shared_memory::Sharing;
use crate::state::{Filled, HandleKey, Shared, Trouble};

/// Bytes that SQLite sets aside for an open file.
pub(super) const BYTES: c_int = size_of::<OpenFile>() as c_int;

/// What a write may tear at.
const SECTOR_BYTES: c_int = 512;

/// An open file, in memory that SQLite owns: from `fill` to `close`.
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    shared: ManuallyDrop<Arc<Shared>>,
    handle: HandleKey,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shared_memory_map),
    xShmLock: Some(shared_memory_lock),
    xShmBarrier: Some(shared_memory_barrier),
    xShmUnmap: Some(shared_memory_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Makes `file` the open file `handle`.
///
/// # Safety
/// `file` has room for `BYTES`, and SQLite closes it once.
pub(super) unsafe fn fill(file: *mut ffi::sqlite3_file, shared: Arc<Shared>, handle: HandleKey) {
    let open = OpenFile {
        base: ffi::sqlite3_file {
            pMethods: &raw const METHODS,
        },
        shared: ManuallyDrop::new(shared),
        handle,
    };
    // SAFETY: promised by the caller; SQLite aligns what it allocates to 8 bytes.
    unsafe { file.cast::<OpenFile>().write(open) };
}

/// # Safety
/// `file` was filled and is not closed, as SQLite promises of every file it calls a method of.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> (&'a Shared, HandleKey) {
    // SAFETY: promised by the caller.
    let open = unsafe { &*file.cast::<OpenFile>() };
    (&open.shared, open.handle)
}

/// SQLite's offsets and lengths are never negative.
fn place(number: i64) -> usize {
    usize::try_from(number).expect("SQLite counts bytes from 0")
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes an open file once, and calls nothing on it afterwards.
    unsafe {
        let open = &mut *file.cast::<OpenFile>();
        let shared = ManuallyDrop::take(&mut open.shared);
        shared.lock().close(open.handle);
        (*file).pMethods = ptr::null();
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    out: *mut c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let bytes = place(count.into());
    // SAFETY: the file is open and SQLite gives `count` bytes at `out`, which are set before they are borrowed.
    let ((shared, handle), buffer) = unsafe {
        ptr::write_bytes(out.cast::<u8>(), 0, bytes);
        (
            opened(file),
            slice::from_raw_parts_mut(out.cast::<u8>(), bytes),
        )
    };
    match shared.lock().read(handle, place(offset), buffer) {
        Ok(Filled::Whole) => ffi::SQLITE_OK,
        Ok(Filled::Part) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(trouble) => code(Err(trouble), ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open and SQLite gives `count` bytes at `data`.
    let ((shared, handle), data) = unsafe {
        (
            opened(file),
            slice::from_raw_parts(data.cast::<u8>(), place(count.into())),
        )
    };
    let done = shared.lock().write(handle, place(offset), data);
    code(done, ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, bytes: ffi::sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    let done = shared.lock().truncate(handle, place(bytes));
    code(done, ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    let done = shared.lock().sync(handle);
    code(done, ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    answer: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    let size = shared.lock().size(handle);
    let done = size.map(|bytes| {
        let bytes = i64::try_from(bytes).expect("a file in memory is smaller than 2^63 bytes");
        // SAFETY: SQLite gives a valid place for the answer.
        unsafe { *answer = bytes };
    });
    code(done, ffi::SQLITE_IOERR_FSTAT)
}

fn level(number: c_int) -> Level {
    match number {
        ffi::SQLITE_LOCK_NONE => Level::Unlocked,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        ffi::SQLITE_LOCK_EXCLUSIVE => Level::Exclusive,
        other => unreachable!("SQLite has no lock level {other}"),
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    let done = shared.lock().lock(handle, level(wanted));
    code(done, ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    let done = shared.lock().unlock(handle, level(wanted));
    code(done, ffi::SQLITE_IOERR_UNLOCK)
}

unsafe extern "C" fn check_reserved_lock(
    file: *mut ffi::sqlite3_file,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    let reserved = shared.lock().is_reserved(handle);
    let done = reserved.map(|reserved| {
        // SAFETY: SQLite gives a valid place for the answer.
        unsafe { *answer = c_int::from(reserved) };
    });
    code(done, ffi::SQLITE_IOERR_CHECKRESERVEDLOCK)
}

unsafe extern "C" fn file_control(
    file: *mut ffi::sqlite3_file,
    verb: c_int,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    let mut state = shared.lock();
    let number = argument.cast::<c_int>();
    match verb {
        // SAFETY: the argument of this verb is a place for a number.
        ffi::SQLITE_FCNTL_HAS_MOVED => unsafe { *number = c_int::from(state.has_moved(handle)) },
        // SAFETY: the argument of this verb is a number: negative asks, 0 and 1 set.
        ffi::SQLITE_FCNTL_PERSIST_WAL => match unsafe { *number } {
            0 => state.drop_log(handle),
            1.. => state.keep_log(handle),
            // SAFETY: as above; the answer goes where the question was.
            _ => unsafe { *number = c_int::from(state.keeps_log(handle)) },
        },
        _ => return ffi::SQLITE_NOTFOUND,
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    SECTOR_BYTES
}

/// A write leaves the bytes beside it alone, even when the power goes: what SQLite assumes of any disk today.
unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shared_memory_map(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    let (index, bytes) = (place(index.into()), place(bytes.into()));
    let mut state = shared.lock();
    let region = if extend == 0 {
        state.map(handle, index)
    } else {
        state.map_or_make(handle, index, bytes).map(Some)
    };
    // The handle keeps the region until SQLite unmaps it, so the address stays good even when it is dead.
    let done = region.map(|region| {
        let start = region.map_or(ptr::null_mut(), |region| region.as_ptr().cast_mut().cast());
        // SAFETY: SQLite gives a valid place for the answer.
        unsafe { *out = start };
    });
    code(done, ffi::SQLITE_IOERR_SHMMAP)
}

unsafe extern "C" fn shared_memory_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    let slot = |number: c_int| u32::try_from(number).expect("SQLite counts slots from 0");
    let slots = slot(first)..slot(first + count);
    let mut state = shared.lock();
    let done: Result<(), Trouble> = if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        state.unlock_memory(handle, slots)
    } else if flags & ffi::SQLITE_SHM_SHARED != 0 {
        state.lock_memory(handle, slots, Sharing::Shared)
    } else {
        state.lock_memory(handle, slots, Sharing::Exclusive)
    };
    code(done, ffi::SQLITE_IOERR_SHMLOCK)
}

unsafe extern "C" fn shared_memory_barrier(_: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shared_memory_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: the file is open.
    let (shared, handle) = unsafe { opened(file) };
    shared.lock().unmap(handle);
    ffi::SQLITE_OK
}
