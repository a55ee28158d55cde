//! The user's settings as a TOML file, and the folders of a profile. Passwords are never stored here.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::Sender;
use rust_i18n::t;
use serde::{Deserialize, Serialize};

use crate::base::model::Polling;
use crate::base::private;
use crate::base::trouble;

/// The folders of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The folder of histories: one database file for each server and account.
    pub histories: PathBuf,
    /// The settings file.
    pub settings: PathBuf,
    /// The data folder of this machine's own server; all profiles share it.
    pub server: PathBuf,
    /// The folder of log files.
    pub logs: PathBuf,
}

/// Why the folders of a profile cannot be determined.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// The system names no home folder.
    #[error("there is no home directory; please give --data DIR")]
    NoHome,
    /// The profile's name cannot be used as a folder name.
    #[error("a profile's name has letters, digits, - and _ only: {0:?}")]
    Profile(String),
}

impl Paths {
    /// The folders below `data` (portable), or where the system wants them.
    ///
    /// # Errors
    /// See [`PathError`].
    pub fn new(data: Option<&Path>, profile: &str) -> Result<Self, PathError> {
        let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        if profile.is_empty() || !profile.chars().all(plain) {
            return Err(PathError::Profile(profile.to_owned()));
        }
        let below = |data: &Path, config: &Path, state: &Path| Self {
            histories: data.join("profiles").join(profile),
            settings: config.join("profiles").join(profile).join("settings.toml"),
            server: data.join("server"),
            logs: state.join("logs"),
        };
        if let Some(data) = data {
            return Ok(below(data, data, data));
        }
        let dirs = directories::ProjectDirs::from("", "", "hongyan").ok_or(PathError::NoHome)?;
        Ok(below(dirs.data_dir(), dirs.config_dir(), dirs.state_dir().unwrap_or_else(|| dirs.data_dir())))
    }
}

/// The language of the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// The language of the system's locale.
    #[default]
    System,
    /// 中文
    Zh,
    /// English
    En,
}

impl Language {
    /// The locale of a choice.
    #[must_use]
    pub fn locale(self) -> &'static str {
        let system = || sys_locale::get_locale().is_some_and(|l| l.starts_with("zh"));
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
            Self::System if system() => "zh-CN",
            Self::System => "en",
        }
    }
}

/// How the client polls for unread messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PollingChoice {
    /// More often after traffic and while a chat is open.
    #[default]
    Adaptive,
    /// `08#` every 30 s.
    Strict,
    /// `04#` and `05#` for each open chat every 30 s.
    StrictPerFriend,
}

impl From<PollingChoice> for Polling {
    fn from(choice: PollingChoice) -> Self {
        match choice {
            PollingChoice::Adaptive => Self::Adaptive,
            PollingChoice::Strict => Self::Strict,
            PollingChoice::StrictPerFriend => Self::StrictPerFriend,
        }
    }
}

/// The settings of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `HOST:PORT`; empty for a server on this machine.
    pub server: String,
    /// This machine's server listens for the local network too.
    pub host_lan: bool,
    /// Whether the account is filled in next time.
    pub remember: bool,
    /// The account that was last logged in, if it is to be remembered.
    pub account: String,
    /// The windows' language.
    pub language: Language,
    /// Whether the windows are dark.
    pub dark: bool,
    /// How the client polls for unread messages.
    pub polling: PollingChoice,
    /// Whether it is said when a contact comes online or goes.
    pub comings: bool,
    /// After how many minutes without a key or the mouse one is away for others; 0: never.
    pub away_after: u16,
    /// The nicknames that the users of this profile chose, by account.
    pub nicknames: BTreeMap<String, String>,
    /// Where windows stood, by their names: x and y in pixels, width and height as they are without a zoom.
    pub windows: BTreeMap<String, [i32; 4]>,
    /// The zoom of the windows by screen, in percent of the desktop's scale.
    pub zoom: BTreeMap<String, u16>,
    /// Settings that a later version of the program wrote; they are kept when the file is saved.
    #[serde(flatten)]
    other: toml::Table,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: String::new(),
            host_lan: false,
            remember: true,
            account: String::new(),
            language: Language::System,
            dark: false,
            polling: PollingChoice::Adaptive,
            comings: true,
            away_after: 10,
            nicknames: BTreeMap::new(),
            windows: BTreeMap::new(),
            zoom: BTreeMap::new(),
            other: toml::Table::new(),
        }
    }
}

