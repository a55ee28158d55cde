//! A disk whose power can be cut: a SQLite VFS over the system's own, which notes every write, truncation,
//! new name, removed name and sync below a folder. [`Disk::cut`] then builds what a machine could find
//! after losing its power at any moment of that record.
//!
//! The live files are the system's, shared memory and locks included; shared memory is never on the
//! disk, so after a cut the WAL is read anew. What a cut leaves, by the promises SQLite relies on:
//! - what was written before the file's last sync is there; of what came after, any 512-byte sector may
//!   or may not be (a write does not harm bytes beside it: `IOCAP_POWERSAFE_OVERWRITE`, the system's own
//!   answer, is passed on);
//! - a name made or removed is certain only once its directory was synced, which the unix VFS does with
//!   the first sync of a new journal or WAL and with a removal that asks for it.
#![allow(unsafe_code, reason = "SQLite calls a VFS through C function pointers")]

use std::collections::HashMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError};

use rusqlite::ffi;

/// One step in the life of a disk. Files are told apart by number: a name can be removed and made again.
#[derive(Debug)]
enum Step {
    Create { name: String, file: usize },
    Delete { name: String },
    SyncNames,
    Write { file: usize, offset: usize, bytes: Vec<u8> },
    Truncate { file: usize, len: usize },
    Sync { file: usize },
}

#[derive(Debug, Default)]
struct Record {
    steps: Vec<Step>,
    /// What a name means now.
    names: HashMap<String, usize>,
    /// What was there when the record began, all of it durable.
    base: Vec<(String, Vec<u8>)>,
    files: usize,
}

/// A folder whose power can be cut.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    record: Mutex<Record>,
    /// Connections opened here run with `PRAGMA synchronous = OFF`, whatever they ask for.
    never_sync: bool,
    full: AtomicBool,
}

/// What survives of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsynced {
    Nothing,
    Everything,
    /// Each sector, truncation and name by the toss of a coin.
    Some,
}

static DISKS: LazyLock<Mutex<Vec<Arc<Disk>>>> = LazyLock::new(Mutex::default);

impl Disk {
    /// Begins to record what happens below `root`, an existing folder.
    pub fn watch(root: &Path, never_sync: bool) -> Arc<Self> {
        install();
        let root = root.canonicalize().expect("a folder");
        let mut record = Record::default();
        for entry in std::fs::read_dir(&root).expect("a folder") {
            let path = entry.expect("readable").path();
            let name = file_name(&path);
            record.names.insert(name.clone(), record.files);
            record.base.push((name, std::fs::read(&path).expect("a file")));
            record.files += 1;
        }
        let disk = Self { root, record: Mutex::new(record), never_sync, full: AtomicBool::new(false) };
        let disk = Arc::new(disk);
        lock(&DISKS).push(Arc::clone(&disk));
        disk
    }

    /// How many steps there were so far: a moment for [`Disk::cut`].
    pub fn moment(&self) -> usize {
        lock(&self.record).steps.len()
    }

    /// How often the database itself, not its WAL, was written to before `moment`.
    pub fn checkpointed(&self, moment: usize) -> usize {
        let record = lock(&self.record);
        let is = |s: &&Step| matches!(s, Step::Write { file, .. } if record.names.get("hongyand.sqlite") == Some(file));
        record.steps.iter().take(moment).filter(is).count()
    }

    /// How many syncs there were.
    pub fn syncs(&self) -> usize {
        lock(&self.record).steps.iter().filter(|s| matches!(s, Step::Sync { .. })).count()
    }

    /// From now on, or no longer, every write fails as on a full disk.
    pub fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Writes into the new folder `to` what is found when the power went at `moment`.
    pub fn cut(&self, moment: usize, unsynced: Unsynced, mut coin: impl FnMut() -> bool, to: &Path) {
        let mut survives = move || match unsynced {
            Unsynced::Nothing => false,
            Unsynced::Everything => true,
            Unsynced::Some => coin(),
        };
        let record = lock(&self.record);
        let steps = record.steps.get(..moment).expect("a moment of the record");
        let mut files = vec![Vec::new(); record.files];
        let mut names = HashMap::new();
        for (file, (name, bytes)) in record.base.iter().enumerate() {
            names.insert(name.as_str(), file);
            files[file].clone_from(bytes);
        }
        let mut synced = vec![0; record.files];
        let mut names_synced = 0;
        for (i, step) in steps.iter().enumerate() {
            match step {
                Step::Sync { file } => synced[*file] = i,
                Step::SyncNames => names_synced = i,
                _ => {}
            }
        }
        for (i, step) in steps.iter().enumerate() {
            match step {
                Step::Create { name, file } if i < names_synced || survives() => {
                    names.insert(name, *file);
                }
                Step::Delete { name } if i < names_synced || survives() => {
                    names.remove(name.as_str());
                }
                Step::Truncate { file, len } if i < synced[*file] || survives() => files[*file].truncate(*len),
                Step::Write { file, offset, bytes } => {
                    let certain = i < synced[*file];
                    // Cut where the sectors of the disk end, not where the write began.
                    let (mut at, mut rest) = (*offset, bytes.as_slice());
                    while !rest.is_empty() {
                        let (sector, more) = rest.split_at(rest.len().min(512 - at % 512));
                        if certain || survives() {
                            let content = &mut files[*file];
                            content.resize(content.len().max(at + sector.len()), 0);
                            content[at..at + sector.len()].copy_from_slice(sector);
                        }
                        (at, rest) = (at + sector.len(), more);
                    }
                }
                _ => {}
            }
        }
        std::fs::create_dir(to).expect("a new folder");
        for (name, file) in names {
            std::fs::write(to.join(name), &files[file]).expect("written");
        }
    }
}

