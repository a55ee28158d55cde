//! The loop: FLTK's own. The bell calls `awake_callback`, whose plain function drains the client, a
//! bounded turn at a time, also while a dialog is open. No borrow is held across a dialog.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fltk::app;
use fltk::dialog;
use rust_i18n::t;

use super::chat_window::{ChatWindow, SHOWN};
use super::login::{Emit, Login, Register};
use super::main_window::MainWindow;
use super::{Args, UiEvent, theme};
use crate::client::{Client, ClientError, Config, Event};
use crate::history::Contact;
use crate::model::{Account, Password};
use crate::net::clock;
use crate::session::{LoginOutcome, Polling, RegisterOutcome};
use crate::wire::reply::{LoggedIn, Registered};

thread_local! {
    static APP: RefCell<Option<App>> = const { RefCell::new(None) };
}

struct App {
    client: Client,
    emit: Emit,
    me: Option<Account>,
    login: Option<Login>,
    takeover: bool,
    register: Option<(Register, String)>,
    main: Option<MainWindow>,
    chats: HashMap<Account, ChatWindow>,
    leaving: bool,
}

/// Opens the login window and runs until the last window is closed.
///
/// # Errors
/// No socket, no threads.
pub fn run(args: Args) -> Result<(), ClientError> {
    rust_i18n::set_locale(args.locale);
    let app = app::App::default();
    theme::set(if args.dark { theme::Theme::Dark } else { theme::Theme::Light });
    theme::set_up_font();
    // The first call prepares FLTK's own pipe; it must be made on this thread.
    app::awake_callback(|| {});
    let config =
        Config { server: args.server, bind: args.bind, data: args.profile.clone(), polling: Polling::Adaptive };
    let client = Client::open(config, || app::awake_callback(drain))?;
    // Windows emit from inside FLTK's callbacks: applied at the next turn, so no borrow can be open.
    let emit: Emit = Rc::new(|event| {
        app::add_timeout3(0.0, move |_| apply(event.clone()));
    });
    let place = match args.local_server {
        Some(_) => t!("gui.this_computer", server = args.server),
        None => t!("gui.server", server = args.server),
    };
    let login = Login::new(&args.account, &place, Rc::clone(&emit));
    if let Some(data) = args.local_server {
        let server = args.server;
        let started = std::thread::Builder::new().name("host".into()).spawn(move || {
            if let Err(error) = crate::host::ensure(server, &data) {
                log::error!("{error}");
                let text = error.to_string();
                app::awake_callback(move || {
                    with(|a| a.say(&text));
                });
            }
        });
        if let Err(error) = started {
            log::error!("no thread for the local server: {error}");
        }
    }
    let state = App {
        client,
        emit,
        me: None,
        login: Some(login),
        takeover: false,
        register: None,
        main: None,
        chats: HashMap::new(),
        leaving: false,
    };
    APP.with(|cell| *cell.borrow_mut() = Some(state));
    let result = app.run();
    APP.with(|cell| cell.borrow_mut().take());
    if let Err(error) = result {
        log::error!("the windows' loop ended: {error}");
    }
    Ok(())
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
    // Borrowed means that a dialog or an apply is on: whoever holds it drains when done.
    if more == Some(true) {
        app::awake_callback(drain);
    }
}

fn apply(event: UiEvent) {
    if event == UiEvent::Quit {
        return quit();
    }
    with(|app| {
        app.apply(event);
        app.events();
    });
    drain();
}

fn quit() {
    let Some(unsent) = with(|app| app.client.unsent()) else { return };
    if unsent > 0 {
        let answer = dialog::choice2_default(&t!("gui.unsent", n = unsent), &t!("gui.stay"), &t!("gui.close"), "");
        if answer != Some(1) {
            return;
        }
    }
    with(|app| {
        app.leaving = true;
        app.client.go_offline(clock::now());
        app.events();
    });
    // Leaving never depends on the answer.
    app::add_timeout3(1.0, |_| app::quit());
}

impl App {
    fn say(&mut self, text: &str) {
        if let Some((register, _)) = &mut self.register {
            register.say(text, false);
        } else if let Some(login) = &mut self.login {
            login.say(text, true);
        } else if let Some(main) = &mut self.main {
            main.say(text);
        }
    }

    fn apply(&mut self, event: UiEvent) {
        let now = clock::now();
        match event {
            UiEvent::Login { account, password } => self.log_in(&account, &password),
            UiEvent::OpenRegister => {
                if let Some((old, _)) = self.register.take() {
                    old.close();
                }
                self.register = Some((Register::new(Rc::clone(&self.emit)), String::new()));
            }
            UiEvent::Register { account, password, confirm } => {
                let fields = (Account::person(&account), Password::parse(&password), Password::parse(&confirm));
                match fields {
                    (Ok(account), Ok(password), Ok(confirm)) => {
                        self.say(&t!("gui.registering"));
                        if let Some((_, name)) = &mut self.register {
                            account.as_str().clone_into(name);
                        }
                        self.client.register(now, account, password, confirm);
                    }
                    (Err(_), _, _) => self.say(&t!("gui.bad_account")),
                    _ => self.say(&t!("gui.bad_password")),
                }
            }
            UiEvent::AddFriend(text) => match Account::person(text.trim()) {
                Err(_) => self.say(&t!("gui.bad_account")),
                Ok(account) if Some(&account) == self.me.as_ref() => self.say(&t!("gui.not_oneself")),
                Ok(account) => {
                    let (remark, group) = (String::new(), String::new());
                    self.client.set_contact(Contact { account: account.clone(), remark, group, blocked: false });
                    self.open_chat(account);
                }
            },
            UiEvent::OpenChat(peer) => self.open_chat(peer),
            UiEvent::Send { peer, text } => {
                self.client.send_message(now, &peer, &text);
            }
            UiEvent::ChatClosed(peer) => {
                if let Some(chat) = self.chats.remove(&peer) {
                    chat.close();
                }
                self.chats_changed();
            }
            UiEvent::Fetch => self.client.fetch_now(now),
            UiEvent::Quit => {}
        }
    }

