//! The loop: FLTK's own. The bell calls `awake_callback`, whose plain function drains the client, a
//! bounded turn at a time, also while a dialog is open. No borrow is held across a dialog.
//!
//! Its parts. Each window's part owns the window with what belongs to it, and does what was asked for there:
//!
//! - `core`: the client and the settings, lent to every part.
//! - `entry`, `registration`: the way in.
//! - `signed_in`: what belongs to one login.
//! - `main`, `chats`, `drafts`, `friends`, `profile`, `password`, `directory`: its windows.
//! - `questions`: what is asked of its owner, and the window about a doubtful server.
//! - `preferences`, `connection`, `wire`, `keys`: windows with or without a login.
//! - `renewal`: all of them once more, in another language or theme.
//! - `server`: looking for the server.
//! - `absence`: nobody is at this computer.
//! - `events`: what the client says.
//! - `leaving`: how a login ends, and the program.

mod absence;
mod chats;
mod connection;
mod core;
mod directory;
mod drafts;
mod entry;
mod events;
mod friends;
mod keys;
mod leaving;
mod main;
mod password;
mod preferences;
mod profile;
mod questions;
mod registration;
mod renewal;
mod server;
mod signed_in;
mod wire;

use std::cell::RefCell;
use std::rc::Rc;

use fltk::app;

use self::connection::Connecting;
use self::core::Core;
use self::entry::Entry;
use self::leaving::Leaving;
use self::signed_in::SignedIn;
use self::wire::Wire;
use super::keys_window::KeysWindow;
use super::settings_window::SettingsWindow;
use super::trust_window::TrustWindow;
use super::{Args, Emit, UiEvent, begin, screen, theme};
use crate::base::settings::{Saver, Settings};
use crate::client::absence::Absence;
use crate::client::net::clock;
use crate::client::{Client, ClientError, Config};
use crate::local::server_choice::ServerChoice;

thread_local! {
    static APP: RefCell<Option<App>> = const { RefCell::new(None) };
}

/// The whole state of the windows' loop.
struct App {
    core: Core,
    stage: Stage,
    connection: Connecting,
    wire: Wire,
    keys: Option<KeysWindow>,
    leaving: Leaving,
}

/// The windows and state of the login dialog while nobody is logged in, or those of the current login.
enum Stage {
    Entry(Box<Entry>),
    SignedIn(Box<SignedIn>),
}

impl Stage {
    /// The login dialog's state, while nobody is logged in.
    fn entry(&mut self) -> Option<&mut Entry> {
        if let Self::Entry(entry) = self { Some(entry) } else { None }
    }

    /// The current login's state, while somebody is logged in.
    fn signed_in(&mut self) -> Option<&mut SignedIn> {
        if let Self::SignedIn(signed_in) = self { Some(signed_in) } else { None }
    }

    fn is_signed_in(&self) -> bool {
        matches!(self, Self::SignedIn(_))
    }

    /// The settings window of this stage; it closes when the stage ends.
    fn settings(&mut self) -> &mut Option<SettingsWindow> {
        match self {
            Self::Entry(entry) => &mut entry.settings,
            Self::SignedIn(signed_in) => &mut signed_in.settings,
        }
    }

    /// The window about a doubtful server of this stage; it closes when the stage ends.
    fn trust(&mut self) -> &mut Option<TrustWindow> {
        match self {
            Self::Entry(entry) => &mut entry.trust,
            Self::SignedIn(signed_in) => &mut signed_in.trust,
        }
    }
}

