//! The disk as SQLite sees it: a VFS for each process, registered while the process is there.
//!
//! A connection keeps a pointer to its VFS for as long as it is open, which may be longer than the process
//! lives. So the memory of a VFS is never freed: it is handed to a later process once nobody uses it.

mod files;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use crate::state::{HandleKey, Opening, ProcessKey, Shared, Trouble};

/// Bytes of the longest path, its end mark included.
const PATH_BYTES_MAX: c_int = 512;

/// Milliseconds from the Julian epoch, which SQLite counts from, to 1970.
const JULIAN_TO_UNIX_MS: i64 = 210_866_760_000_000;

const MS_PER_DAY: f64 = 86_400_000.0;

static FREE: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());
static SLOTS_MADE: AtomicU64 = AtomicU64::new(0);

/// The process behind a VFS.
#[derive(Clone)]
struct Target {
    shared: Arc<Shared>,
    process: ProcessKey,
}

/// A VFS and whom it stands for at the moment; None: nobody, and every call fails.
struct Slot {
    /// Written once, here. SQLite changes its list link alone, under its own lock.
    vfs: *mut ffi::sqlite3_vfs,
    name: CString,
    target: Mutex<Option<Target>>,
}

// SAFETY: `vfs` is given to SQLite's register and find functions only, which take a lock of their own; the
// other fields are `Sync` by themselves.
unsafe impl Sync for Slot {}
// SAFETY: nothing in a slot belongs to a thread.
unsafe impl Send for Slot {}

impl Slot {
    fn new() -> &'static Self {
        let number = SLOTS_MADE.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("simdisk-{number}")).expect("the name has no zero byte");
        let slot = Box::into_raw(Box::new(Self {
            vfs: ptr::null_mut(),
            name,
            target: Mutex::new(None),
        }));
        // SAFETY: the slot was just leaked: it is valid for ever, and nobody else has it yet.
        unsafe {
            let vfs = vfs_methods((*slot).name.as_ptr(), slot.cast());
            (*slot).vfs = Box::into_raw(Box::new(vfs));
            &*slot
        }
    }

    fn target(&self) -> MutexGuard<'_, Option<Target>> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn free_slots() -> MutexGuard<'static, Vec<&'static Slot>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A registered VFS; dropping it takes the name back.
pub(crate) struct Registration {
    slot: &'static Slot,
}