impl Record {
    fn delete(&mut self, name: &str, sync: bool) {
        self.names.remove(name);
        self.steps.push(Step::Delete { name: name.to_owned() });
        if sync {
            self.steps.push(Step::SyncNames);
        }
    }

    fn open(&mut self, name: String) -> (usize, bool) {
        if let Some(file) = self.names.get(&name) {
            return (*file, false);
        }
        let file = self.files;
        self.files += 1;
        self.names.insert(name.clone(), file);
        self.steps.push(Step::Create { name, file });
        (file, true)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

/// The disk a file lies on, if it is watched.
fn disk_of(path: &Path) -> Option<Arc<Disk>> {
    lock(&DISKS).iter().find(|d| path.parent() == Some(&d.root)).cloned()
}

unsafe fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    // SAFETY: SQLite passes null or a string that outlives the call.
    (!name.is_null()).then(|| Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

// The VFS. SQLite allots `szOsFile` bytes for each file: this struct, and the system's own after it.

#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    real: *mut ffi::sqlite3_file,
    /// Owned; null on disks nobody watches.
    watched: *mut Watched,
}

struct Watched {
    disk: Arc<Disk>,
    file: usize,
    /// The first sync of a new journal or WAL syncs its directory too.
    syncs_names: bool,
}

#[derive(Clone, Copy)]
struct Real(*mut ffi::sqlite3_vfs);
// SAFETY: the system's VFS is registered once, never changes and may be called from any thread.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

static REAL: LazyLock<Real> = LazyLock::new(|| {
    // SAFETY: null asks for the default VFS.
    Real(unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) })
});

/// Makes the shim the default VFS of this process; it passes on what lies on disks nobody watches.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let real = REAL.0;
        assert!(!real.is_null(), "SQLite has a default VFS");
        // SAFETY: a registered VFS is valid; its functions beside open and delete do not look at which
        // VFS they are called through. The copy is leaked, since SQLite keeps the pointer.
        unsafe {
            let mut shim = *real;
            shim.zName = c"power-cut".as_ptr();
            shim.szOsFile += c_int::try_from(size_of::<File>()).expect("small");
            shim.xOpen = Some(open);
            shim.xDelete = Some(delete);
            shim.pNext = std::ptr::null_mut();
            assert_eq!(ffi::sqlite3_vfs_register(Box::leak(Box::new(shim)), 1), ffi::SQLITE_OK);
            assert_eq!(ffi::sqlite3_auto_extension(Some(opened)), ffi::SQLITE_OK);
        }
    });
}

