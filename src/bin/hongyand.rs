//! The server by itself: `hongyand --listen ADDR:PORT --data DIR`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program's answer goes to the terminal")]
#![allow(clippy::disallowed_methods, reason = "a program reads the clock")]

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{CommandFactory, Parser, Subcommand};
use hongyan::base::logging;
use hongyan::base::settings::Language;
use hongyan::protocol::wire::explain::Colour;
use hongyan::server::explain::{self, Epoch, ExplainSender, OutputFormat, PrinterThread};
use hongyan::server::store::admin;
use hongyan::server::udp::{Config, Lossy, Server};
use hongyan::server::{OnSecondLogin, Quotas};
use simplelog::LevelFilter;

/// A chat server for the plain protocol of the course over UDP, and for an encrypted one on the same port.
#[derive(Parser)]
#[command(name = "hongyand", version, disable_help_subcommand = true)]
struct Args {
    /// The address to listen on: one of this machine, or 0.0.0.0 or [::] for all of them
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:21568", value_parser = listen)]
    listen: SocketAddr,
    /// The data directory [default: the user's data folder]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// What happens at a login with the right password while the account has a session elsewhere
    #[arg(long, value_enum, default_value = "rebind")]
    on_second_login: SecondLogin,
    /// Simulate a bad network to test clients: percent dropped, doubled, swapped [, seed]
    #[arg(long, value_name = "DROP,DUP,REORDER", value_parser = lossy)]
    lossy: Option<Lossy>,
    /// Print each request decoded, what is wrong with it, and the answer; messages are shown, passwords never
    #[arg(long, value_enum, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "lines")]
    explain: Option<Explain>,
    /// When to use colours for --explain; auto means on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    color: ColourWhen,
    /// The language of --explain and protocol [default: the system's]
    #[arg(long, global = true, value_parser = ["zh", "en"])]
    lang: Option<String>,
    /// How many unread messages an account may have; further ones are answered 03:02
    #[arg(long, value_name = "N", default_value_t = Quotas::default().mailbox)]
    max_mailbox: u64,
    /// How many accounts there may be; further registrations are answered 00:00
    #[arg(long, value_name = "N", default_value_t = Quotas::default().accounts)]
    max_accounts: usize,
    /// How many messages a second an account may send to others, 15 seconds' worth at once; further ones have to wait;
    /// 0 means any number
    #[arg(long, value_name = "PER_SECOND", default_value_t = Quotas::default().sending)]
    max_sending: u32,
    /// The same for the lobby, where each message goes to everybody
    #[arg(long, value_name = "PER_SECOND", default_value_t = Quotas::default().lobby)]
    max_lobby: u32,
    /// How many MiB the database may have; beyond that nothing new is stored, but reading goes on [default: no limit]
    #[arg(long, value_name = "MIB")]
    max_disk: Option<u64>,
    /// Speak only the plain protocol, without encryption, to test other people's programs
    #[arg(long)]
    plain_only: bool,
    /// Close the directory: people are found only by their whole account, and nobody by name
    #[arg(long)]
    no_directory: bool,
    /// Make a new key if the file with the old one is missing; every client will warn of a changed key
    #[arg(long)]
    new_key: bool,
    /// End this long after the last person has left
    #[arg(long, value_name = "SECS", hide = true)]
    idle_exit: Option<u64>,
    /// How much to log: off, error, warn, info, debug or trace
    #[arg(long, default_value = "info")]
    log_level: LevelFilter,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum SecondLogin {
    /// 02:04, and the session moves at once; the earlier address gets 07:01
    Rebind,
    /// 02:04; for 30 s the new address may end the old session with 06#
    Arm,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Explain {
    /// Lines for people
    Lines,
    /// JSON for programs, one object a line
    Json,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ColourWhen {
    Auto,
    Always,
    Never,
}

impl ColourWhen {
    fn colour(self) -> Colour {
        let plain = || {
            let says_no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            says_no || std::env::var_os("TERM").is_some_and(|term| term == "dumb") || !std::io::stdout().is_terminal()
        };
        match self {
            Self::Always => Colour::Ansi,
            Self::Auto if !plain() => Colour::Ansi,
            Self::Auto | Self::Never => Colour::None,
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Manage accounts; a running server carries it out at once
    #[command(subcommand)]
    Account(AccountCommand),
    /// Write a consistent copy of the database, even while the server runs
    Backup { file: PathBuf },
    /// Print the server's key in words, English and Chinese, to compare with those that a client shows
    Key,
    /// Print the reference of the plain protocol, for people who write a client or a server
    Protocol,
    /// Register a class from a CSV file of account,password lines, or with a header that names the columns, one of
    /// names among them if there is one. Either all new accounts are made or none; existing ones keep their passwords,
    /// and get a name only if they have none. A running server carries it out at once
    Import { file: PathBuf },
    /// Write manual pages and shell completions below a folder
    #[command(hide = true)]
    Generate { folder: PathBuf },
}

#[derive(Subcommand)]
enum AccountCommand {
    /// List all accounts: unread messages, where they are logged in and, if the server runs, who is online
    List,
    /// Give an account a new password, read from standard input, and log it out everywhere
    Reset { account: String },
    /// Print the name under which an account's owner is shown to others, or set it; "" removes their profile
    Name { account: String, name: Option<String> },
    /// Delete an account with its mailbox, and log it out
    Delete { account: String },
    /// Restrict an account to the secure dialect (a plain login then looks like a wrong password), or allow the plain
    /// one again
    SecureOnly {
        account: String,
        #[arg(value_enum)]
        state: OnOff,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OnOff {
    On,
    Off,
}

/// Parses an address and a port; if it is nearly right, the error says how to write it.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    if let Ok(address) = text.parse::<SocketAddr>() {
        return match address {
            SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0 => {
                let (ip, port) = (v6.ip(), v6.port());
                Err(format!("a link-local address is one of each network: say which, like [{ip}%eth0]:{port}"))
            }
            address => Ok(address),
        };
    }
    if text.strip_prefix(':').unwrap_or(text).parse::<u16>().is_ok() {
        let port = text.trim_start_matches(':');
        return Err(format!(
            "an address is missing: 127.0.0.1:{port} for this machine alone, 0.0.0.0:{port} for everybody who can \
             reach it, [::]:{port} for those with IPv6 too"
        ));
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if !text.contains("]:")
        && let Ok(ip) = bare.split('%').next().unwrap_or(bare).parse::<IpAddr>()
    {
        let right = if ip.is_ipv4() { format!("{bare}:21568") } else { format!("[{bare}]:21568") };
        return Err(format!("a port is missing, as in {right}"));
    }
    let Some((host, port)) = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)))
    else {
        return Err("an address and a port are expected, like 0.0.0.0:21568 or [::]:21568".to_owned());
    };
    if let Some((ip, zone)) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')?.split_once('%')) {
        let found = (format!("{ip}%{zone}"), port).to_socket_addrs();
        return found.ok().and_then(|mut found| found.next()).ok_or(format!("this machine has no network {zone}"));
    }
    let found: Vec<String> = (host, port).to_socket_addrs().into_iter().flatten().map(|at| at.to_string()).collect();
    match found.as_slice() {
        [] => Err(format!("{host} is no address: one is expected, like 0.0.0.0:{port} or [::]:{port}")),
        found => Err(format!("{host} is a name: please give an address, which may be {}", found.join(" or "))),
    }
}

fn lossy(text: &str) -> Result<Lossy, String> {
    let numbers: Vec<u64> = text
        .split(',')
        .map(|n| n.trim().parse().map_err(|_| format!("{n:?} is no number")))
        .collect::<Result<_, _>>()?;
    let percent = |n: u64| u8::try_from(n).ok().filter(|n| *n <= 100).ok_or(format!("{n} is no percentage"));
    match numbers.as_slice() {
        [drop, duplicate, reorder, seed @ ..] if seed.len() < 2 => Ok(Lossy {
            drop: percent(*drop)?,
            duplicate: percent(*duplicate)?,
            reorder: percent(*reorder)?,
            seed: seed.first().copied().unwrap_or(1),
        }),
        _ => Err("three percentages and perhaps a seed are expected, like 30,10,25".to_owned()),
    }
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hongyand: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Box<dyn Error>> {
    if let Some(Command::Protocol) = args.command {
        let page = hongyan::protocol::wire::reference(locale(args.lang.as_deref()));
        for line in page.lines().filter(|line| !line.starts_with("<a id=")) {
            // A pager may be closed before the end of the text.
            if writeln!(std::io::stdout(), "{line}").is_err() {
                break;
            }
        }
        return Ok(());
    }
    let data = match args.data {
        Some(data) => data,
        None => directories::ProjectDirs::from("", "", "hongyan")
            .ok_or("there is no home directory; please give --data DIR")?
            .data_dir()
            .join("server"),
    };
    match args.command {
        Some(command) => administer(&data, command),
        None => {
            let on_second_login = match args.on_second_login {
                SecondLogin::Arm => OnSecondLogin::Arm,
                SecondLogin::Rebind => OnSecondLogin::Rebind,
            };
            let idle_exit = args.idle_exit.map(std::time::Duration::from_secs);
            let disk = args.max_disk.map(|mib| mib.saturating_mul(1024 * 1024));
            let quotas = Quotas {
                mailbox: args.max_mailbox,
                accounts: args.max_accounts,
                sending: args.max_sending,
                lobby: args.max_lobby,
                disk,
            };
            let (explain, printing) = match args.explain {
                Some(form) => {
                    explained(form, args.color, locale(args.lang.as_deref())).map(|(tap, p)| (Some(tap), Some(p)))?
                }
                None => (None, None),
            };
            let config = Config {
                on_second_login,
                quotas,
                lossy: args.lossy,
                idle_exit,
                explain,
                secure: !args.plain_only,
                new_key: args.new_key,
                directory: !args.no_directory,
                ..Config::new(args.listen, data)
            };
            logging::init("hongyand", args.log_level, &config.data.join("logs"));
            serve(config)?;
            if let Some(printing) = printing {
                printing.finish(Duration::from_secs(1));
            }
            Ok(())
        }
    }
}

/// Returns the locale of `--lang`.
fn locale(lang: Option<&str>) -> &'static str {
    let language = match lang {
        Some("zh") => Language::Zh,
        Some(_) => Language::En,
        None => Language::System,
    };
    language.locale()
}

fn explained(
    form: Explain,
    color: ColourWhen,
    locale: &'static str,
) -> std::io::Result<(ExplainSender, PrinterThread)> {
    let form = match form {
        Explain::Lines => OutputFormat::Lines(color.colour()),
        Explain::Json => OutputFormat::Json,
    };
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let epoch = Epoch { instant: Instant::now(), unix_ms: i64::try_from(unix).unwrap_or(i64::MAX) };
    explain::start(std::io::stdout(), form, locale, epoch)
}

fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let data = config.data.display().to_string();
    let server = Server::start(config)?;
    log::info!("listening on {}, data in {data}", server.address());
    server.end_at_signals()?;
    Ok(server.wait()?)
}

fn administer(data: &std::path::Path, command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Account(AccountCommand::List) => {
            let silent = |error| eprintln!("hongyand: {error}; what follows is what is on disk, without who is online");
            for row in admin::list(data, silent)? {
                let at = if row.addresses.is_empty() { "-".to_owned() } else { row.addresses.join(", ") };
                let name = hongyan::base::model::names::shown(&row.name);
                let only = if row.secure_only { "\tsecure-only" } else { "" };
                let online = if row.online { "\tonline" } else { "" };
                let shown = if row.shown.is_empty() { String::new() } else { format!("\tname {}", row.shown) };
                // The reader may close the pipe before the end.
                if writeln!(std::io::stdout(), "{name}\t{} unread\t{at}{only}{online}{shown}", row.unread).is_err() {
                    break;
                }
            }
        }
        Command::Account(AccountCommand::Reset { account }) => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            admin::reset(data, &account, &admin::given_password(&line)?)?;
        }
        Command::Account(AccountCommand::Name { account, name: None }) => println!("{}", admin::name(data, &account)?),
        Command::Account(AccountCommand::Name { account, name: Some(name) }) => admin::set_name(data, &account, &name)?,
        Command::Account(AccountCommand::Delete { account }) => admin::delete(data, &account)?,
        Command::Account(AccountCommand::SecureOnly { account, state }) => {
            admin::secure_only(data, &account, state == OnOff::On)?;
        }
        Command::Backup { file } => admin::backup(data, &file)?,
        Command::Key => {
            let key = hongyan::server::carrier::key(data)?;
            println!("{}\n{}", hongyan::protocol::link::words(&key, false), hongyan::protocol::link::words(&key, true));
        }
        Command::Protocol => {}
        Command::Import { file } => {
            let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
            println!("{}", admin::import(data, &file, i64::try_from(at)?)?);
        }
        Command::Generate { folder } => hongyan::base::cli::generate(Args::command(), &folder)?,
    }
    Ok(())
}
