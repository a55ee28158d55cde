//! The loop: FLTK's own. The bell calls `awake_callback`, whose plain function drains the client, a
//! bounded turn at a time, also while a dialog is open. No borrow is held across a dialog.
//!
//! Its parts, each of a window or a subject of the loop: `login`, `registration`, `place`, `main`, `friends`, `chats`, `drafts`,
//! `password`, `preferences`, `questions`, `connection`, `wire` and `keys`.

mod chats;
mod connection;
mod drafts;
mod friends;
mod keys;
mod login;
mod main;
mod password;
mod place;
mod preferences;
mod questions;
mod registration;
mod wire;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use fltk::app;
use rust_i18n::t;

use super::chat_window::ChatWindow;
use super::connection_window::ConnectionWindow;
use super::friend_window::FriendWindow;
use super::keys_window::KeysWindow;
use super::login_window::{Login, LoginForm};
use super::main_window::MainWindow;
use super::notice::Kept;
use super::password_window::PasswordWindow;
use super::register_window::{Register, RegisterForm};
use super::settings_window::SettingsWindow;
use super::trust_window::{Doubt, TrustWindow};
use super::wire_window::WireWindow;
use super::{Args, Emit, Secret, UiEvent, begin, screen, theme, widgets};
use crate::base::model::Account;
use crate::base::settings::{Saver, Settings};
use crate::client::net::{Now, clock};
use crate::client::session::Link;
use crate::client::{Client, ClientError, Config, Event};
use crate::local::place::Place;
use place::Pending;
use questions::Trouble;

thread_local! {
    static APP: RefCell<Option<App>> = const { RefCell::new(None) };
}

/// What happens when the server has let us go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    No,
    Quit,
    SwitchAccount,
    /// With the same account.
    LogInAgain,
    /// The same, after what can be read of its history is rescued.
    Rescue,
}

struct App {
    client: Client,
    emit: Emit,
    args: Args,
    settings: Settings,
    saver: Saver,
    /// Where the server is, as far as that is known.
    place: Place,
    me: Option<Account>,
    login: Option<Login>,
    /// What waits until the server is there.
    pending: Option<Pending>,
    /// Said in the main window once that is open.
    afterwards: Option<String>,
    /// The same of something that stays until it is seen.
    kept_for_main: Option<String>,
    /// The account whose other session may be ended by the next login.
    takeover: Option<Account>,
    /// The server said last that the account of the main window is no more.
    deleted: bool,
    /// What its owner has to decide.
    trouble: Option<Trouble>,
    register: Option<(Register, RegisterForm)>,
    main: Option<MainWindow>,
    friend: Option<FriendWindow>,
    password: Option<PasswordWindow>,
    preferences: Option<SettingsWindow>,
    wire: Option<WireWindow>,
    /// What became of the last trial by hand is not known yet.
    trial_waits: bool,
    keys: Option<KeysWindow>,
    connection: Option<ConnectionWindow>,
    trust: Option<TrustWindow>,
    finding: connection::Finding,
    chats: HashMap<Account, ChatWindow>,
    /// Typed and not sent, of chats that are closed.
    drafts: HashMap<Account, String>,
    /// Chats in which something was typed that is not on its way to the disk.
    typed: HashSet<Account>,
    /// The account's history is damaged, and its owner not asked yet.
    damaged: Option<String>,
    online: Option<Vec<Account>>,
    /// Whether the server is known as ours, by its extensions.
    ours: Option<bool>,
    leaving: Leaving,
}

