//! What the programs' command lines have in common: options, manual pages and shell completions.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;
use log::LevelFilter;

use crate::base::model::Dialect;
use crate::base::settings::{Language, PathError, Paths};

/// Options of both faces, windows and terminal.
#[derive(Debug, Clone, Args)]
pub struct Face {
    /// The server [default: one on this machine, started if need be]
    #[arg(long, global = true, value_name = "HOST:PORT")]
    pub server: Option<String>,
    /// The local address to send from
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    pub bind: Option<SocketAddr>,
    /// Speak only the plain dialect, which everybody on the way can read, even with servers that can encrypt
    #[arg(long, global = true)]
    pub plain: bool,
    /// Send the password even to a server that only speaks the plain dialect, if it never encrypted before
    #[arg(long, global = true)]
    pub allow_plain: bool,
    /// The account to use
    #[arg(long, global = true, value_name = "NAME")]
    pub account: Option<String>,
    /// A profile with files of its own, to keep several people on one machine apart
    #[arg(long, global = true, value_name = "NAME", default_value = "default")]
    pub profile: String,
    /// The folder for all of the program's files [default: the user's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The language [default: the system's]
    #[arg(long, global = true, value_parser = ["zh", "en"])]
    pub lang: Option<String>,
    /// How much to log: off, error, warn, info, debug or trace
    #[arg(long, global = true, default_value = "warn")]
    pub log_level: LevelFilter,
}

impl Face {
    /// Returns the folders of the program's files.
    ///
    /// # Errors
    /// If there is no home folder, or the profile's name cannot be that of a folder.
    pub fn paths(&self) -> Result<Paths, PathError> {
        Paths::new(self.data.as_deref(), &self.profile)
    }

    /// Returns the dialects that may be spoken.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        if self.plain { Dialect::Plain } else { Dialect::Auto }
    }

    /// Returns the language that was chosen, if any.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        self.lang.as_deref().map(|lang| if lang == "zh" { Language::Zh } else { Language::En })
    }
}

/// Writes a program's manual pages (`man1`) and shell completions (`completions`) below a folder.
///
/// # Errors
/// If a file cannot be written.
pub fn generate(mut command: Command, folder: &Path) -> io::Result<()> {
    let (pages, completions) = (folder.join("man1"), folder.join("completions"));
    std::fs::create_dir_all(&pages)?;
    std::fs::create_dir_all(&completions)?;
    let name = command.get_name().to_owned();
    // Else a program whose subcommands are all hidden gets pages for a `help` that it does not have.
    command = command.disable_help_subcommand(true);
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut command, &name, &completions)?;
    }
    clap_mangen::generate_to(command, &pages)
}
