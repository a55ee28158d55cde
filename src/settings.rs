//! What a person has chosen, as TOML, and where everything lies. Never a password.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};

use crate::session::Polling;

/// The folders of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Histories, one file a server and account.
    pub histories: PathBuf,
    /// The settings.
    pub settings: PathBuf,
    /// This machine's own server; shared by all profiles.
    pub server: PathBuf,
    /// Log files.
    pub logs: PathBuf,
}

/// Why there are no folders.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// Nobody's home.
    #[error("there is no home directory; please give --data DIR")]
    NoHome,
    /// It becomes a folder's name.
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

/// Which language the windows speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// As the system's locale.
    #[default]
    System,
    /// 中文
    Zh,
    /// English
    En,
}

/// How unread messages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PollingChoice {
    /// Sooner after traffic and while a chat is open.
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
    /// Dark windows.
    pub dark: bool,
    /// How unread messages are asked for.
    pub polling: PollingChoice,
    /// What the owners of accounts call themselves.
    pub nicknames: BTreeMap<String, String>,
    /// Where windows stood: x, y, width, height by their names.
    pub windows: BTreeMap<String, [i32; 4]>,
    /// What a later program wrote.
    #[serde(flatten)]
    other: toml::Table,
}

impl Settings {
    /// Reads the file: defaults if there is none. A damaged one is put aside, and the sentence says so.
    #[must_use]
    pub fn load(path: &Path) -> (Self, Option<String>) {
        let new = || Self { remember: true, ..Self::default() };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return (new(), None),
            Err(error) => return (new(), Some(format!("{}: {error}", path.display()))),
        };
        match toml::from_str(&text) {
            Ok(settings) => (settings, None),
            Err(error) => {
                let aside = path.with_extension("toml.damaged");
                let moved = fs::rename(path, &aside).is_ok();
                let kept = if moved { format!("; it is kept as {}", aside.display()) } else { String::new() };
                (new(), Some(format!("{} is damaged: {}{kept}", path.display(), error.message())))
            }
        }
    }

    /// Writes the file: either the old one or the new one is there, whatever happens.
    ///
    /// # Errors
    /// What the disk says.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = path.with_extension("toml.new");
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(new, path)
    }
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
    /// Starts the thread.
    ///
    /// # Errors
    /// No threads.
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

    /// What waits to be saved, and how often the file was written so far.
    #[must_use]
    pub fn figures(&self) -> (usize, u64) {
        (self.todo.as_ref().map_or(0, Sender::len), self.saved.load(Ordering::Relaxed))
    }

    /// Hands the settings over; never waits.
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
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_there_again_and_so_is_what_others_wrote() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("profiles/x/settings.toml");
        let (mut settings, complaint) = Settings::load(&path);
        assert_eq!((settings.remember, complaint), (true, None));
        settings.server = "example:1".into();
        settings.polling = PollingChoice::StrictPerFriend;
        settings.windows.insert("main".into(), [1, -2, 300, 720]);
        settings.other.insert("later".into(), toml::Value::Boolean(true));
        let saver = Saver::start(path.clone()).expect("a thread");
        saver.save(&settings);
        drop(saver);
        assert_eq!(Settings::load(&path), (settings, None));
    }

    #[test]
    fn a_damaged_file_is_kept_and_said() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("settings.toml");
        fs::write(&path, "server = [").expect("written");
        let (settings, complaint) = Settings::load(&path);
        assert_eq!(settings.server, "");
        assert!(complaint.is_some_and(|c| c.contains("damaged")));
        assert_eq!(fs::read_to_string(dir.path().join("settings.toml.damaged")).expect("kept"), "server = [");
    }

    #[test]
    fn profiles_are_folder_names() {
        assert!(Paths::new(Some(Path::new("d")), "../x").is_err());
        let paths = Paths::new(Some(Path::new("d")), "x").expect("good");
        assert_eq!(paths.settings, Path::new("d/profiles/x/settings.toml"));
    }
}
