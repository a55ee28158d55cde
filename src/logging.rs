//! Logs to the terminal and to a file a day. A checkout's own `logs/` is used when the program runs
//! from its `target/`; else the state folder. Datagrams are logged at `trace` alone, with passwords
//! starred.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::Local;
use simplelog::{
    ColorChoice, CombinedLogger, ConfigBuilder, LevelFilter, SharedLogger, TermLogger, TerminalMode, WriteLogger,
};

/// Most bytes of one file; after that it begins anew, and one older part is kept.
const FILE_BYTES: u64 = 4 << 20;
/// Most files of one program; the oldest go first.
const FILES: usize = 8;

/// Begins logging for a program; without a file if none can be written, which is said once.
pub fn init(program: &str, level: LevelFilter, folder: &Path) {
    let config = ConfigBuilder::new().set_time_format_rfc3339().build();
    let terminal = TermLogger::new(level, config.clone(), TerminalMode::Stderr, ColorChoice::Auto);
    let mut loggers: Vec<Box<dyn SharedLogger>> = vec![terminal];
    let folder = checkout().unwrap_or_else(|| folder.to_owned());
    let opened = DayFile::open(&folder, program);
    let complaint = opened.as_ref().err().map(ToString::to_string);
    if let Ok(file) = opened {
        loggers.push(WriteLogger::new(level.max(LevelFilter::Info), config, file));
    }
    let _ = CombinedLogger::init(loggers);
    if let Some(complaint) = complaint {
        log::info!("no log file in {}: {complaint}", folder.display());
    }
}

/// The `logs` folder beside the `target` folder this program lies in.
fn checkout() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program.ancestors().find(|a| a.file_name().is_some_and(|n| n == "target"))?;
    let root = target.parent()?;
    let logs = root.join("logs");
    (root.join("Cargo.toml").is_file() && logs.is_dir()).then_some(logs)
}

/// A file that begins anew when it is full.
struct DayFile {
    path: PathBuf,
    file: File,
    written: u64,
}

impl DayFile {
    fn open(folder: &Path, program: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{program}-{}.log", Local::now().format("%Y-%m-%d")));
        let file = append(&path)?;
        let written = file.metadata()?.len();
        remove_old(folder, program)?;
        Ok(Self { path, file, written })
    }
}

fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove_old(folder: &Path, program: &str) -> io::Result<()> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|e| Some(e.ok()?.path())).collect();
    let ours = |path: &PathBuf| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        name.strip_prefix(program).is_some_and(|rest| rest.starts_with("-2") && rest.contains(".log"))
    };
    files.retain(ours);
    files.sort();
    let too_many = files.len().saturating_sub(FILES);
    files.iter().take(too_many).try_for_each(fs::remove_file)
}

impl Write for DayFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written > FILE_BYTES {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            self.file = append(&self.path)?;
            self.written = 0;
        }
        let n = self.file.write(bytes)?;
        self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_bounded_in_size_and_number() {
        let dir = tempfile::tempdir().expect("a folder");
        for day in 1..=20 {
            fs::write(dir.path().join(format!("x-2026-01-{day:02}.log")), "old").expect("written");
        }
        fs::write(dir.path().join("other.log"), "not ours").expect("written");
        let mut file = DayFile::open(dir.path(), "x").expect("open");
        let block = vec![b'.'; 1 << 20];
        for _ in 0..12 {
            file.write_all(&block).expect("written");
        }
        let sizes =
            fs::read_dir(dir.path()).expect("there").map(|e| e.expect("readable").metadata().expect("size").len());
        let sizes: Vec<u64> = sizes.collect();
        assert!(sizes.len() <= FILES + 2, "{sizes:?}");
        assert!(sizes.iter().sum::<u64>() <= 2 * (FILE_BYTES + (2 << 20)), "{sizes:?}");
        assert!(dir.path().join("other.log").exists());
    }
}
