//! The main loop of the terminal client, and what each event and command does.

use crossbeam_channel::{Receiver, Sender, at, never, select};
use rust_i18n::t;

use super::asks::{Ask, Pending};
use super::commands::{self, Command, Typed};
use super::drawing::Output;
use super::line::{Done, Key, Line};
use super::login::Login;
use super::pipe::{Arrived, Pipe};
use super::raw::Raw;
use super::remembered::Remembered;
use super::screen::harmless;
use super::script::Exit;
use super::server::{Ending, Leaving, Server};
use super::terminal::Terminal;
use super::{Args, Input, TermError};
use crate::base::model::{Account, Password};
use crate::base::settings::{Paths, Saver, Settings};
use crate::client::absence::Absence;
use crate::client::history::Row;
use crate::client::net::{Bell, clock};
use crate::client::session::{ConnectionState, PlainReason};
use crate::client::{Client, Event};

/// The channels that the main loop waits for, and by which others wake it.
pub(super) struct Wakes {
    rings: Receiver<()>,
    pub(super) ring: Sender<()>,
    pub(super) inputs: Sender<Input>,
    waiting: Receiver<Input>,
}

impl Wakes {
    fn new(inputs: Sender<Input>, waiting: Receiver<Input>) -> Self {
        let (ring, rings) = crossbeam_channel::bounded(1);
        Self { rings, ring, inputs, waiting }
    }

    /// Returns a bell that wakes this loop.
    pub(super) fn bell(&self) -> Bell {
        let ring = self.ring.clone();
        Bell::new(move || {
            let _ = ring.try_send(());
        })
    }
}

/// The settings and folders of this computer's user, which do not depend on the login.
pub(super) struct Profile {
    pub(super) settings: Settings,
    saver: Saver,
    pub(super) paths: Paths,
}

impl Profile {
    /// Saves the settings.
    pub(super) fn save(&self) {
        self.saver.save(&self.settings);
    }
}

/// The terminal client: its parts, each with its own state, and how they work together.
pub(super) struct App {
    pub(super) client: Client,
    pub(super) wakes: Wakes,
    pub(super) profile: Profile,
    pub(super) server: Server,
    pub(super) out: Output,
    pub(super) line: Line,
    /// The lines of earlier runs; `None` for a pipe.
    remembered: Option<Remembered>,
    pub(super) pipe: Pipe,
    pub(super) ask: Ask,
    pub(super) pending: Pending,
    /// The password from a file or the environment; it is used once.
    pub(super) given: Option<Password>,
    pub(super) login: Login,
    /// Present while datagrams are sent by hand.
    pub(super) raw: Option<Raw>,
    pub(super) ending: Ending,
    /// Whether somebody is at the terminal.
    pub(super) absence: Absence,
}

impl App {
    pub(super) fn new(
        args: Args,
        terminal: Option<Terminal>,
        inputs: Sender<Input>,
        waiting: Receiver<Input>,
    ) -> Result<Self, TermError> {
        let paths = args.face.paths()?;
        let (settings, complaint) = Settings::load(&paths.settings);
        rust_i18n::set_locale(args.face.language().unwrap_or(settings.language).locale());
        let saver = Saver::start(paths.settings.clone())?;
        let server = Server::new(&args, &settings);
        let profile = Profile { settings, saver, paths };
        let wakes = Wakes::new(inputs, waiting);
        let client = server.open(&profile, &wakes.ring)?;
        let absence = Self::absence_at(terminal.is_some(), profile.settings.away_after);
        let mut line = Line::default();
        let remembered = terminal.is_some().then(|| {
            let (remembered, lines) = Remembered::load(profile.paths.histories.join("lines"));
            lines.iter().for_each(|earlier| line.remember(earlier));
            remembered
        });
        let mut app = Self {
            client,
            wakes,
            profile,
            server,
            out: Output::new(args.colour.style(), terminal),
            line,
            remembered,
            pipe: Pipe::default(),
            ask: Ask::Command,
            pending: Pending::Nothing,
            given: args.password,
            login: Login::nobody(),
            raw: None,
            ending: Ending::default(),
            absence,
        };
        app.quiet(&t!("term.hello", server = app.server.place.line()));
        if let Some(complaint) = complaint {
            app.warn(&complaint.to_string());
        }
        app.find_server()?;
        if args.raw {
            app.begin_raw("");
        } else {
            app.begin(args.face.account.as_deref());
        }
        Ok(app)
    }

