//! The windows: `hongyan [--server HOST:PORT]`. Without a server it finds or starts one on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hongyan::settings::{Language, Paths};
use hongyan::{gui, host, logging};
use simplelog::LevelFilter;

/// A classic, light, native chat program.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The server [default: one on this machine, started if need be]
    #[arg(long, value_name = "HOST:PORT")]
    server: Option<String>,
    /// The local address to send from
    #[arg(long, value_name = "ADDR:PORT")]
    bind: Option<SocketAddr>,
    /// The account to fill in
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Keeps two windows of one machine apart
    #[arg(long, value_name = "NAME", default_value = "default")]
    profile: String,
    /// Where everything is kept [default: the user's data folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The language [default: the system's]
    #[arg(long, value_parser = ["zh", "en"])]
    lang: Option<String>,
    /// Dark windows
    #[arg(long)]
    dark: bool,
    /// Let others on the network use this machine's server
    #[arg(long)]
    host_lan: bool,
    /// off, error, warn, info, debug or trace
    #[arg(long, default_value = "warn")]
    log_level: LevelFilter,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    #[command(hide = true)]
    ServeLocal {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        data: PathBuf,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "this is what the terminal is for")]
            {
                eprintln!("hongyan: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let paths = Paths::new(args.data.as_deref(), &args.profile)?;
    if let Some(Command::ServeLocal { listen, data }) = args.command {
        logging::init("hongyan-server", args.log_level, &data.join("logs"));
        return Ok(host::serve_local(listen, &data)?);
    }
    logging::init("hongyan", args.log_level, &paths.logs);
    // FLTK swallows panics in callbacks; a window that goes on half-broken is worse than none.
    std::panic::set_hook(Box::new(|panic| {
        log::error!("{panic}");
        #[allow(clippy::print_stderr, reason = "the person at the terminal should see it")]
        {
            eprintln!("hongyan: {panic}");
        }
        #[allow(clippy::disallowed_methods, reason = "nothing can be trusted to be committed any more")]
        std::process::exit(70);
    }));
    if let Some(why) = gui::x11::no_display() {
        return Err(why.into());
    }
    #[cfg(unix)]
    end_by_signals()?;
    let language = args.lang.map(|lang| if lang == "zh" { Language::Zh } else { Language::En });
    gui::run(gui::Args {
        server: args.server,
        bind: args.bind,
        account: args.account,
        paths,
        language,
        dark: args.dark,
        host_lan: args.host_lan,
    })?;
    Ok(())
}

/// SIGINT and SIGTERM go offline first, as closing the window does.
#[cfg(unix)]
fn end_by_signals() -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let wait = move || {
        if signals.forever().next().is_some() {
            gui::quit_soon();
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).map(drop)
}
