//! The windows: `hongyan [--server HOST:PORT]`. Without a server it finds or starts one on this machine.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use hongyan::{gui, host};
use simplelog::{ColorChoice, ConfigBuilder, LevelFilter, TermLogger, TerminalMode};

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
    #[arg(long, value_name = "NAME", default_value = "")]
    account: String,
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
    let log = ConfigBuilder::new().set_time_format_rfc3339().build();
    let _ = TermLogger::init(args.log_level, log, TerminalMode::Stderr, ColorChoice::Auto);
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hongyan: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(Command::ServeLocal { listen, data }) = args.command {
        return Ok(host::serve_local(listen, &data)?);
    }
    // FLTK swallows panics in callbacks; a window that goes on half-broken is worse than none.
    std::panic::set_hook(Box::new(|panic| {
        log::error!("{panic}");
        eprintln!("hongyan: {panic}");
        std::process::exit(70);
    }));
    #[cfg(all(unix, not(target_os = "macos")))]
    if std::env::var_os("DISPLAY").is_none_or(|d| d.is_empty()) {
        return Err("there is no display; set DISPLAY, or start it in a graphical session".into());
    }
    let data = match args.data {
        Some(data) => data,
        None => directories::ProjectDirs::from("", "", "hongyan")
            .ok_or("there is no home directory; please give --data DIR")?
            .data_dir()
            .to_owned(),
    };
    let (server, local) = match &args.server {
        None => (SocketAddr::from(([127, 0, 0, 1], 21568)), true),
        Some(name) => {
            let address = name.to_socket_addrs().map_err(|error| format!("{name}: {error}"))?.next();
            (address.ok_or_else(|| format!("{name} has no address"))?, false)
        }
    };
    let lang = args.lang.or_else(sys_locale::get_locale).unwrap_or_default();
    let locale = if lang.starts_with("zh") { "zh-CN" } else { "en" };
    let local_server = local.then(|| data.join("server"));
    let profile = data.join("profiles").join(&args.profile);
    gui::run(gui::Args {
        server,
        local_server,
        bind: args.bind,
        account: args.account,
        profile,
        locale,
        dark: args.dark,
    })?;
    Ok(())
}
