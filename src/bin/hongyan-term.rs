//! The terminal: `hongyan-term [--server HOST:PORT]`. Without a server it finds or starts one on this
//! machine.
//!
//! Its subcommands, one file each:
//!
//! - `probe`: tries a server.
//! - `why`: why a server cannot be reached.

#[path = "hongyan-term/probe.rs"]
mod probe;
#[path = "hongyan-term/why.rs"]
mod why;

use std::error::Error;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use hongyan::base::cli::Face;
use hongyan::base::model::{MessageText, Password};
use hongyan::base::{logging, trouble};
use hongyan::local::own_server;
use hongyan::ui::term;
use hongyan::ui::term::Unfit;
use hongyan::ui::term::script::{self, Job, Script};

/// The most bytes of a message that are read from standard input.
const MOST_INPUT: u64 = 1 << 20;

const CODES: &str = "\
Exit codes: 0 done · 1 trouble with this machine (disk, network, the account is open here already) · \
2 something is missing (the account, or the password on a device that is not remembered, or --yes-i-may), or cannot be sent \
as it is (not UTF-8, more than --parts messages); nothing was sent · \
3 the server refused the login or the message (a full mailbox, no Lobby), or another device took this one's \
place: the message was not sent, of a text in several others may have been · \
4 the server does not answer; a message stays in the outbox and goes out at the next login, so do not send it again (after \
every other code it does not) · \
5 there is no such account, or not any more, or it is offline (a server of the plain protocol may keep the message) · 6 there was no message · 7 told to end · \
8 a case of the probe failed · 9 what answers there is not to be trusted (another key than before), or no chat server · \
10 the server answers, but not this message: it may have arrived, and is not sent again by itself

A password comes from --password-file, from HONGYAN_PASSWORD, or is asked for; never from the command line. After \
`hongyan-term login` none is needed on this device, until `hongyan-term forget`.";

/// A chat program for the terminal, used by keyboard alone.
#[derive(Parser)]
#[command(name = "hongyan-term", version, after_help = CODES, disable_help_subcommand = true)]
struct Args {
    /// Let others on the network use this machine's server
    #[arg(long)]
    host_lan: bool,
    #[command(flatten, next_help_heading = "Options of every command")]
    face: Face,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t)]
    color: term::Colour,
    /// Read the password from a file's first line [default: from HONGYAN_PASSWORD, else it is asked for]
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Type datagrams by hand, sent from a socket of their own; each is shown with its answer and meaning
    Raw,
    /// Send one message, and wait for the server's answer
    Send {
        /// An account, a friend's remark, or @lobby
        #[arg(long, value_name = "NAME")]
        to: String,
        /// The message [default: standard input]
        text: Vec<String>,
        /// The most messages to send a long text as; if it needs more, nothing is sent
        #[arg(long, value_name = "N", default_value_t = MessageText::UNASKED)]
        parts: usize,
        #[command(flatten)]
        online: Online,
    },
    /// Print the unread messages, here and at the server, and mark them as read
    Recv {
        /// If there are none, wait for the first
        #[arg(long)]
        wait: bool,
        /// Go on printing until told to end
        #[arg(long)]
        follow: bool,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        online: Online,
    },
    /// Print the last messages with somebody: those kept here, without sending anything, or those at the server
    History {
        /// An account or a friend's remark
        name: String,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=100_000))]
        count: u32,
        /// Log in and ask the server, as on a device that has none of them yet
        #[arg(long)]
        at_server: bool,
        /// Only messages at the server before this row
        #[arg(long, value_name = "ROW", requires = "at_server")]
        before: Option<u64>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        online: Online,
    },
    /// Print the list of friends; nothing is sent
    Friends {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Log in by password once and stay logged in: no command needs a password on this device from then on
    Login {
        #[command(flatten)]
        online: Online,
    },
    /// Stop staying logged in: this device needs the password again; nothing is sent
    Forget,
    /// Save what can be read of a damaged history; the damaged one is kept beside it. Nothing is sent
    Rescue,
    Probe(probe::Probe),
    Why(why::Why),
    /// Write manual pages and shell completions below a folder
    #[command(hide = true)]
    Generate {
        folder: PathBuf,
    },
    #[command(hide = true)]
    ServeLocal {
        #[arg(long)]
        listen: SocketAddr,
    },
}