/// What was wrong with the settings file; its sentence is made in the language that is current when it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    file: PathBuf,
    /// The settings that could not be used, or the reason why the whole file could not.
    what: Vec<String>,
    /// Whether the other settings of the file are used.
    in_part: bool,
    /// Where the unchanged file is kept now.
    kept: Option<PathBuf>,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, what) = (self.file.display(), self.what.join(", "));
        let sentence = match self.in_part {
            true => t!("settings.wrong_values", file = file, what = what),
            false => t!("settings.damaged", file = file, what = what),
        };
        f.write_str(&sentence)?;
        match &self.kept {
            Some(kept) => write!(f, " {}", t!("settings.kept", file = kept.display())),
            None => Ok(()),
        }
    }
}

impl Settings {
    /// Reads the file: defaults if there is none. One that cannot be used, or not wholly, is kept under
    /// another name before anything can be written over it.
    #[must_use]
    pub fn load(path: &Path) -> (Self, Option<Complaint>) {
        let complaint = |what, in_part| {
            let kept = keep_aside(path, in_part).ok();
            Some(Complaint { file: path.to_owned(), what, in_part, kept })
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return (Self::default(), None),
            Err(error) => return (Self::default(), complaint(vec![trouble::words(&error)], false)),
        };
        let mut table = match toml::from_str::<toml::Table>(&text) {
            Ok(table) => table,
            Err(error) => return (Self::default(), complaint(vec![error.message().to_owned()], false)),
        };
        // One value that means nothing here must not take all others with it.
        let mut wrong = Vec::new();
        table.retain(|name, value| {
            let alone = toml::Table::from_iter([(name.to_string(), value.clone())]);
            let good = alone.try_into::<Self>().is_ok();
            if !good {
                wrong.push(name.to_string());
            }
            good
        });
        let mut settings = table.try_into::<Self>().unwrap_or_default();
        settings.windows.retain(|_, place| is_a_place(*place));
        settings.zoom.retain(|_, percent| (50..=300).contains(percent));
        (settings, if wrong.is_empty() { None } else { complaint(wrong, true) })
    }

    /// Writes the file: either the old one or the new one is there, whatever happens.
    ///
    /// # Errors
    /// The disk's error.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        // A link stays one, and what it points to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        private::folder(folder)?;
        // Two programs of one profile may save at once.
        let new = path.with_extension(format!("toml.{}", std::process::id()));
        let written = write_new(&new, &text).and_then(|()| fs::rename(&new, &path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written?;
        // The new name survives a power cut only once the folder is on disk too.
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        Ok(())
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private::open(path, File::options().create(true).write(true).truncate(true))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Keeps the file under a name that nothing has yet; in its own place too if parts of it count.
fn keep_aside(path: &Path, in_place_too: bool) -> io::Result<PathBuf> {
    let name = |n: u32| path.with_extension(if n == 1 { "toml.damaged".into() } else { format!("toml.damaged-{n}") });
    let aside = (1..100).map(name).find(|name| !name.exists()).ok_or(io::ErrorKind::AlreadyExists)?;
    if in_place_too {
        fs::copy(path, &aside).map(drop)?
    } else {
        fs::rename(path, &aside)?
    }
    Ok(aside)
}

/// Whether a rectangle (x, y, width, height) is plausible as a window's position; the screen is checked later.
fn is_a_place([x, y, w, h]: [i32; 4]) -> bool {
    let far = -30_000..=30_000;
    far.contains(&x) && far.contains(&y) && (1..=30_000).contains(&w) && (1..=30_000).contains(&h)
}

/// Saves settings on a thread of its own, since a disk may take its time. Dropping it waits for the last.
#[derive(Debug)]
pub struct Saver {
    // Before the thread: the channel must be closed when the thread is joined.
    todo: Option<Sender<Settings>>,
    saved: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Saver {
    /// Starts the thread that saves settings to this file.
    ///
    /// # Errors
    /// The system starts no thread.
    pub fn start(path: PathBuf) -> io::Result<Self> {
        let (todo, waiting) = crossbeam_channel::unbounded::<Settings>();
        let saved = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&saved);
        let thread = thread::Builder::new().name("settings".into()).spawn(move || {
            while let Ok(settings) = waiting.recv() {
                let latest = waiting.try_iter().last().unwrap_or(settings);
                count.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = latest.save(&path) {
                    log::error!("{} cannot be written: {error}", path.display());
                }
            }
        })?;
        Ok(Self { todo: Some(todo), saved, thread: Some(thread) })
    }

    /// The number of saves waiting, and the number of times the file was written.
    #[must_use]
    pub fn figures(&self) -> (usize, u64) {
        (self.todo.as_ref().map_or(0, Sender::len), self.saved.load(Ordering::Relaxed))
    }

    /// Hands the settings to the thread and returns at once.
    pub fn save(&self, settings: &Settings) {
        if let Some(todo) = &self.todo {
            let _ = todo.send(settings.clone());
        }
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.todo = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
