//! Logs to the terminal and to a file a day. A checkout's own `logs/` is used when the program runs
//! from its `target/`; else the state folder. Datagrams are logged at `trace` alone, with passwords
//! starred.

use std::fmt::Arguments;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use chrono::{DateTime, Local, NaiveDate, SecondsFormat};
use log::{Level, LevelFilter, Log, Metadata, Record};

/// Most bytes of one file; after that it begins anew, and one older part is kept.
const FILE_BYTES: u64 = 4 << 20;
/// Most files of one program, so 32 MiB in all; the oldest go first.
const FILES: usize = 8;

/// Begins logging for a program; without a file if none can be written, which is said once.
pub fn init(program: &str, level: LevelFilter, folder: &Path) {
    begin(Some(Terminal { level, coloured: coloured() }), program, level, folder);
}

/// Begins logging for a program that needs the terminal for itself: to the file alone.
pub fn init_file(program: &str, level: LevelFilter, folder: &Path) {
    begin(None, program, level, folder);
}

fn begin(terminal: Option<Terminal>, program: &str, level: LevelFilter, folder: &Path) {
    let folder = checkout().unwrap_or_else(|| folder.to_owned());
    let opened = DayFile::open(&folder, program, Local::now().date_naive());
    let complaint = opened.as_ref().err().map(ToString::to_string);
    let file_level = level.max(LevelFilter::Info);
    let most = if opened.is_ok() { file_level } else { level };
    let file = opened.ok().map(|file| (file_level, Mutex::new(file)));
    if log::set_boxed_logger(Box::new(Logger { terminal, file })).is_ok() {
        log::set_max_level(most);
    }
    if let Some(complaint) = complaint {
        log::info!("no log file in {}: {complaint}", folder.display());
    }
}

/// Where somebody looks on who has not asked for none: never in a file or a pipe.
fn coloured() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Writes each line to standard error and to the file, with the moment in this machine's zone: the file's day is that
/// zone's too. (No crate does both: simplelog has one offset for a whole run, and colours whatever it writes to.)
struct Logger {
    terminal: Option<Terminal>,
    file: Option<(LevelFilter, Mutex<DayFile>)>,
}

struct Terminal {
    level: LevelFilter,
    coloured: bool,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let wanted = |level: LevelFilter| metadata.level() <= level;
        self.terminal.as_ref().is_some_and(|terminal| wanted(terminal.level))
            || self.file.as_ref().is_some_and(|(level, _)| wanted(*level))
    }

    fn log(&self, record: &Record<'_>) {
        let now = Local::now();
        if let Some(terminal) = self.terminal.as_ref().filter(|terminal| record.level() <= terminal.level) {
            let line = line(now, record.level(), record.target(), record.args(), terminal.coloured);
            // Nobody may read it any more.
            let _ = io::stderr().write_all(line.as_bytes());
        }
        if let Some((_, file)) = self.file.as_ref().filter(|(level, _)| record.level() <= *level) {
            let line = line(now, record.level(), record.target(), record.args(), false);
            let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let _ = file.write_line(now.date_naive(), &line);
        }
    }

    fn flush(&self) {}
}

fn line(now: DateTime<Local>, level: Level, target: &str, text: &Arguments<'_>, coloured: bool) -> String {
    let time = now.to_rfc3339_opts(SecondsFormat::Secs, false);
    let (on, off) = match level {
        _ if !coloured => ("", ""),
        Level::Error => ("\x1b[31m", "\x1b[0m"),
        Level::Warn => ("\x1b[33m", "\x1b[0m"),
        Level::Info => ("\x1b[34m", "\x1b[0m"),
        Level::Debug | Level::Trace => ("\x1b[2m", "\x1b[0m"),
    };
    // Whence it comes is for whoever wants to know more.
    let from = if level >= Level::Debug { format!(" {target}:") } else { String::new() };
    format!("{time} {on}[{level}]{off}{from} {text}\n")
}

/// The `logs` folder beside the `target` folder this program lies in.
fn checkout() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program.ancestors().find(|a| a.file_name().is_some_and(|n| n == "target"))?;
    let root = target.parent()?;
    let logs = root.join("logs");
    (root.join("Cargo.toml").is_file() && logs.is_dir()).then_some(logs)
}

/// A file that begins anew each day, and when it is full.
struct DayFile {
    folder: PathBuf,
    program: String,
    day: NaiveDate,
    file: File,
    written: u64,
}

impl DayFile {
    fn open(folder: &Path, program: &str, day: NaiveDate) -> io::Result<Self> {
        crate::private::folder(folder)?;
        let file = append(&path(folder, program, day))?;
        let written = file.metadata()?.len();
        remove_old(folder, program)?;
        Ok(Self { folder: folder.to_owned(), program: program.to_owned(), day, file, written })
    }

