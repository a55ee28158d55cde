//! `hongyan-term why HOST:PORT`: why a server cannot be reached.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use hongyan::client::diagnosis::{Question, Verdict};
use hongyan::client::known;
use hongyan::client::net::reach;
use hongyan::protocol::PORT;
use hongyan::ui::term::style::Style;
use hongyan::ui::term::why::painted;

/// Find out why a server cannot be reached: its name, its port, its dialect, its key.
///
/// It sends a few datagrams and never a password.
#[derive(clap::Args)]
pub struct Why {
    /// The server
    #[arg(value_name = "HOST:PORT")]
    server: String,
}

/// The exit codes, the same as those of the other commands.
const SILENT: u8 = 4;
const DOUBTFUL: u8 = 9;

impl Why {
    /// Prints each step and the result. `data` is the folder with the known keys of servers.
    pub fn run(self, data: &Path, style: Style, locale: &str) -> Result<ExitCode, Box<dyn Error>> {
        let name = self.server.clone();
        let question = Question { server: self.server, port: PORT };
        // Ctrl+C ends the program, as there is nothing to be put in order.
        let report = reach::run(question, |at| known(data, &name, at), &AtomicBool::new(false), |_| {});
        write!(io::stdout(), "{}", painted(&report, style, locale))?;
        Ok(match report.verdict() {
            Verdict::Secure | Verdict::Plain => ExitCode::SUCCESS,
            Verdict::Unreachable => ExitCode::from(SILENT),
            Verdict::Doubtful => ExitCode::from(DOUBTFUL),
        })
    }
}