/// Called for each new connection. Where nothing is to be synced it says so in SQLite's own words;
/// [`file_control`] then keeps the product's `synchronous = FULL` from taking that back.
unsafe extern "C" fn opened(db: *mut ffi::sqlite3, _: *mut *mut c_char, _: *const ffi::sqlite3_api_routines) -> c_int {
    // SAFETY: `db` is the connection just opened, `main` its database.
    unsafe {
        let name = path(ffi::sqlite3_db_filename(db, c"main".as_ptr()));
        if name.and_then(disk_of).is_some_and(|d| d.never_sync) {
            let off = c"PRAGMA synchronous = OFF".as_ptr();
            return ffi::sqlite3_exec(db, off, None, std::ptr::null_mut(), std::ptr::null_mut());
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room for `szOsFile` bytes, which is ours and the system's own after it.
    unsafe {
        let shim = file.cast::<File>();
        let real = shim.add(1).cast::<ffi::sqlite3_file>();
        shim.write(File {
            base: ffi::sqlite3_file { pMethods: std::ptr::null() },
            real,
            watched: std::ptr::null_mut(),
        });
        (*real).pMethods = std::ptr::null();
        let result = (*REAL.0).xOpen.expect("every VFS opens")(REAL.0, name, real, flags, out);
        if result != ffi::SQLITE_OK {
            return result;
        }
        (*shim).base.pMethods = &METHODS;
        if let Some(path) = path(name)
            && let Some(disk) = disk_of(path)
        {
            let (file, new) = lock(&disk.record).open(file_name(path));
            let journal = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
            let syncs_names = new && flags & journal != 0;
            (*shim).watched = Box::into_raw(Box::new(Watched { disk, file, syncs_names }));
        }
        result
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: the arguments are SQLite's, handed on.
    unsafe {
        let result = (*REAL.0).xDelete.expect("every VFS deletes")(REAL.0, name, sync);
        if result == ffi::SQLITE_OK
            && let Some(path) = path(name)
            && let Some(disk) = disk_of(path)
        {
            lock(&disk.record).delete(&file_name(path), sync != 0);
        }
        result
    }
}

/// What the system's VFS does with its own part of the file.
macro_rules! real {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let real = (*$file.cast::<File>()).real;
        (*(*real).pMethods).$method.expect("the system's VFS has it")(real $(, $argument)*)
    }};
}

/// Hands a method on as it is.
macro_rules! passed {
    ($name:ident, $method:ident ( $($argument:ident : $type:ty),* )) => {
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file $(, $argument: $type)*) -> c_int {
            // SAFETY: a file that [`open`] made, with SQLite's own arguments.
            unsafe { real!(file, $method $(, $argument)*) }
        }
    };
}

passed!(read, xRead(to: *mut c_void, amount: c_int, offset: i64));
passed!(file_size, xFileSize(size: *mut i64));
passed!(take_lock, xLock(level: c_int));
passed!(unlock, xUnlock(level: c_int));
passed!(check_reserved, xCheckReservedLock(out: *mut c_int));
passed!(sector_size, xSectorSize());
passed!(characteristics, xDeviceCharacteristics());
passed!(shm_map, xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void));
passed!(shm_lock, xShmLock(offset: c_int, n: c_int, flags: c_int));
passed!(shm_unmap, xShmUnmap(delete: c_int));

unsafe fn watched<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a mut Watched> {
    // SAFETY: a file that [`open`] made; SQLite never uses one file in two threads at once.
    unsafe { (*file.cast::<File>()).watched.as_mut() }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once.
    unsafe {
        let watched = std::mem::replace(&mut (*file.cast::<File>()).watched, std::ptr::null_mut());
        if !watched.is_null() {
            drop(Box::from_raw(watched));
        }
        real!(file, xClose)
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: `from` holds `amount` bytes.
    unsafe {
        let watched = watched(file);
        if watched.as_ref().is_some_and(|w| w.disk.full.load(Ordering::SeqCst)) {
            return ffi::SQLITE_FULL;
        }
        let result = real!(file, xWrite, from, amount, offset);
        if result == ffi::SQLITE_OK
            && let Some(w) = watched
        {
            let bytes = std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(amount).expect("a length"));
            let offset = usize::try_from(offset).expect("an offset");
            lock(&w.disk.record).steps.push(Step::Write { file: w.file, offset, bytes: bytes.to_vec() });
        }
        result
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: a file that [`open`] made.
    unsafe {
        let result = real!(file, xTruncate, size);
        if result == ffi::SQLITE_OK
            && let Some(w) = watched(file)
        {
            let len = usize::try_from(size).expect("a size");
            lock(&w.disk.record).steps.push(Step::Truncate { file: w.file, len });
        }
        result
    }
}

/// The real sync is not needed where the power cut is ours; its place in the record is what counts.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: a file that [`open`] made.
    unsafe {
        let Some(w) = watched(file) else { return real!(file, xSync, flags) };
        let mut record = lock(&w.disk.record);
        record.steps.push(Step::Sync { file: w.file });
        if std::mem::take(&mut w.syncs_names) {
            record.steps.push(Step::SyncNames);
        }
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: for a pragma the argument is three strings: result, name, value or null.
    unsafe {
        if op == ffi::SQLITE_FCNTL_PRAGMA && watched(file).is_some_and(|w| w.disk.never_sync) {
            let strings = argument.cast::<*const c_char>();
            let is = |i, text: &str| path(*strings.add(i)).is_some_and(|p| p.as_os_str() == text);
            if is(1, "synchronous") && !is(2, "OFF") {
                return ffi::SQLITE_OK; // Done with, says this to SQLite.
            }
        }
        real!(file, xFileControl, op, argument)
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2, // No memory-mapped reading or writing: it would pass us by.
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(take_lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: a file that [`open`] made.
    unsafe { real!(file, xShmBarrier) }
}
