//! Tries the whole plain protocol on any server and writes the test document: every request, every reply of the table,
//! every error, and the forms seen in the wild, with accounts made up for it.
//!
//! The cases are data (`cases`), played by a runner over a [`Transport`], judged by a pure function that names the
//! broken rule and the byte, and written down by [`markdown`] and [`json`]. Where the text allows several ways, each is
//! accepted, and the one seen is listed among the server's habits. Requests that a person tries by hand become cases of
//! the same document ([`hand`]).
//!
//! Its parts:
//!
//! * `case`: what a case is, as data.
//! * `cases`: the cases, in their order.
//! * `runner`: plays them.
//! * `line`: one request and its answer on a bad network.
//! * `pace`: keeps within a server's budgets. Pure.
//! * `transport`: what carries the datagrams.
//! * `udp`: sockets and clock.
//! * `judge`: which rule a reply breaks, at which byte. Pure.
//! * `rule`: the rules, with their sections.
//! * `document`: the findings, as values.
//! * `markdown`: the document for people.
//! * `json`: the document for programs.
//! * `hand`: requests sent by hand, as cases. Pure.

mod case;
mod cases;
mod document;
pub mod hand;
pub mod json;
mod judge;
mod line;
pub mod markdown;
mod pace;
mod rule;
mod runner;
mod transport;
mod udp;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub use case::Actor;
pub use document::{CaseReport, Difference, Document, Exchange, Failure, Origin, Run, Unclear, Verdict, printable};
pub use rule::{Rule, Section};
pub use transport::{Datagram, SocketIndex, Transport};

use rust_i18n::t;

/// The shortest time between two requests to a server on this machine.
const NEAR: Duration = Duration::from_millis(2);
const FAR: Duration = Duration::from_millis(50);
/// How long after its beginning a run still begins further cases.
const LIMIT: Duration = Duration::from_secs(8 * 60);

/// The server to probe, and whether that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The server's address.
    pub server: SocketAddr,
    /// Whether it may be somebody else's machine: the probe leaves accounts there.
    pub allow_others: bool,
}

/// Why no document was made; [`ProbeError::text`] is its sentence.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The server is on another machine, and [`Options::allow_others`] is not set.
    #[error("{0} is not this machine: the probe registers accounts there and sends several hundred datagrams")]
    NotAllowed(SocketAddr),
    /// The server does not answer.
    #[error("{0} does not answer")]
    Silent(SocketAddr),
    /// The system gave no socket, or refused to send.
    #[error("the sockets failed: {}", crate::base::trouble::words(.0))]
    Sockets(#[from] io::Error),
    /// The system has no random bytes for the accounts' names.
    #[error("no random bytes for names of accounts: {0}")]
    Random(getrandom::Error),
}

impl ProbeError {
    /// The error as a sentence. `locale` is `en` or `zh-CN`.
    #[must_use]
    pub fn text(&self, locale: &str) -> String {
        match self {
            Self::NotAllowed(server) => t!("probe.not_allowed", locale = locale, server = server).into_owned(),
            Self::Silent(server) => t!("probe.silent", locale = locale, server = server).into_owned(),
            other => other.to_string(),
        }
    }
}

/// Probes a server over UDP. Takes some seconds on this machine, minutes far away.
///
/// # Errors
/// See [`ProbeError`].
pub fn run(options: &Options) -> Result<Document, ProbeError> {
    run_with(options, |_| true)
}

/// As [`run`], and calls `progress` with the report of each case; if that returns `false` the run ends, and all
/// accounts are logged out.
///
/// # Errors
/// See [`ProbeError`].
pub fn run_with(options: &Options, progress: impl FnMut(&CaseReport) -> bool) -> Result<Document, ProbeError> {
    let server = options.server;
    let near = server.ip().to_canonical().is_loopback();
    if !near && !options.allow_others {
        return Err(ProbeError::NotAllowed(server));
    }
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(ProbeError::Random)?;
    let mark: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let when = udp::wall_clock();
    let mut document = probe(udp::Sockets::new(server), &mark, if near { NEAR } else { FAR }, progress)?
        .ok_or(ProbeError::Silent(server))?;
    (document.server, document.when) = (server, when);
    Ok(document)
}

/// Probes the server behind a transport; `None` if it does not answer. `mark` goes into the names of the accounts, and
/// `gap` is the shortest time between two requests. The caller sets server and date of the document.
///
/// # Errors
/// The transport's error.
pub fn probe(
    transport: impl Transport,
    mark: &str,
    gap: Duration,
    mut progress: impl FnMut(&CaseReport) -> bool,
) -> io::Result<Option<Document>> {
    let mut runner = runner::Runner::new(transport, mark, gap);
    let began = runner.now();
    let cases = cases::all();
    let mut reports = Vec::new();
    let left = match runner.begin()? {
        runner::Begun::Silent => return Ok(None),
        runner::Begun::Previous(report) => {
            progress(&report);
            reports.push(*report);
            true
        }
        runner::Begun::Ready => {
            for (i, case) in cases.iter().enumerate() {
                let report = runner.case(i + 1, case)?;
                let go_on = progress(&report);
                reports.push(report);
                if !go_on || runner.is_gone() || runner.now().saturating_sub(began) > LIMIT {
                    break;
                }
            }
            runner.end()?
        }
    };
    // What could not be judged because so many answers were missing has one common reason.
    if let Some(n) = runner.nth_missing() {
        for report in reports.iter_mut().filter(|report| report.verdict == Verdict::Unclear(Unclear::Network)) {
            let exchange = report.exchanges.len().saturating_sub(1);
            let (rule, difference) = (Some(Rule::EachAnswered), Difference::EachNth(n));
            report.verdict = Verdict::Failed(Failure { rule, exchange, difference });
        }
    }
    Ok(Some(Document {
        server: SocketAddr::from(([0, 0, 0, 0], 0)),
        when: String::new(),
        origin: Origin::Script(Run {
            mark: mark.to_owned(),
            elapsed: runner.now().saturating_sub(began),
            resent: runner.resent(),
            untried: cases.len().saturating_sub(reports.len()),
            left,
            slow: runner.slow(),
        }),
        cases: reports,
    }))
}