/// Opens the login window and runs until the last window is closed.
///
/// # Errors
/// No socket, no threads.
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
    let place = Place::of(args.server.as_deref(), args.host_lan, &settings);
    let client = open_client(&args, &settings, &place)?;
    // Windows emit from inside FLTK's callbacks: applied at the next turn, so no borrow can be open.
    let emit: Emit = Rc::new(|event| {
        app::add_timeout3(0.0, move |_| apply(event.clone()));
    });
    let mut state = App {
        client,
        emit,
        args,
        settings,
        saver,
        place,
        me: None,
        login: None,
        pending: None,
        afterwards: None,
        kept_for_main: None,
        takeover: None,
        deleted: false,
        trouble: None,
        register: None,
        main: None,
        friend: None,
        password: None,
        preferences: None,
        wire: None,
        trial_waits: false,
        keys: None,
        connection: None,
        trust: None,
        finding: connection::Finding::NONE,
        chats: HashMap::new(),
        drafts: HashMap::new(),
        typed: HashSet::new(),
        damaged: None,
        online: None,
        ours: None,
        leaving: Leaving::No,
    };
    state.open_login(None);
    state.find_server();
    if let Some(complaint) = complaint {
        state.say(&complaint.to_string());
    }
    APP.with(|cell| *cell.borrow_mut() = Some(state));
    begin::first_picture();
    let result = app.run();
    // Here the history commits what waits, and the settings are on disk.
    APP.with(|cell| cell.borrow_mut().take());
    if let Err(error) = result {
        log::error!("the windows' loop ended: {error}");
    }
    Ok(())
}

/// A client for this server; it sends nothing before it is asked to.
fn open_client(args: &Args, settings: &Settings, place: &Place) -> Result<Client, ClientError> {
    let data = args.paths.histories.clone();
    let config = Config {
        server: place.address(),
        name: place.name(),
        bind: args.bind,
        data,
        polling: settings.polling.into(),
        dialect: args.dialect,
        allow_plain: args.allow_plain,
    };
    Client::open(config, || app::awake_callback(drain))
}

/// Goes offline and ends, without a question; callable on any thread, for signals.
pub fn quit_soon() {
    app::awake_callback(|| leave(Leaving::Quit));
}

fn with<R>(f: impl FnOnce(&mut App) -> R) -> Option<R> {
    APP.with(|cell| cell.try_borrow_mut().ok().and_then(|mut app| app.as_mut().map(f)))
}

fn drain() {
    let more = with(|app| {
        let more = app.client.pump(clock::now);
        app.events();
        more
    });
    // Borrowed means that an apply is under way, which drains when it is done.
    if more == Some(true) {
        app::awake_callback(drain);
    }
}