    /// Another file if it is another day or this one is full.
    fn turn_over(&mut self, day: NaiveDate) -> io::Result<()> {
        if day == self.day && self.written <= FILE_BYTES {
            return Ok(());
        }
        if day == self.day {
            let path = path(&self.folder, &self.program, day);
            // It is gone if another program of the same name was quicker.
            fs::rename(&path, path.with_extension("log.1")).or_else(unless_gone)?;
        }
        *self = Self::open(&self.folder, &self.program, day)?;
        Ok(())
    }

    /// Writes a line of this day.
    fn write_line(&mut self, day: NaiveDate, line: &str) -> io::Result<()> {
        // A line in a file that is too long or of yesterday is better than no line.
        let _ = self.turn_over(day);
        self.file.write_all(line.as_bytes())?;
        self.written += line.len() as u64;
        Ok(())
    }
}

fn path(folder: &Path, program: &str, day: NaiveDate) -> PathBuf {
    folder.join(format!("{program}-{day}.log"))
}

/// Nobody else may read it, whoever made it.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

/// Removes the oldest. A name is the program's, a day's and nothing else's: `hongyan` is not `hongyan-server`.
fn remove_old(folder: &Path, program: &str) -> io::Result<()> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|e| Some(e.ok()?.path())).collect();
    let ours = |path: &PathBuf| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let day = name.strip_prefix(program).and_then(|rest| rest.strip_prefix('-'));
        let day = day.and_then(|rest| rest.strip_suffix(".log").or_else(|| rest.strip_suffix(".log.1")));
        day.is_some_and(|day| day.parse::<NaiveDate>().is_ok())
    };
    files.retain(ours);
    files.sort_by_key(|path| {
        let name = path.to_string_lossy().into_owned();
        // A day's older part goes before the newer one.
        let newer = !name.ends_with(".1");
        (name.trim_end_matches(".1").to_owned(), newer)
    });
    let too_many = files.len().saturating_sub(FILES);
    files.iter().take(too_many).try_for_each(|file| fs::remove_file(file).or_else(unless_gone))
}

fn unless_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 2, day).expect("a day")
    }

    fn files(folder: &Path) -> Vec<(String, u64)> {
        let entry = |e: io::Result<fs::DirEntry>| {
            let e = e.expect("readable");
            (e.file_name().to_string_lossy().into_owned(), e.metadata().expect("size").len())
        };
        let mut files: Vec<_> = fs::read_dir(folder).expect("there").map(entry).collect();
        files.sort();
        files
    }

    #[test]
    fn files_are_bounded_in_size_and_number() {
        let dir = tempfile::tempdir().expect("a folder");
        for day in 1..=20 {
            fs::write(dir.path().join(format!("x-2026-01-{day:02}.log")), "old").expect("written");
        }
        for other in ["other.log", "x-server-2026-01-01.log", "x-2026-01-01.log.txt"] {
            fs::write(dir.path().join(other), "not ours").expect("written");
        }
        let mut file = DayFile::open(dir.path(), "x", on(1)).expect("open");
        let block = ".".repeat(1 << 20);
        for day in 1..=12 {
            for _ in 0..12 {
                file.write_line(on(day), &block).expect("written");
            }
        }
        let (ours, others): (Vec<_>, Vec<_>) =
            files(dir.path()).into_iter().partition(|(name, _)| name.starts_with("x-2026-02"));
        assert_eq!(others.len(), 3, "{others:?}");
        assert_eq!(ours.len(), FILES, "{ours:?}");
        assert!(ours.iter().all(|(_, size)| *size <= FILE_BYTES + (1 << 20)), "{ours:?}");
        assert_eq!(ours.first().map(|(name, _)| &**name), Some("x-2026-02-09.log"));
        assert_eq!(ours.last().map(|(name, _)| &**name), Some("x-2026-02-12.log.1"));
    }

    #[test]
    fn a_new_day_is_a_new_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut file = DayFile::open(dir.path(), "x", on(1)).expect("open");
        file.write_line(on(1), "one").expect("written");
        file.write_line(on(2), "second").expect("written");
        drop(file);
        DayFile::open(dir.path(), "x", on(2)).expect("open").write_line(on(2), "+").expect("written");
        assert_eq!(files(dir.path()), [("x-2026-02-01.log".into(), 3), ("x-2026-02-02.log".into(), 7)]);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("x-2026-02-01.log");
        fs::write(&path, "made by another program").expect("written");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("set");
        DayFile::open(dir.path(), "x", on(1)).expect("open");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
