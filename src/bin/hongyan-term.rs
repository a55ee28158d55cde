//! The terminal: `hongyan-term [--server HOST:PORT]`. Without a server it finds or starts one on this
//! machine.

#[path = "hongyan-term/probe.rs"]
mod probe;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hongyan::cli::Face;
use hongyan::model::Password;
use hongyan::{host, logging, term};

/// The chat program for the keyboard alone.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    face: Face,
    /// When there are colours
    #[arg(long, global = true, value_enum, default_value_t)]
    color: term::Colour,
    /// Read the password from a file's first line [default: from HONGYAN_PASSWORD, else it is asked for]
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Let others on the network use this machine's server
    #[arg(long)]
    host_lan: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Probe(probe::Probe),
    #[command(hide = true)]
    ServeLocal {
        #[arg(long)]
        listen: SocketAddr,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "this is what the terminal is for")]
            {
                eprintln!("hongyan-term: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let paths = args.face.paths()?;
    if let Some(Command::Probe(probe)) = args.command {
        return probe.run(args.color.style(), args.face.language().unwrap_or_default().locale());
    }
    if let Some(Command::ServeLocal { listen }) = args.command {
        let data = args.face.data.ok_or("--data DIR is missing")?;
        logging::init("hongyan-server", args.face.log_level, &data.join("logs"));
        host::serve_local(listen, &data)?;
        return Ok(ExitCode::SUCCESS);
    }
    logging::init_file("hongyan-term", args.face.log_level, &paths.logs);
    // The terminal must be usable again, whatever happens.
    std::panic::set_hook(Box::new(|panic| {
        term::give_back();
        log::error!("{panic}");
        #[allow(clippy::print_stderr, reason = "the person at the terminal should see it")]
        {
            eprintln!("hongyan-term: {panic}");
        }
        #[allow(clippy::disallowed_methods, reason = "nothing can be trusted to be committed any more")]
        std::process::exit(70);
    }));
    let password = password(args.password_file.as_deref())?;
    term::run(term::Args { face: args.face, host_lan: args.host_lan, colour: args.color, password })?;
    Ok(ExitCode::SUCCESS)
}

/// From a file's first line or the environment; never from the command line, which others can read.
fn password(file: Option<&Path>) -> Result<Option<Password>, Box<dyn Error>> {
    let text = match file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            text.lines().next().unwrap_or_default().to_owned()
        }
        None => match std::env::var("HONGYAN_PASSWORD") {
            Ok(text) => text,
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(error) => return Err(format!("HONGYAN_PASSWORD: {error}").into()),
        },
    };
    let password = Password::parse(&text).map_err(|error| format!("the password given: {error}"))?;
    Ok(Some(password))
}