/// Does what a window asked for, by the part that is about that window. Nothing is borrowed here, so that a part can open
/// a dialog, and messages go on arriving behind it.
fn apply(event: UiEvent) {
    match event {
        UiEvent::Login(event) => login::apply(event),
        UiEvent::Register(event) => registration::apply(event),
        UiEvent::Main(event) => main::apply(event),
        UiEvent::Chat(peer, event) => chats::apply(peer, event),
        UiEvent::Friend(event) => friends::apply(event),
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

/// Does this at the loop's next turn, when nothing is borrowed.
fn soon(what: impl FnOnce() + 'static) {
    let mut what = Some(what);
    app::add_timeout3(0.0, move |_| {
        what.take().into_iter().for_each(|what| what());
        drain();
    });
}

fn quit() {
    if with(|app| app.main.is_none()) == Some(true) {
        return app::quit();
    }
    if !may_leave() {
        return;
    }
    leave(Leaving::Quit);
}

/// Asks if something is unsent; true if nothing is, or it may wait.
fn may_leave() -> bool {
    match with(|app| app.client.unsent()) {
        None => false,
        Some(0) => true,
        Some(n) => widgets::ask(&t!("gui.unsent", n = n), &t!("gui.close"), &t!("gui.stay")),
    }
}

fn leave(how: Leaving) {
    leave_by(how, Client::go_offline);
}

fn leave_by(how: Leaving, going: fn(&mut Client, Now)) {
    with(|app| {
        app.leaving = how;
        going(&mut app.client, clock::now());
        app.events();
    });
    // Leaving never depends on the answer.
    app::add_timeout3(1.0, |_| {
        with(App::left);
    });
}

impl App {
    /// Something that has happened: in the main window it stays until its owner takes it away.
    fn tell(&mut self, text: &str) {
        self.keep(Kept::Sentence(text.to_owned()));
    }

    fn keep(&mut self, what: Kept) {
        log::info!("told: {what:?}");
        match (&mut self.main, &what) {
            (Some(main), _) => main.keep(what),
            (None, Kept::Sentence(text)) => self.say(&text.clone()),
            (None, Kept::Lost(_)) => {}
        }
    }

    /// Something of the moment that concerns no chat alone, where the person looks; in the main window it goes
    /// when trouble with the server ends.
    fn say(&mut self, text: &str) {
        log::info!("said: {text}");
        if let Some((register, _)) = &mut self.register {
            register.refuse(text, None);
        } else if let Some(login) = &mut self.login {
            login.say(text, true);
        } else if let Some(main) = &mut self.main {
            main.say_trouble(text);
        }
    }

    fn events(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.show(event);
        }
        if let Some(main) = &mut self.main {
            main.set_now(clock::now().unix_ms);
        }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Link(link) => {
                log::info!("link: {link:?}");
                if let Some(main) = &mut self.main {
                    main.set_link(link);
                    main.set_speaks(self.client.connection().speaks);
                }
                if matches!(link, Link::LoggingIn | Link::Connected { .. }) {
                    self.no_trouble();
                }
                if matches!(link, Link::Connected { .. }) {
                    self.deleted = false;
                    self.close_trust();
                }
                match link {
                    // The first sign of trouble; asking a server that is there costs a datagram.
                    Link::LoggingIn | Link::Waiting | Link::Retrying { .. } => self.revive_server(),
                    Link::Offline | Link::LoggedOut => self.set_online(None),
                    Link::Connected { .. } => {}
                }
                self.refresh_headers();
            }
            Event::Silent(silent) => {
                log::info!("silent: {silent}");
                if let Some(main) = &mut self.main {
                    main.set_silent(silent);
                }
                self.refresh_headers();
            }
            Event::NotStoring(not) => self.main.iter_mut().for_each(|main| main.set_not_storing(not)),
            Event::Registered(outcome) => self.registered(&outcome),
            Event::LoggedIn(outcome) => self.logged_in(&outcome),
            Event::WentOffline(_) => self.left(),
            Event::Conversations(list) => {
                if let Some(main) = &mut self.main {
                    main.set_conversations(list);
                }
                self.read_all_looked_at();
                self.refresh_headers();
            }
            Event::MoreStrangers(more) => {
                if let Some(main) = &mut self.main {
                    main.set_more_strangers(more);
                }
            }
            Event::Message { peer, row } => self.message(peer, row),
            Event::Outgoing { id, state } => {
                for chat in self.chats.values_mut() {
                    chat.set_state(id, state);
                }
            }
            Event::Index { peer, rows } => self.index(&peer, rows),
            Event::RowsChanged => self.chats.keys().for_each(|peer| self.client.index(peer.clone())),
            Event::Page { peer, first, rows } => {
                if let Some(chat) = self.chats.get_mut(&peer) {
                    chat.fill(first, rows);
                }
            }
            // Asked for by faces without transcripts.
            Event::Last { .. } | Event::Found { .. } => {}
            Event::Tap(record) => self.push_wire(&record),
            Event::Online(accounts) => self.set_online(Some(accounts)),
            Event::CameOnline(account) => self.came_or_went(&account, true),
            Event::WentAway(account) => self.came_or_went(&account, false),
            Event::Raise => {
                if let Some(main) = &mut self.main {
                    main.raise();
                }
            }
            Event::Imported(Ok(n)) => self.tell(&t!("main.imported", n = n)),
            Event::Exported(Ok(())) => self.tell(&t!("main.exported")),
            Event::Imported(Err(error)) | Event::Exported(Err(error)) => self.tell(&error),
            Event::Extensions(ours) => {
                self.ours = Some(ours);
                self.chats.values_mut().for_each(|chat| chat.set_foreign(!ours));
            }
            Event::NoLobby { .. } => self.no_lobby(&event.notice().unwrap_or_default()),
            Event::Paced(wait) => self.say(&t!("gui.paced", s = wait.as_secs().max(1))),
            Event::PasswordChanged(outcome) => self.password_changed(&outcome),
            Event::MaybeLost(n) => self.keep(Kept::Lost(n)),
            Event::NotUnderstood(_) => self.tell(&t!("gui.not_understood")),
            Event::NotKept { peer, text } => match self.chats.get_mut(&peer) {
                Some(chat) => {
                    chat.say(&t!("gui.not_kept"));
                    chat.give_back(&text);
                }
                None => self.tell(&t!("gui.not_kept")),
            },
            Event::NetworkTrouble(error) => self.say(&t!("gui.network_trouble", error = error)),
            Event::DiskTrouble(error) => self.tell(&t!("gui.disk_trouble", error = error)),
            Event::NotOpened(sentence) => self.say(&sentence),
            Event::Damaged { sentence, .. } => self.damaged(sentence),
            Event::NotRead { peer, why } => self.not_read(peer, &why),
            Event::Rescued(Ok(rescued)) => self.rescued(&rescued.sentence()),
            Event::Rescued(Err(why)) => self.say(&why),
            Event::Drafts(drafts) => self.drafts.extend(drafts),
            Event::Speaks(_) => {}
            Event::Past { peer, more, .. } => self.earlier_came(peer, more),
            Event::AccountSettings(settings) => self.account_settings(settings),
            Event::PlainOnly(why) => self.doubt(Doubt::Plain(why)),
            Event::KeyChanged(change) => self.doubt(Doubt::Key(change)),
            Event::Kicked { address, at } => self.ask(Trouble::Kicked { address, at }),
            Event::Copied { offline: true } => self.ask(Trouble::Copied),
            Event::Copied { offline: false } => self.tell(&t!("secure.copied_beside")),
            Event::TookPlace { address } => self.tell(&t!("main.took_place", address = address)),
            Event::LookedUp { asked, found } => self.looked_up(&asked, &found),
            Event::MadeAnew { .. } => self.made_anew(event.notice().unwrap_or_default()),
            other => other.notice().iter().for_each(|text| self.tell(text)),
        }
    }

    fn set_online(&mut self, online: Option<Vec<Account>>) {
        let unsure = self.main.as_ref().is_some_and(|main| main.roster().is_unsure());
        if self.online == online && !unsure {
            return;
        }
        self.online.clone_from(&online);
        if let Some(main) = &mut self.main {
            main.set_online(online);
        }
        self.refresh_headers();
    }

    /// The server has let us go, or did not answer in time.
    fn left(&mut self) {
        self.keep_drafts();
        match std::mem::replace(&mut self.leaving, Leaving::No) {
            Leaving::No => {}
            Leaving::Quit => {
                self.keep_places();
                app::quit();
                widgets::close_menu();
            }
            how @ (Leaving::SwitchAccount | Leaving::LogInAgain | Leaving::Rescue) => {
                self.keep_places();
                self.trouble = None;
                self.deleted = false;
                self.close_trust();
                let again = self.me.take().filter(|_| how != Leaving::SwitchAccount);
                for (_, chat) in self.chats.drain() {
                    chat.close();
                }
                self.close_friend();
                self.close_password();
                self.close_settings();
                if let Some(main) = self.main.take() {
                    main.close();
                }
                self.drafts.clear();
                self.online = None;
                self.client.close_account();
                let stays = |account: &Account| how == Leaving::LogInAgain || self.client.can_resume(account);
                let stay = again.as_ref().is_some_and(stays);
                let rescued = again.clone().filter(|_| how == Leaving::Rescue);
                self.open_login(again.map(|account| LoginForm {
                    account: account.to_string(),
                    password: Secret::default(),
                    remember: self.settings.remember,
                    stay,
                }));
                if let Some(account) = rescued {
                    self.rescue(&account);
                }
                // The settings may name another server by now.
                self.change_place();
            }
        }
    }
}