    pub(super) fn run(mut self) -> Result<Exit, TermError> {
        while !self.ending.left {
            let more = self.client.pump(clock::now);
            self.events();
            self.raw_turn();
            while let Ok(input) = self.wakes.waiting.try_recv() {
                self.input(input);
            }
            self.next_line();
            self.keep_draft_in_time();
            self.look_for_anybody();
            let wait = self.flush_soon().unwrap_or_else(|error| self.out.unheard(error));
            if self.out.cut && self.ending.how == Leaving::No {
                self.leave(Leaving::Quit);
            }
            if more || self.ending.left {
                continue;
            }
            let overdue = self.raw.as_ref().and_then(Raw::deadline);
            let end = [self.ending.deadline, overdue, wait, self.login.drafts.due(), self.absence.due()]
                .into_iter()
                .flatten()
                .min()
                .map_or_else(never, at);
            select! {
                recv(self.wakes.rings) -> _ => {}
                recv(self.wakes.waiting) -> input => if let Ok(input) = input { self.input(input) },
                recv(end) -> _ => if self.ending.deadline.is_some_and(|end| end <= clock::now().instant) { self.gone() },
            }
        }
        if let Err(error) = self.flush() {
            self.out.unheard(error);
        }
        self.out.end()?;
        Ok(self.pipe.exit)
    }

    fn input(&mut self, input: Input) {
        self.out.touched();
        match input {
            Input::Key(key) => {
                self.is_here();
                self.key(key);
            }
            Input::Line(line) => self.pipe.came(line.map_or(Arrived::Unreadable, Arrived::Line)),
            Input::End => self.pipe.end(),
            Input::Gone => self.out.cut = true,
            // A terminal that goes away also sends a signal, which does not count as a second request to end.
            Input::Leave if self.out.cut && self.ending.how != Leaving::No => {}
            Input::Leave => self.leave(Leaving::Quit),
            Input::Found(found) => self.server_found(found),
            Input::Reached(report) => self.reached(&report),
        }
        self.events();
    }

    fn key(&mut self, key: Key) {
        self.line_kind();
        let stood = !self.line.own().is_empty();
        let own = self.line.own() == self.line.text();
        let other = if own || key != Key::Enter || self.ask != Ask::Command { None } else { self.draft_now() };
        match self.line.key(key) {
            Done::Edited => self.typed(stood),
            // A line that is typed meanwhile is handled afterwards; one that could not be seen while it was typed is
            // not carried out.
            Done::Line(line) if self.is_under_way() || self.raw_waits() => {
                if !self.line.is_secret() {
                    if own {
                        self.line_ends(&line);
                    }
                    self.pipe.came(Arrived::Line(line));
                    // This was an earlier line, so what was being typed comes back once it is done.
                    if let Some((peer, text)) = other {
                        self.lay_aside(peer, text);
                    }
                } else if !line.is_empty() {
                    self.pipe.came(Arrived::Blind(line));
                }
            }
            Done::Line(line) => {
                if own && self.ask == Ask::Command {
                    self.line_ends(&line);
                }
                self.line_done(line);
                // This was an earlier line, and what was being typed is still there.
                if let Some((peer, text)) = other {
                    self.lay_aside(peer, text);
                    self.bring_draft();
                }
            }
            Done::Complete => {
                self.complete();
                self.typed(stood);
            }
            Done::Interrupt | Done::End => self.leave(Leaving::Quit),
            Done::ClearScreen => self.out.clear(),
            Done::Suspend => self.out.suspend(),
            Done::TooLong => {
                self.warn(&t!("term.too_long"));
                self.typed(stood);
            }
        }
    }

    /// Returns whether a login, a registration, or a change of the password or of the list is under way: whatever a
    /// password was given for, and whatever the next line may rely on.
    pub(super) fn is_under_way(&self) -> bool {
        self.pending != Pending::Nothing || self.login.is_under_way()
    }

    /// Handles a line whose turn has come.
    pub(super) fn line_done(&mut self, line: String) {
        let answers = self.ask != Ask::Command;
        self.submit(line);
        // What was being typed when a question was asked comes back by itself.
        if !answers {
            self.bring_draft();
        }
    }