/// The options of commands that log in.
#[derive(clap::Args)]
struct Online {
    /// End the account's session elsewhere; without this option a command does not log in while there is one, unless
    /// several devices are allowed
    #[arg(long)]
    take_over: bool,
    /// Trust the server's new key if these are its words, and no other key
    #[arg(long, value_name = "WORDS")]
    trust_key: Option<String>,
    /// How long to wait for the server
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

impl Online {
    /// The options of a command that does not log in.
    const NONE: Self = Self { take_over: false, trust_key: None, timeout: 0 };
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            complain(&trouble::of_any(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Writes a text to standard error; `eprintln` would panic if the terminal has gone away.
fn complain(what: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "hongyan-term: {what}");
}

fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let paths = args.face.paths()?;
    if let Some(Command::Probe(probe)) = args.command {
        return probe.run(args.color.style(), args.face.language().unwrap_or_default().locale());
    }
    if let Some(Command::Why(why)) = args.command {
        return why.run(&paths.histories, args.color.style(), args.face.language().unwrap_or_default().locale());
    }
    if let Some(Command::ServeLocal { listen }) = args.command {
        let data = args.face.data.ok_or("--data DIR is missing")?;
        logging::init("hongyan-server", args.face.log_level, &data.join("logs"));
        own_server::serve_local(listen, &data)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(Command::Generate { folder }) = args.command {
        hongyan::base::cli::generate(Args::command(), &folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    logging::init_file("hongyan-term", args.face.log_level, &paths.logs);
    // The terminal must be usable again, whatever happens.
    std::panic::set_hook(Box::new(|panic| {
        term::give_back();
        log::error!("{panic}");
        complain(panic);
        #[allow(clippy::disallowed_methods, reason = "nothing can be trusted to be committed any more")]
        std::process::exit(70);
    }));
    let password = match password(args.password_file.as_deref())? {
        Ok(password) => password,
        Err(error) => {
            complain(&error.sentence(&args.face));
            return Ok(ExitCode::from(script::Exit::Usage as u8));
        }
    };
    let (job, online) = match args.command {
        None
        | Some(
            Command::Raw | Command::ServeLocal { .. } | Command::Probe(_) | Command::Why(_) | Command::Generate { .. },
        ) => {
            let raw = matches!(args.command, Some(Command::Raw));
            let chat = term::Args { face: args.face, host_lan: args.host_lan, colour: args.color, raw, password };
            return Ok(ExitCode::from(term::run(chat)? as u8));
        }
        Some(Command::Send { to, text, parts, online }) => {
            let text = if text.is_empty() { standard_input()? } else { Ok(text.join(" ")) };
            match text {
                Ok(text) => (Job::Send { to, text, parts }, online),
                Err(error) => {
                    complain(&error.sentence(&args.face));
                    return Ok(ExitCode::from(script::Exit::Usage as u8));
                }
            }
        }
        Some(Command::Recv { wait, follow, json, online }) => (Job::Receive { wait, follow, json }, online),
        Some(Command::History { name, count, at_server: true, before, json, online }) => {
            (Job::Past { with: name, count, before, json }, online)
        }
        Some(Command::History { name, count, json, .. }) => (Job::History { with: name, count, json }, Online::NONE),
        Some(Command::Login { online }) => (Job::Stay, online),
        Some(Command::Forget) => (Job::Forget, Online::NONE),
        Some(Command::Rescue) => (Job::Rescue, Online::NONE),
        Some(Command::Friends { json }) => (Job::Friends { json }, Online::NONE),
    };
    let timeout = Duration::from_secs(online.timeout);
    let Online { take_over, trust_key, .. } = online;
    let exit = script::run(Script { face: args.face, password, take_over, trust_key, timeout, job });
    Ok(ExitCode::from(exit as u8))
}

/// Reads a whole message, without the final newline, which is the shell's; the error says why it cannot be sent.
fn standard_input() -> Result<Result<String, Unfit>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    std::io::stdin().take(MOST_INPUT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_INPUT {
        return Ok(Err(Unfit::Long(MOST_INPUT)));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            return Ok(Err(Unfit::NotUtf8(at)));
        }
    };
    if let Some(at) = text.find('\0') {
        return Ok(Err(Unfit::Nul(at)));
    }
    Ok(Ok(text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)))
}

/// Reads the password from the first line of a file or from the environment; never from the command line, which others
/// can see. The inner error says that the text cannot be a password.
fn password(file: Option<&Path>) -> Result<Result<Option<Password>, Unfit>, Box<dyn Error>> {
    let text = match file {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| format!("{}: {}", file.display(), trouble::words(&error)))?;
            text.lines().next().unwrap_or_default().to_owned()
        }
        None => match std::env::var("HONGYAN_PASSWORD") {
            Ok(text) => text,
            Err(std::env::VarError::NotPresent) => return Ok(Ok(None)),
            Err(std::env::VarError::NotUnicode(_)) => return Ok(Err(Unfit::Password)),
        },
    };
    Ok(Password::parse(&text).map(Some).map_err(|_| Unfit::Password))
}
