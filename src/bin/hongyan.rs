//! The windows: `hongyan [--server HOST:PORT]`. Without a server it finds or starts one on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use hongyan::base::cli::Face;
use hongyan::base::logging;
use hongyan::local::own_server;
use hongyan::ui::gui;

/// A classic, light, native chat program.
#[derive(Parser)]
#[command(name = "hongyan", version, disable_help_subcommand = true)]
struct Args {
    #[command(flatten)]
    face: Face,
    /// Use dark windows
    #[arg(long)]
    dark: bool,
    /// Let others on the network use this machine's server
    #[arg(long)]
    host_lan: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Write the manual page and shell completions below a folder
    #[command(hide = true)]
    Generate { folder: PathBuf },
    #[command(hide = true)]
    ServeLocal {
        #[arg(long)]
        listen: SocketAddr,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[allow(clippy::print_stderr, reason = "this is what the terminal is for")]
            {
                eprintln!("hongyan: {}", hongyan::base::trouble::of_any(&*error));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let paths = args.face.paths()?;
    if let Some(Command::Generate { folder }) = args.command {
        return Ok(hongyan::base::cli::generate(Args::command(), &folder)?);
    }
    if let Some(Command::ServeLocal { listen }) = args.command {
        let data = args.face.data.ok_or("--data DIR is missing")?;
        logging::init("hongyan-server", args.face.log_level, &data.join("logs"));
        return Ok(own_server::serve_local(listen, &data)?);
    }
    gui::begin::fonts();
    logging::init("hongyan", args.face.log_level, &paths.logs);
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
    let (language, dialect) = (args.face.language(), args.face.dialect());
    gui::run(gui::Args {
        server: args.face.server,
        bind: args.face.bind,
        dialect,
        allow_plain: args.face.allow_plain,
        account: args.face.account,
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