    pub(super) fn submit(&mut self, line: String) {
        if self.ask != Ask::Command {
            if self.on_terminal() {
                let prompt = self.prompt();
                let answer = if self.ask.is_secret() { String::new() } else { harmless(&line) };
                self.print(&format!("{}{answer}", prompt.painted));
            }
            // The line that was interrupted comes back before the answer has effects. After a password it does not,
            // since the password may be asked for again.
            if !self.ask.is_secret() {
                self.line.go_on();
            }
            return self.answered(&line);
        }
        if self.raw.is_some() {
            return self.raw_line(&line);
        }
        self.line.remember(&line);
        let typed = commands::parse(&line, self.login.target.is_some(), |name| self.resolve(name));
        if self.relies_on_login(&typed) {
            return self.stop(&t!("term.nobody_yet"));
        }
        if self.on_terminal() && !matches!(typed, Typed::Text(..) | Typed::Say(..)) {
            let prompt = self.prompt();
            let shown = self.out.style.quiet(&format!("{}{}", prompt.plain, harmless(&line)));
            self.print_as_it_is(&shown);
        }
        if matches!(typed, Typed::Command(..)) {
            self.keep_line(&line);
        }
        match typed {
            Typed::Nothing => {}
            Typed::Command(command, words) => {
                self.command(command, &words);
                self.wait_for_disk();
            }
            Typed::Say(peer, text) => self.send(&peer, &text),
            Typed::Text(text, looks_like) => self.say_to_target(&text, looks_like),
            Typed::Usage(command) => self.usage(command),
            Typed::Unknown(name) => self.unknown(&name),
            Typed::Nobody(name) => self.warn(&t!("term.nobody_said", name = harmless(&name))),
            Typed::HalfSaid => self.warn(&t!("term.half_said")),
        }
    }

    /// Saves a line for later runs.
    pub(super) fn keep_line(&self, line: &str) {
        if let Some(remembered) = &self.remembered {
            remembered.keep(line);
        }
    }

    fn command(&mut self, command: &'static Command, words: &[String]) {
        if !command.needs_login || self.login.logged_in {
            return command.run(self, words);
        }
        match self.on_terminal() {
            true => self.warn(&t!("term.log_in_first")),
            false => self.stop(&t!("term.nobody_yet")),
        }
    }