/// Opens the login window and runs until the last window is closed.
///
/// # Errors
/// No socket can be opened, or no thread started.
pub fn run(args: Args) -> Result<(), ClientError> {
    let (settings, complaint) = Settings::load(&args.paths.settings);
    let saver = Saver::start(args.paths.settings.clone())?;
    rust_i18n::set_locale(args.language.unwrap_or(settings.language).locale());
    // What panels and docks know the windows by.
    fltk::window::Window::set_default_xclass("hongyan");
    let app = begin::connect();
    // How large everything is can be seen; FLTK's word for it is a window that takes the keys.
    app::set_option(app::Option::ShowScaling, false);
    preferences::set_theme(args.dark || settings.dark);
    theme::set_up_font();
    screen::begin(&settings.zoom);
    screen::on_zoom(preferences::zoom);
    // The first call prepares FLTK's own pipe; it must be made on this thread.
    app::awake_callback(|| {});
    let server = ServerChoice::of(args.server.as_deref(), args.host_lan, &settings);
    let client = open_client(&args, &settings, &server)?;
    // Windows emit from inside FLTK's callbacks: applied at the next turn, so no borrow can be open.
    let emit: Emit = Rc::new(|event| {
        app::add_timeout3(0.0, move |_| apply(event.clone()));
    });
    let absence = Absence::new(Absence::minutes(settings.away_after), clock::now().instant);
    let core = Core { client, emit, args, settings, saver, server, absence };
    let mut state = App {
        stage: Stage::Entry(Box::new(Entry::open(None, &core))),
        core,
        connection: Connecting::default(),
        wire: Wire::default(),
        keys: None,
        leaving: Leaving::No,
    };
    state.find_server();
    if let Some(complaint) = complaint {
        state.say(&complaint.to_string());
    }
    APP.set(Some(state));
    absence::arm();
    begin::first_picture();
    let result = app.run();
    // Here the history commits what waits, and the settings are on disk.
    drop(APP.take());
    if let Err(error) = result {
        log::error!("the windows' loop ended: {error}");
    }
    Ok(())
}

/// Opens a client for this server; it sends nothing before somebody logs in, registers or asks.
fn open_client(args: &Args, settings: &Settings, server: &ServerChoice) -> Result<Client, ClientError> {
    let data = args.paths.histories.clone();
    let config = Config {
        server: server.address(),
        name: server.name(),
        bind: args.bind,
        data,
        polling: settings.polling.into(),
        dialect: args.dialect,
        allow_plain: args.allow_plain,
    };
    Client::open(config, || app::awake_callback(drain))
}

/// Goes offline and ends the program without a question. Called by the thread of the signals; any thread may call it.
pub fn quit_soon() {
    app::awake_callback(|| leaving::leave(Leaving::Quit));
}

fn with<R>(f: impl FnOnce(&mut App) -> R) -> Option<R> {
    APP.with(|cell| cell.try_borrow_mut().ok().and_then(|mut app| app.as_mut().map(f)))
}

/// Calls `f` with the current login and the core, if somebody is logged in.
fn with_signed_in<R>(f: impl FnOnce(&mut SignedIn, &mut Core) -> R) -> Option<R> {
    with(|app| app.stage.signed_in().map(|signed_in| f(signed_in, &mut app.core))).flatten()
}

fn drain() {
    let more = with(|app| {
        let more = app.core.client.pump(clock::now);
        app.events();
        more
    });
    // Borrowed means that an apply is under way, which drains when it is done.
    if more == Some(true) {
        app::awake_callback(drain);
    }
}

/// Hands a window's event to the part of `app` that owns the window. Nothing is borrowed here, so that a part can open
/// a dialog while messages go on arriving behind it.
fn apply(event: UiEvent) {
    absence::touched();
    match event {
        UiEvent::Login(event) => entry::apply(event),
        UiEvent::Register(event) => registration::apply(event),
        UiEvent::Main(event) => main::apply(event),
        UiEvent::Chat(peer, event) => chats::apply(peer, event),
        UiEvent::Friend(event) => friends::apply(event),
        UiEvent::Lists(event) => friends::apply_lists(event),
        UiEvent::Profile(event) => profile::apply(event),
        UiEvent::Password(event) => password::apply(event),
        UiEvent::Settings(event) => preferences::apply(event),
        UiEvent::Trust(event) => questions::apply(event),
        UiEvent::Connection(event) => connection::apply(event),
        UiEvent::Wire(event) => wire::apply(event),
        UiEvent::Keys(event) => keys::apply(event),
    }
    with(App::events);
    drain();
}

/// Calls `what` at the loop's next turn, when nothing is borrowed.
fn soon(what: impl FnOnce() + 'static) {
    let mut what = Some(what);
    app::add_timeout3(0.0, move |_| {
        what.take().into_iter().for_each(|what| what());
        drain();
    });
}