impl Registration {
    pub(crate) fn new(shared: &Arc<Shared>, process: ProcessKey) -> Self {
        let free = free_slots().pop();
        let slot = free.unwrap_or_else(Slot::new);
        *slot.target() = Some(Target {
            shared: Arc::clone(shared),
            process,
        });
        // SAFETY: the VFS is whole and is never freed.
        let code = unsafe { ffi::sqlite3_vfs_register(slot.vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite refused a VFS");
        Self { slot }
    }

    pub(crate) fn name(&self) -> &str {
        let name = self.slot.name.to_str();
        name.expect("the name was made of ASCII letters")
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: as in `new`; taking a VFS out twice would be allowed too.
        unsafe { ffi::sqlite3_vfs_unregister(self.slot.vfs) };
        let target = self.slot.target().take();
        let in_use = target
            .is_some_and(|Target { shared, process }| shared.lock().open_handles(process) > 0);
        // A connection that is still open would act on the files of the slot's next process.
        if !in_use {
            free_slots().push(self.slot);
        }
    }
}

fn vfs_methods(name: *const c_char, slot: *mut c_void) -> ffi::sqlite3_vfs {
    ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: files::BYTES,
        mxPathname: PATH_BYTES_MAX,
        pNext: ptr::null_mut(),
        zName: name,
        pAppData: slot,
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: Some(library_open),
        xDlError: Some(library_error),
        xDlSym: Some(library_symbol),
        xDlClose: Some(library_close),
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_ms),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

/// Whom `vfs` stands for.
///
/// # Safety
/// `vfs` is a VFS made by [`Slot::new`].
unsafe fn target(vfs: *mut ffi::sqlite3_vfs) -> Option<Target> {
    // SAFETY: `pAppData` is the slot, which is never freed; only its field is read, not the whole VFS.
    let slot = unsafe { &*(*vfs).pAppData.cast::<Slot>() };
    slot.target().clone()
}

/// # Safety
/// `name` is null or ends with a zero byte and outlives the answer.
unsafe fn path<'a>(name: *const c_char) -> Option<&'a str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: promised by the caller.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

/// The result code of `done`, with `failure` for what has no code of its own.
fn code(done: Result<(), Trouble>, failure: c_int) -> c_int {
    match done {
        Ok(()) => ffi::SQLITE_OK,
        Err(Trouble::Full) => ffi::SQLITE_FULL,
        Err(Trouble::Busy) => ffi::SQLITE_BUSY,
        Err(Trouble::Missing | Trouble::Outside | Trouble::Dead | Trouble::Failed) => failure,
    }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room of `szOsFile` bytes. Without methods it will not close what did not open.
    unsafe { (*file).pMethods = ptr::null() };
    // SAFETY: SQLite calls this with the VFS that it was registered in, and a name that outlives the file.
    let (target, path) = unsafe { (target(vfs), path(name)) };
    let Some(Target { shared, process }) = target else {
        return ffi::SQLITE_CANTOPEN;
    };
    if path.is_none() && !name.is_null() {
        return ffi::SQLITE_CANTOPEN;
    }
    let opened = open_file(&shared, process, path, flags);
    let handle = match opened {
        Ok(handle) => handle,
        Err(Trouble::Dead | Trouble::Failed) => return ffi::SQLITE_IOERR,
        Err(Trouble::Full) => return ffi::SQLITE_FULL,
        Err(Trouble::Missing | Trouble::Outside | Trouble::Busy) => return ffi::SQLITE_CANTOPEN,
    };
    // SAFETY: `file` has room for an open file, and `flags_out` is null or valid.
    unsafe {
        files::fill(file, shared, handle);
        if !flags_out.is_null() {
            *flags_out = flags;
        }
    }
    ffi::SQLITE_OK
}

fn open_file(
    shared: &Shared,
    process: ProcessKey,
    path: Option<&str>,
    flags: c_int,
) -> Result<HandleKey, Trouble> {
    let mut state = shared.lock();
    let Some(path) = path else {
        return state.open_temporary(process);
    };
    let has = |flag: c_int| flags & flag != 0;
    let opening = match (
        has(ffi::SQLITE_OPEN_CREATE),
        has(ffi::SQLITE_OPEN_EXCLUSIVE),
    ) {
        (true, true) => Opening::New,
        (true, false) => Opening::ExistingOrNew,
        (false, _) => Opening::Existing,
    };
    let handle = state.open(process, path, opening)?;
    if has(ffi::SQLITE_OPEN_DELETEONCLOSE) {
        state.remove_on_close(handle);
    }
    Ok(handle)
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_directory: c_int,
) -> c_int {
    // SAFETY: SQLite gives its own VFS and a name that ends with a zero byte.
    let (target, path) = unsafe { (target(vfs), path(name)) };
    let (Some(Target { shared, process }), Some(path)) = (target, path) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let mut state = shared.lock();
    let done = if sync_directory == 0 {
        state.remove_file(process, path)
    } else {
        state.remove_file_durably(process, path)
    };
    match done {
        Err(Trouble::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
        other => code(other, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives its own VFS and a name that ends with a zero byte.
    let (target, path) = unsafe { (target(vfs), path(name)) };
    let (Some(Target { shared, process }), Some(path)) = (target, path) else {
        return ffi::SQLITE_IOERR_ACCESS;
    };
    let state = shared.lock();
    let Ok(found) = state.find(process, path) else {
        return ffi::SQLITE_IOERR_ACCESS;
    };
    // SQLite's own VFS does not count an empty file as there: an empty journal is no journal.
    let there = found.is_some_and(|inode| {
        flags != ffi::SQLITE_ACCESS_EXISTS || state.inode(inode).seen().len() > 0
    });
    // SAFETY: SQLite gives a valid place for the answer.
    unsafe { *answer = c_int::from(there) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a name that ends with a zero byte, and `room` bytes at `out`.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if usize::try_from(room).is_ok_and(|room| bytes.len() <= room) {
            ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
            ffi::SQLITE_OK
        } else {
            ffi::SQLITE_CANTOPEN
        }
    }
}

unsafe extern "C" fn library_open(_: *mut ffi::sqlite3_vfs, _: *const c_char) -> *mut c_void {
    ptr::null_mut()
}

unsafe extern "C" fn library_error(_: *mut ffi::sqlite3_vfs, room: c_int, out: *mut c_char) {
    if room > 0 {
        // SAFETY: SQLite gives `room` bytes at `out`.
        unsafe { *out = 0 };
    }
}

unsafe extern "C" fn library_symbol(
    _: *mut ffi::sqlite3_vfs,
    _: *mut c_void,
    _: *const c_char,
) -> Option<unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *mut c_void, *const c_char)> {
    None
}

unsafe extern "C" fn library_close(_: *mut ffi::sqlite3_vfs, _: *mut c_void) {}

unsafe extern "C" fn randomness(
    vfs: *mut ffi::sqlite3_vfs,
    count: c_int,
    out: *mut c_char,
) -> c_int {
    let bytes = usize::try_from(count).unwrap_or(0);
    // SAFETY: SQLite gives its own VFS and `count` bytes at `out`, which are set before they are borrowed.
    let (target, buffer) = unsafe {
        ptr::write_bytes(out, 0, bytes);
        (
            target(vfs),
            slice::from_raw_parts_mut(out.cast::<u8>(), bytes),
        )
    };
    if let Some(Target { shared, .. }) = target {
        shared.lock().fill_random(buffer);
    }
    count
}

/// No time passes: who waits for a lock here waits for somebody whose turn it is not.
unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    // SAFETY: SQLite gives its own VFS.
    if let Some(Target { shared, process }) = unsafe { target(vfs) } {
        shared.lock().count_sleep(process);
    }
    microseconds
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, days: *mut f64) -> c_int {
    let mut julian_ms = 0;
    // SAFETY: SQLite gives its own VFS and a valid place for the answer.
    unsafe {
        let code = current_time_ms(vfs, &raw mut julian_ms);
        *days = julian_ms as f64 / MS_PER_DAY;
        code
    }
}

unsafe extern "C" fn current_time_ms(
    vfs: *mut ffi::sqlite3_vfs,
    julian_ms: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives its own VFS.
    let Some(Target { shared, .. }) = (unsafe { target(vfs) }) else {
        return ffi::SQLITE_ERROR;
    };
    let now = shared.lock().now_unix_ms;
    // SAFETY: SQLite gives a valid place for the answer.
    unsafe { *julian_ms = now + JULIAN_TO_UNIX_MS };
    ffi::SQLITE_OK
}

unsafe extern "C" fn last_error(_: *mut ffi::sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}