    pub(super) fn events(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.out.changed();
            self.event(event);
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::ConnectionState(link) => self.link(link),
            Event::Registered(outcome) => self.registered(&outcome),
            Event::Silent(silent) => self.silent(silent),
            Event::LoggedIn(outcome) => self.logged_in(&outcome),
            Event::WentOffline(_) => self.went_offline(),
            Event::Conversations(list) => self.listed(list),
            Event::MoreStrangers(more) => self.login.roster.set_more_strangers(more),
            Event::Message { peer, row } => self.message(&peer, &row),
            Event::Outgoing { id, state } => self.outgoing(id, state),
            Event::Last { peer, rows } => self.last_rows(&peer, &rows),
            Event::Found { text, rows } => self.found(&text, &rows),
            Event::Online(accounts) => self.are_online(accounts),
            Event::States(states) => _ = self.login.roster.set_states(states),
            Event::Extensions(false) if std::mem::take(&mut self.login.awaits.who) => {
                self.quiet(&t!("term.who_unknown"))
            }
            Event::CameOnline(account) => self.came_or_went(&account, true),
            Event::WentAway(account) => self.came_or_went(&account, false),
            Event::Raise => self.quiet(&t!("term.raised")),
            Event::Imported(Ok(n)) => self.print(&t!("main.imported", n = n)),
            Event::Exported(Ok(())) => self.print(&t!("main.exported")),
            Event::Imported(Err(error)) | Event::Exported(Err(error)) => {
                self.failed(Exit::Trouble);
                self.error(&error);
            }
            Event::Drafts(drafts) => self.drafts_are(drafts),
            Event::Settled => self.login.awaits.disk = false,
            Event::Paced(wait) => self.warn(&t!("gui.paced", s = wait.as_secs().max(1))),
            Event::MaybeLost(n) => self.warn(&crate::client::lost(n)),
            Event::NotUnderstood(bytes) => self.not_understood(&bytes),
            Event::NotKept { peer, text } => self.not_kept(&peer, &text),
            Event::NetworkTrouble(error) => self.error(&t!("gui.network_trouble", error = error)),
            Event::DiskTrouble(error) => {
                self.failed(Exit::Trouble);
                self.not_opened(&t!("gui.disk_trouble", error = error));
            }
            Event::NotOpened(sentence) => self.not_opened(&sentence),
            Event::Damaged { sentence, open } => self.damaged(&sentence, open),
            Event::NotRead { peer, why } => self.not_read(peer.as_ref(), &why),
            Event::Tap(record) => self.record(&record),
            Event::Past { peer, messages, more } => self.past_came(&peer, &messages, more),
            Event::PlainOnly(why) => {
                let notice = event.notice().unwrap_or_default();
                if why == PlainReason::Only { self.plain_only(&notice) } else { self.no_longer_secure(&notice) }
            }
            Event::PasswordChanged(outcome) => self.password_changed(&outcome),
            Event::AccountSettings(settings) => self.account_is(settings),
            Event::KeyChanged(change) => self.key_changed(change),
            Event::Kicked { address, at } => self.kicked(&address, at),
            Event::LookedUp { asked, found } => self.looked_up(&asked, found),
            Event::People { text, people, more } => self.people_found(&text, people, more),
            Event::Profiles(profiles) => self.login.roster.set_profiles(profiles),
            Event::Friends(friends) => self.friends_are(friends),
            Event::Friend { account, request, outcome } => self.friend_answered(&account, &request, &outcome),
            Event::MadeAnew { .. } => self.made_anew(&event.notice().unwrap_or_default()),
            Event::Copied { offline: true } => {
                self.warn(&format!("{}\n{}", t!("secure.copied"), t!("term.kicked_hint")));
            }
            Event::NoLobby { .. }
            | Event::EndedAt(_)
            | Event::LoginPutOff(_)
            | Event::Unblocked(_)
            | Event::UnknownCode(_)
            | Event::Pinned(_)
            | Event::NotStoring(_)
            | Event::ItemRefused(_)
            | Event::TookPlace { .. }
            | Event::Copied { offline: false } => event.notice().iter().for_each(|text| self.warn(text)),
            // Only the windows need these, or the prompt shows them by itself.
            Event::Extensions(_)
            | Event::Index { .. }
            | Event::Page { .. }
            | Event::RowsChanged
            | Event::Rescued(_)
            | Event::Withdrawn(_)
            | Event::Speaks(_) => {}
        }
    }

    fn found(&mut self, text: &str, rows: &[(Account, Row)]) {
        self.login.awaits.searches = self.login.awaits.searches.saturating_sub(1);
        self.show_found(text, rows);
    }

    fn are_online(&mut self, accounts: Vec<Account>) {
        self.login.roster.set_online(Some(accounts));
        if std::mem::take(&mut self.login.awaits.who) {
            self.say_who();
        }
    }

    fn not_understood(&mut self, bytes: &[u8]) {
        let bytes = harmless(&String::from_utf8_lossy(bytes));
        self.warn(&format!("{} {bytes}", t!("gui.not_understood")));
    }

    fn not_kept(&mut self, peer: &Account, text: &str) {
        self.error(&t!("gui.not_kept"));
        self.give_back(peer, text);
    }

    /// Ends everything that waits for the history.
    fn not_opened(&mut self, sentence: &str) {
        self.pending = Pending::Nothing;
        self.login.awaits.not_read(None);
        self.login.awaits.disk = false;
        self.error(sentence);
    }

    /// Says that the history's file is damaged; `open` if this was found while it is open.
    fn damaged(&mut self, sentence: &str, open: bool) {
        let account = self.login.me.as_ref().map_or_else(String::new, Account::to_string);
        let hint = t!("term.rescue_hint", account = harmless(&account));
        let text = format!("{sentence}\n{hint}");
        if open { self.error(&text) } else { self.not_opened(&text) }
    }

    /// Says that something that was asked of the history could not be read.
    fn not_read(&mut self, peer: Option<&Account>, why: &str) {
        self.login.awaits.not_read(peer);
        self.error(&t!("gui.not_read", error = why));
    }

    fn link(&mut self, link: ConnectionState) {
        log::info!("link: {link:?}");
        let sentence = link.sentence(clock::now().instant);
        if matches!(link, ConnectionState::Retrying { .. } | ConnectionState::LoggedOut | ConnectionState::Offline) {
            self.past_lost();
            self.login.awaits.account = false;
        }
        match link {
            ConnectionState::Retrying { .. } | ConnectionState::LoggedOut
                if self.login.logged_in && !self.login.trouble =>
            {
                self.login.trouble = true;
                self.warn(&sentence);
                // This machine's own server is started again if it has ended.
                if self.server.place.is_local()
                    && let Err(error) = self.find_server()
                {
                    self.error(&error.to_string());
                }
            }
            ConnectionState::Connected { .. } if self.login.trouble => {
                self.login.trouble = false;
                self.quiet(&sentence);
            }
            ConnectionState::Offline => {
                self.login.roster.set_online(None);
            }
            ConnectionState::LoggingIn
            | ConnectionState::Waiting
            | ConnectionState::Connected { .. }
            | ConnectionState::Retrying { .. }
            | ConnectionState::LoggedOut => {}
        }
    }

    /// Called when the server stops answering, and when it answers again.
    fn silent(&mut self, silent: bool) {
        log::info!("silent: {silent}");
        self.out.changed();
        if silent {
            self.login.roster.doubt_online();
            self.login.trouble = true;
            self.warn(&t!("term.lost"));
        }
    }
}