    fn log_in(&mut self, account: &str, password: &str) {
        if std::mem::take(&mut self.takeover) {
            return self.client.take_over(clock::now());
        }
        let Ok(account) = Account::person(account.trim()) else { return self.say(&t!("gui.bad_account")) };
        let Ok(password) = Password::parse(password) else { return self.say(&t!("gui.bad_password")) };
        self.me = Some(account.clone());
        if let Some(login) = &mut self.login {
            login.say(&t!("gui.logging_in"), false);
        }
        if let Err(error) = self.client.login(clock::now(), account, password) {
            self.say(&error.to_string());
        }
    }

    fn open_chat(&mut self, peer: Account) {
        if let Some(chat) = self.chats.get_mut(&peer) {
            chat.raise();
        } else {
            let name = self.main.as_ref().map_or_else(|| peer.to_string(), |main| main.name(&peer));
            self.chats.insert(peer.clone(), ChatWindow::new(&peer, &name, Rc::clone(&self.emit)));
            self.client.index(peer.clone());
            self.chats_changed();
        }
        self.client.mark_read(peer);
    }

    fn chats_changed(&mut self) {
        let open: Vec<Account> = self.chats.keys().cloned().collect();
        let visible = !open.is_empty();
        self.client.set_open_chats(clock::now(), open, visible);
    }

    fn events(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.show(event);
        }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Link(link) => {
                if let Some(main) = &mut self.main {
                    main.set_link(link);
                }
            }
            Event::Registered(outcome) => self.registered(&outcome),
            Event::LoggedIn(outcome) => self.logged_in(&outcome),
            Event::WentOffline(_) if self.leaving => app::quit(),
            Event::WentOffline(_) => {}
            Event::Conversations(list) => {
                if let Some(main) = &mut self.main {
                    main.set_conversations(list);
                }
            }
            Event::Message { peer, row } => {
                if let Some(chat) = self.chats.get_mut(&peer) {
                    let read = row.state.is_none() && chat.focused();
                    chat.append(row);
                    if read {
                        self.client.mark_read(peer);
                    }
                }
            }
            Event::Outgoing { id, state } => {
                for chat in self.chats.values_mut() {
                    chat.set_state(id, state);
                }
            }
            Event::Index { peer, rows } => {
                let first = u32::try_from(rows.len()).unwrap_or(0).saturating_sub(SHOWN);
                self.client.page(peer, first, SHOWN);
            }
            Event::Page { peer, rows, .. } => {
                if let Some(chat) = self.chats.get_mut(&peer) {
                    chat.set_rows(rows);
                }
            }
            Event::Online(accounts) => {
                if let Some(main) = &mut self.main {
                    main.set_online(accounts);
                }
            }
            Event::Extensions(_) => {}
            Event::MaybeLost(n) => self.say(&t!("gui.maybe_lost", n = n)),
            Event::NotUnderstood(_) => self.say(&t!("gui.not_understood")),
            Event::NotKept { text, .. } => self.say(&text),
            Event::DiskTrouble(error) => self.say(&error),
        }
    }

    fn registered(&mut self, outcome: &RegisterOutcome) {
        let text = match outcome {
            RegisterOutcome::Answered { reply: Registered::Done, .. } => {
                let Some((window, name)) = self.register.take() else { return };
                window.close();
                if let Some(login) = &mut self.login {
                    login.fill(&name);
                    login.say(&t!("gui.registered"), false);
                }
                return;
            }
            RegisterOutcome::Answered { reply: Registered::PasswordsDiffer, .. } => t!("gui.passwords_differ"),
            RegisterOutcome::Answered { reply: Registered::AccountExists, .. } => t!("gui.account_exists"),
            RegisterOutcome::NotUnderstood => t!("gui.not_understood"),
            RegisterOutcome::NoAnswer => t!("gui.no_answer"),
        };
        if let Some((register, _)) = &mut self.register {
            register.say(&text, true);
        }
    }

    fn logged_in(&mut self, outcome: &LoginOutcome) {
        let (text, account_too) = match outcome {
            LoginOutcome::Done => {
                if let Some(login) = self.login.take() {
                    login.close();
                }
                if self.main.is_none()
                    && let Some(me) = &self.me
                {
                    let mut main = MainWindow::new(me, Rc::clone(&self.emit));
                    main.set_link(self.client.link());
                    self.main = Some(main);
                    self.client.conversations();
                }
                return;
            }
            LoginOutcome::Refused(LoggedIn::WrongPassword | LoggedIn::Done) => (t!("gui.wrong_password"), false),
            LoginOutcome::Refused(LoggedIn::NoSuchAccount) => (t!("gui.no_such_account"), true),
            LoginOutcome::Refused(LoggedIn::AlreadyLoggedIn) => {
                self.takeover = true;
                return self.say(&t!("gui.already"));
            }
            LoginOutcome::NotUnderstood => (t!("gui.not_understood"), false),
            LoginOutcome::NoAnswer => (t!("gui.no_answer"), false),
        };
        self.say(&text);
        if let Some(login) = &mut self.login {
            login.again(account_too);
        }
    }
}
