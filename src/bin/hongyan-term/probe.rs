//! `hongyan-term probe HOST:PORT`: tries a server and writes the test document.

use std::error::Error;
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hongyan::base::trouble;
use hongyan::client::net::lookup;
use hongyan::probe::{self, Options, ProbeError, Verdict, json, markdown};
use hongyan::protocol::PORT;
use hongyan::ui::term::script::Exit;
use hongyan::ui::term::style::Style;

/// Try the whole plain protocol against a server and write the test document.
///
/// It registers a few accounts named Probe… there, which remain, and logs them out at the end.
/// Ctrl+C ends it early, with what was found so far.
#[derive(clap::Args)]
pub struct Probe {
    /// The server
    #[arg(value_name = "HOST:PORT")]
    server: String,
    /// Write the document as Markdown; - means standard output
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write the document as JSON; - means standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Confirm that the operator of a server on another machine agrees
    #[arg(long)]
    yes_i_may: bool,
}

/// The exit codes, the same as those of the other commands.
const SILENT: u8 = 4;
const STOPPED: u8 = 7;
const FAILED: u8 = 8;

impl Probe {
    /// Tries the server, and shows the outcome of each case as it goes.
    pub fn run(self, style: Style, locale: &str) -> Result<ExitCode, Box<dyn Error>> {
        let options = Options { server: look_up(&self.server)?, allow_others: self.yes_i_may };
        // The document alone is on standard output if it is wanted there.
        let piped = [&self.markdown, &self.json].into_iter().flatten().any(|file| file == Path::new("-"));
        let mut out: Box<dyn Write> = if piped { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        let mut told = Ok(());
        let stop = interrupted()?;
        let document = match probe::run_with(&options, |case| {
            let (number, verdict) = (format!("{:>3}", case.number), case.verdict.text(locale));
            let verdict = match case.verdict {
                Verdict::Passed => style.good(&verdict),
                Verdict::Failed(_) => style.error(&verdict),
                Verdict::Unclear(_) => style.warning(&verdict),
            };
            let mut line = format!("{} {verdict}  {}", style.quiet(&number), case.purpose(locale));
            if case.verdict != Verdict::Passed {
                line += &format!("\n    {}", markdown::reason(case, locale));
            }
            if told.is_ok() {
                told = writeln!(out, "{line}");
            }
            !stop.load(Ordering::Relaxed)
        }) {
            Ok(document) => document,
            Err(error @ ProbeError::Silent(_)) => {
                writeln!(io::stderr(), "hongyan-term: {}", error.text(locale))?;
                return Ok(ExitCode::from(SILENT));
            }
            Err(error @ ProbeError::NotAllowed(_)) => {
                writeln!(io::stderr(), "hongyan-term: {}", error.text(locale))?;
                return Ok(ExitCode::from(Exit::Usage as u8));
            }
            Err(error) => return Err(error.text(locale).into()),
        };
        // Nobody reads any more: the files are written all the same.
        let slow = markdown::slow(&document, locale).map(|slow| slow + "\n").unwrap_or_default();
        let _ = told.and_then(|()| writeln!(out, "{slow}{}", markdown::summary(&document, locale)));
        if let Some(file) = &self.markdown {
            write(file, &markdown::write(&document, locale))?;
        }
        if let Some(file) = &self.json {
            write(file, &json::write(&document, locale))?;
        }
        let (_, failed, _) = document.counts();
        Ok(match (failed, document.run().map_or(0, |run| run.untried)) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) if stop.load(Ordering::Relaxed) => ExitCode::from(STOPPED),
            (0, _) => ExitCode::from(SILENT),
            _ => ExitCode::from(FAILED),
        })
    }
}

/// Returns a flag that becomes true at the first Ctrl+C, upon which all accounts are logged out; the second ends the
/// program at once.
fn interrupted() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    let written =
        if file == Path::new("-") { io::stdout().write_all(text.as_bytes()) } else { std::fs::write(file, text) };
    written.map_err(|error| format!("{}: {}", file.display(), trouble::words(&error)))
}

/// Resolves a name or an address, with or without a port.
fn look_up(server: &str) -> Result<SocketAddr, String> {
    let found = match server.to_socket_addrs() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => (server, PORT).to_socket_addrs(),
        found => found,
    };
    // This machine, if the name means it, and the older kind of address first: most servers listen there.
    let sorted = |_: &str| {
        let mut found: Vec<SocketAddr> = found?.collect();
        found.sort_by_key(|address| (!address.ip().is_loopback(), !address.is_ipv4()));
        Ok(found)
    };
    let found = lookup::find(server, sorted, |_| false);
    found.map(|found| found.address).map_err(|error| format!("{server}: {}", trouble::words(&error)))
}
