//! Logs to the terminal and to a file a day. A checkout's own `logs/` is used when the program runs
//! from its `target/`; else the state folder. Datagrams are logged at `trace` alone, with passwords
//! starred.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use chrono::{FixedOffset, Local, NaiveDate, Offset, Utc};
use simplelog::{
    ColorChoice, CombinedLogger, Config, ConfigBuilder, LevelFilter, SharedLogger, TermLogger, TerminalMode,
    WriteLogger,
};
use time::UtcOffset;

/// Most bytes of one file; after that it begins anew, and one older part is kept.
const FILE_BYTES: u64 = 4 << 20;
/// Most files of one program, so 32 MiB in all; the oldest go first.
const FILES: usize = 8;

/// Begins logging for a program; without a file if none can be written, which is said once.
pub fn init(program: &str, level: LevelFilter, folder: &Path) {
    let zone = zone();
    let terminal = TermLogger::new(level, config(zone), TerminalMode::Stderr, colours());
    begin(vec![terminal], zone, program, level, folder);
}

/// Begins logging for a program that needs the terminal for itself: to the file alone.
pub fn init_file(program: &str, level: LevelFilter, folder: &Path) {
    begin(Vec::new(), zone(), program, level, folder);
}

fn begin(mut loggers: Vec<Box<dyn SharedLogger>>, zone: FixedOffset, program: &str, level: LevelFilter, folder: &Path) {
    let folder = checkout().unwrap_or_else(|| folder.to_owned());
    let opened = DayFile::open(&folder, program, Box::new(move || Utc::now().with_timezone(&zone).date_naive()));
    let complaint = opened.as_ref().err().map(ToString::to_string);
    if let Ok(file) = opened {
        loggers.push(WriteLogger::new(level.max(LevelFilter::Info), config(zone), file));
    }
    let _ = CombinedLogger::init(loggers);
    if let Some(complaint) = complaint {
        log::info!("no log file in {}: {complaint}", folder.display());
    }
}

/// This machine's distance from UTC as the program starts: lines, and the day in a file's name, keep to it, and each
/// line says it.
fn zone() -> FixedOffset {
    Local::now().offset().fix()
}

fn config(zone: FixedOffset) -> Config {
    let mut config = ConfigBuilder::new();
    config.set_time_format_rfc3339();
    if let Ok(offset) = UtcOffset::from_whole_seconds(zone.local_minus_utc()) {
        config.set_time_offset(offset);
    }
    config.build()
}

/// Colours where somebody looks on who has not asked for none: never in a file or a pipe, which the library does
/// not tell from a terminal.
fn colours() -> ColorChoice {
    if io::stderr().is_terminal() { ColorChoice::Auto } else { ColorChoice::Never }
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
    /// Which day it is.
    clock: Box<dyn Fn() -> NaiveDate + Send>,
    day: NaiveDate,
    file: File,
    written: u64,
}

impl DayFile {
    fn open(folder: &Path, program: &str, clock: Box<dyn Fn() -> NaiveDate + Send>) -> io::Result<Self> {
        let day = clock();
        let (file, written) = begin_file(folder, program, day)?;
        Ok(Self { folder: folder.to_owned(), program: program.to_owned(), clock, day, file, written })
    }

    /// Another file if it is another day or this one is full.
    fn turn_over(&mut self) -> io::Result<()> {
        let day = (self.clock)();
        if day == self.day && self.written <= FILE_BYTES {
            return Ok(());
        }
        if day == self.day {
            let path = path(&self.folder, &self.program, day);
            // It is gone if another program of the same name was quicker.
            fs::rename(&path, path.with_extension("log.1")).or_else(unless_gone)?;
        }
        (self.file, self.written) = begin_file(&self.folder, &self.program, day)?;
        self.day = day;
        Ok(())
    }
}

impl Write for DayFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A line in a file that is too long or of yesterday is better than no line.
        let _ = self.turn_over();
        let n = self.file.write(bytes)?;
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A day's file, as long as it is already.
fn begin_file(folder: &Path, program: &str, day: NaiveDate) -> io::Result<(File, u64)> {
    crate::base::private::folder(folder)?;
    let file = append(&path(folder, program, day))?;
    let written = file.metadata()?.len();
    remove_old(folder, program)?;
    Ok((file, written))
}

fn path(folder: &Path, program: &str, day: NaiveDate) -> PathBuf {
    folder.join(format!("{program}-{day}.log"))
}

/// Nobody else may read it, no matter who created it.
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
mod tests;
