//! A SQLite file layer over the system's, whose writes, truncations and syncs fail on demand.

use fleet_store::conformance::Injector;
use rusqlite::ffi;
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// What is to fail. Lives as long as the process: SQLite may hold on to a layer.
#[derive(Debug)]
struct State {
    real: *mut ffi::sqlite3_vfs,
    count: AtomicU64,
    nth: AtomicU64,
    forever: AtomicBool,
    syncs: AtomicBool,
}

impl State {
    fn fails(&self) -> bool {
        let (n, nth) = (self.count.fetch_add(1, SeqCst), self.nth.load(SeqCst));
        n == nth || (nth != u64::MAX && n > nth && self.forever.load(SeqCst))
    }
}

/// A registered layer; its name goes to `SqliteOptions::vfs`.
#[derive(Debug)]
pub struct FaultLayer {
    name: String,
    state: &'static State,
}

// SAFETY: the pointer to the system's layer is only handed back to SQLite, which serves it from any thread;
// all else is atomic.
unsafe impl Send for FaultLayer {}
// SAFETY: as above.
unsafe impl Sync for FaultLayer {}

/// Our file: SQLite's head, the state, and behind it the bytes of the system's file.
#[repr(C)]
struct FaultFile {
    base: ffi::sqlite3_file,
    state: *const State,
}

impl FaultLayer {
    /// Registers a layer of its own.
    ///
    /// # Errors
    /// When SQLite has no layer of the system or refuses this one.
    pub fn register() -> Result<Self, String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("fleet-fault-{}", NUMBER.fetch_add(1, SeqCst));
        let c_name = CString::new(name.clone()).map_err(|error| error.to_string())?;
        // SAFETY: asks for the default layer; SQLite is initialised by it.
        let real = unsafe {
            ffi::sqlite3_initialize();
            ffi::sqlite3_vfs_find(std::ptr::null())
        };
        if real.is_null() {
            return Err("SQLite has no file layer".to_owned());
        }
        let state: &'static State = Box::leak(Box::new(State {
            real,
            count: AtomicU64::new(0),
            nth: AtomicU64::new(u64::MAX),
            forever: AtomicBool::new(false),
            syncs: AtomicBool::new(false),
        }));
        // SAFETY: a copy of a valid layer; the fields that differ are set below. The system's functions do
        // not look at the layer that they are called with, but for `xOpen`, which is ours.
        let mut layer = unsafe { *real };
        layer.zName = c_name.into_raw();
        layer.pNext = null_mut();
        layer.pAppData = std::ptr::from_ref(state).cast_mut().cast();
        layer.szOsFile += c_int::try_from(size_of::<FaultFile>()).unwrap_or(0);
        layer.xOpen = Some(open);
        // SAFETY: the layer is leaked, so that it lives as long as SQLite may use it.
        let done = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(layer)), 0) };
        if done != ffi::SQLITE_OK {
            return Err(format!("SQLite refuses the layer with {done}"));
        }
        Ok(Self { name, state })
    }

    /// The name under which SQLite knows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Injector for FaultLayer {
    fn arm(&self, nth: u64, forever: bool) {
        self.state.count.store(0, SeqCst);
        self.state.forever.store(forever, SeqCst);
        self.state.nth.store(nth, SeqCst);
    }

    fn arm_syncs(&self) {
        self.state.syncs.store(true, SeqCst);
    }

    fn heal(&self) {
        self.state.nth.store(u64::MAX, SeqCst);
        self.state.syncs.store(false, SeqCst);
    }

    fn operations(&self) -> u64 {
        self.state.count.load(SeqCst)
    }
}

/// The system's file behind ours.
unsafe fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: SQLite allocated `szOsFile` bytes: ours, then the system's.
    unsafe { file.cast::<u8>().add(size_of::<FaultFile>()).cast() }
}

unsafe fn state<'a>(file: *mut ffi::sqlite3_file) -> &'a State {
    // SAFETY: set by `open` to a leaked state.
    unsafe { &*(*file.cast::<FaultFile>()).state }
}

/// Calls the system's method of this name, or gives `$absent`.
macro_rules! forward {
    ($file:ident, $method:ident, $absent:expr $(, $argument:expr)*) => {{
        // SAFETY: the file was opened by the system's layer and its methods are valid until it is closed.
        unsafe {
            let real = real($file);
            match (*(*real).pMethods).$method {
                Some(method) => method(real $(, $argument)*),
                None => $absent,
            }
        }
    }};
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives our own layer and a file of its size; the system's layer opens its part.
    unsafe {
        let state = (*vfs).pAppData.cast::<State>();
        let ours = file.cast::<FaultFile>();
        (*ours).base.pMethods = std::ptr::null();
        (*ours).state = state;
        let system = (*state).real;
        let real = real(file);
        (*real).pMethods = std::ptr::null();
        let Some(open) = (*system).xOpen else {
            return ffi::SQLITE_CANTOPEN;
        };
        let done = open(system, name, real, flags, out);
        if !(*real).pMethods.is_null() {
            (*ours).base.pMethods = &METHODS;
        }
        done
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xClose, ffi::SQLITE_OK)
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    to: *mut c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    forward!(file, xRead, ffi::SQLITE_IOERR, to, count, at)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: our own file.
    if unsafe { state(file) }.fails() {
        return ffi::SQLITE_IOERR_WRITE;
    }
    forward!(file, xWrite, ffi::SQLITE_IOERR, from, count, at)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: our own file.
    if unsafe { state(file) }.fails() {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    forward!(file, xTruncate, ffi::SQLITE_IOERR, size)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: our own file.
    let state = unsafe { state(file) };
    if state.fails() || state.syncs.load(SeqCst) {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    forward!(file, xSync, ffi::SQLITE_IOERR, flags)
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    size: *mut ffi::sqlite3_int64,
) -> c_int {
    forward!(file, xFileSize, ffi::SQLITE_IOERR, size)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xLock, ffi::SQLITE_IOERR, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    forward!(file, xUnlock, ffi::SQLITE_IOERR, level)
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    forward!(file, xCheckReservedLock, ffi::SQLITE_IOERR, out)
}

unsafe extern "C" fn control(
    file: *mut ffi::sqlite3_file,
    what: c_int,
    argument: *mut c_void,
) -> c_int {
    forward!(file, xFileControl, ffi::SQLITE_NOTFOUND, what, argument)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xSectorSize, 4_096)
}

unsafe extern "C" fn characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    forward!(file, xDeviceCharacteristics, 0)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    forward!(file, xShmMap, ffi::SQLITE_IOERR, page, size, extend, out)
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    forward!(file, xShmLock, ffi::SQLITE_IOERR, offset, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    forward!(file, xShmBarrier, ());
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    forward!(file, xShmUnmap, ffi::SQLITE_OK, delete)
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
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
