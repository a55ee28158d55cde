//! What the command lines of the programs have in common: options, and what is generated from them.

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
    /// Speak the plain dialect alone, which everybody on the way can read, also with servers that know better
    #[arg(long, global = true)]
    pub plain: bool,
    /// Send the password also to a server that speaks the plain dialect alone, and always did
    #[arg(long, global = true)]
    pub allow_plain: bool,
    /// The account to fill in
    #[arg(long, global = true, value_name = "NAME")]
    pub account: Option<String>,
    /// Keeps two people on one machine apart
    #[arg(long, global = true, value_name = "NAME", default_value = "default")]
    pub profile: String,
    /// Where everything is kept [default: the user's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The language [default: the system's]
    #[arg(long, global = true, value_parser = ["zh", "en"])]
    pub lang: Option<String>,
    /// off, error, warn, info, debug or trace
    #[arg(long, global = true, default_value = "warn")]
    pub log_level: LevelFilter,
}

impl Face {
    /// Where everything lies.
    ///
    /// # Errors
    /// No home, or a profile that cannot be a folder's name.
    pub fn paths(&self) -> Result<Paths, PathError> {
        Paths::new(self.data.as_deref(), &self.profile)
    }

    /// Which dialects may be spoken.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        if self.plain { Dialect::Plain } else { Dialect::Auto }
    }

    /// The language that was named.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        self.lang.as_deref().map(|lang| if lang == "zh" { Language::Zh } else { Language::En })
    }
}

/// Writes a program's manual pages (`man1`) and shell completions (`completions`) below a folder.
///
/// # Errors
/// What the disk says.
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
