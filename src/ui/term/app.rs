//! The loop, and what each event and command does.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, at, never, select};
use rust_i18n::t;

use super::asks::{Ask, Pending};
use super::commands::{self, Command, Typed};
use super::drawing::print;
use super::line::{Done, Key, Line};
use super::past::Pages;
use super::people::Change;
use super::raw::Raw;
use super::remembered::Remembered;
use super::screen::{Screen, harmless};
use super::script::Exit;
use super::server::{Leaving, open};
use super::style::Style;
use super::talk::{Own, Wanted};
use super::terminal::Terminal;
use super::{Args, Input, TermError};
use crate::base::model::{Account, MessageId, Password};
use crate::base::settings::{Paths, Saver, Settings};
use crate::client::net::reach::Reach;
use crate::client::net::{Bell, clock};
use crate::client::roster::Roster;
use crate::client::session::{Dialect, KeyChange, Link, Plainly};
use crate::client::{Client, Event};
use crate::local::place::Place;

pub(super) struct App {
    pub(super) client: Client,
    rings: Receiver<()>,
    pub(super) ring: Sender<()>,
    pub(super) inputs: Sender<Input>,
    waiting: Receiver<Input>,
    pub(super) settings: Settings,
    pub(super) saver: Saver,
    pub(super) paths: Paths,
    pub(super) bind: Option<SocketAddr>,
    /// Which dialects, and whether a password may go out in plain.
    pub(super) dialect: (Dialect, bool),
    pub(super) place: Place,
    /// Whether the server was found.
    pub(super) found: bool,
    pub(super) style: Style,
    pub(super) terminal: Option<Terminal>,
    pub(super) screen: Screen,
    pub(super) line: Line,
    /// Lines of earlier runs; a pipe has none.
    remembered: Option<Remembered>,
    /// Lines of a pipe that wait until what came before is done; nothing of one that cannot be read.
    pub(super) lines: VecDeque<Option<String>>,
    /// The line of a pipe that was done last.
    pub(super) line_number: usize,
    /// The rest of a pipe is not done.
    pub(super) stopped: bool,
    /// How a pipe's lines went.
    pub(super) exit: Exit,
    pub(super) ended: bool,
    /// Nobody sees what is printed any more.
    pub(super) cut: bool,
    /// Why, where that was found by printing.
    unwritten: Option<std::io::Error>,
    pub(super) ask: Ask,
    pub(super) pending: Pending,
    /// From a file or the environment; used once.
    pub(super) given: Option<Password>,
    pub(super) me: Option<Account>,
    pub(super) logged_in: bool,
    pub(super) roster: Roster,
    pub(super) target: Option<Account>,
    pub(super) wanted: HashMap<Account, Wanted>,
    pub(super) own: HashMap<MessageId, Own>,
    /// The last message of one's own to the friend one chats with.
    pub(super) last_own: Option<MessageId>,
    pub(super) searching: usize,
    /// The disk has not done yet all that a pipe's line has asked of it.
    pub(super) settling: bool,
    /// Somebody waits for who is online.
    pub(super) who_wanted: bool,
    /// What becomes of a change of the password is not said yet.
    pub(super) changing_password: bool,
    /// What the next line may rely on.
    pub(super) change: Option<Change>,
    /// While datagrams are sent by hand.
    pub(super) raw: Option<Raw>,
    /// Of the server's history.
    pub(super) pages: Pages,
    /// The server is to say how the account may be used.
    pub(super) asked_account: bool,
    /// Another key that the server has shown.
    pub(super) changed: Option<KeyChange>,
    /// While a server is looked at.
    pub(super) reach: Option<Reach>,
    pub(super) trouble: bool,
    pub(super) leaving: Leaving,
    pub(super) deadline: Option<Instant>,
    pub(super) left: bool,
    /// To be printed above the line.
    pub(super) text: String,
    pub(super) dirty: bool,
    /// When the screen may be drawn next, unless a key was pressed.
    pub(super) draw_at: Option<Instant>,
    pub(super) keyed: bool,
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
        let place = Place::of(args.face.server.as_deref(), args.host_lan, &settings);
        let (ring, rings) = crossbeam_channel::bounded(1);
        let dialect = (args.face.dialect(), args.face.allow_plain);
        let client = open(&place, args.face.bind, dialect, &paths, &settings, &ring)?;
        let (columns, rows) = terminal.as_ref().map_or((0, 0), Terminal::size);
        let mut line = Line::default();
        let remembered = terminal.is_some().then(|| {
            let (remembered, lines) = Remembered::load(paths.histories.join("lines"));
            lines.iter().for_each(|earlier| line.remember(earlier));
            remembered
        });
        let mut app = Self {
            client,
            rings,
            ring,
            inputs,
            waiting,
            saver,
            paths,
            bind: args.face.bind,
            dialect,
            place,
            found: false,
            style: args.colour.style(),
            terminal,
            screen: Screen::new(columns, rows),
            line,
            remembered,
            lines: VecDeque::new(),
            line_number: 0,
            stopped: false,
            exit: Exit::Done,
            ended: false,
            cut: false,
            unwritten: None,
            ask: Ask::Command,
            pending: Pending::Nothing,
            given: args.password,
            me: None,
            logged_in: false,
            roster: super::people::roster(Account::sanitised("")),
            target: None,
            wanted: HashMap::new(),
            own: HashMap::new(),
            last_own: None,
            searching: 0,
            settling: false,
            who_wanted: false,
            changing_password: false,
            change: None,
            raw: None,
            pages: Pages::default(),
            asked_account: false,
            changed: None,
            reach: None,
            trouble: false,
            leaving: Leaving::No,
            deadline: None,
            left: false,
            text: String::new(),
            dirty: true,
            draw_at: None,
            keyed: true,
            settings,
        };
        app.quiet(&t!("term.hello", server = app.place.line()));
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
        while !self.left {
            let more = self.client.pump(clock::now);
            self.events();
            self.raw_turn();
            while let Ok(input) = self.waiting.try_recv() {
                self.input(input);
            }
            self.next_line();
            let wait = self.flush_soon().unwrap_or_else(|error| self.unheard(error));
            if self.cut && self.leaving == Leaving::No {
                self.leave(Leaving::Quit);
            }
            if more || self.left {
                continue;
            }
            let overdue = self.raw.as_ref().and_then(Raw::deadline);
            let end = [self.deadline, overdue, wait].into_iter().flatten().min().map_or_else(never, at);
            select! {
                recv(self.rings) -> _ => {}
                recv(self.waiting) -> input => if let Ok(input) = input { self.input(input) },
                recv(end) -> _ => if self.deadline.is_some_and(|end| end <= clock::now().instant) { self.gone() },
            }
        }
        if let Err(error) = self.flush() {
            self.unheard(error);
        }
        if let Some(error) = self.unwritten {
            return Err(error.into());
        }
        if !self.cut {
            let mut out = String::new();
            self.screen.erase(&mut out);
            print(&out)?;
        }
        Ok(self.exit)
    }

    /// Nobody reads what is printed any more: the server is to hear that one has left all the same.
    fn unheard(&mut self, error: std::io::Error) -> Option<Instant> {
        log::info!("cannot print: {error}");
        (self.cut, self.unwritten) = (true, Some(error));
        None
    }

    fn input(&mut self, input: Input) {
        (self.dirty, self.keyed) = (true, true);
        match input {
            Input::Key(key) => self.key(key),
            Input::Line(_) if self.stopped => {}
            Input::Line(line) => self.lines.push_back(line),
            Input::End => self.ended = true,
            Input::Gone => self.cut = true,
            // A terminal that goes says so by a signal as well: that is no second asking.
            Input::Leave if self.cut && self.leaving != Leaving::No => {}
            Input::Leave => self.leave(Leaving::Quit),
            Input::Found(found) => self.server_found(found),
            Input::Reached(report) => self.reached(&report),
        }
        self.events();
    }

    fn key(&mut self, key: Key) {
        self.line_kind();
        match self.line.key(key) {
            Done::Edited => {}
            // A login is under way, or a name being changed: what is typed meanwhile comes after it.
            Done::Line(line) if self.pending != Pending::Nothing || self.change.is_some() || self.raw_waits() => {
                self.lines.push_back(Some(line))
            }
            Done::Line(line) => self.submit(line),
            Done::Complete => self.complete(),
            Done::Interrupt | Done::End => self.leave(Leaving::Quit),
            Done::ClearScreen => {
                let mut out = String::new();
                self.screen.clear(&mut out);
                let _ = print(&out);
            }
            Done::Suspend => {
                let mut out = String::new();
                self.screen.erase(&mut out);
                let _ = print(&out);
                if let Some(terminal) = &self.terminal {
                    terminal.suspend();
                }
            }
            Done::TooLong => self.warn(&t!("term.too_long")),
        }
    }

    pub(super) fn submit(&mut self, line: String) {
        if self.ask != Ask::Command {
            if self.terminal.is_some() {
                let prompt = self.prompt();
                let answer = if self.ask.is_secret() { String::new() } else { harmless(&line) };
                self.print(&format!("{}{answer}", prompt.painted));
            }
            return self.answered(&line);
        }
        if self.raw.is_some() {
            return self.raw_line(&line);
        }
        self.line.remember(&line);
        let typed = commands::parse(&line, self.target.is_some(), |name| self.resolve(name).is_some());
        if self.relies_on_login(&typed) {
            return self.stop(&t!("term.nobody_yet"));
        }
        if self.terminal.is_some() && !matches!(typed, Typed::Text(..) | Typed::Say(..)) {
            let prompt = self.prompt();
            let shown = self.style.quiet(&format!("{}{}", prompt.plain, harmless(&line)));
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
            Typed::Say(name, text) => {
                if let Some(peer) = self.resolve(&name) {
                    self.send(&peer, &text);
                }
            }
            Typed::Text(text, looks_like) => self.say_to_target(&text, looks_like),
            Typed::Usage(command) => self.usage(command),
            Typed::Unknown(name) => self.unknown(&name),
            Typed::Nobody(name) => self.warn(&t!("term.nobody_said", name = harmless(&name))),
            Typed::HalfSaid => self.warn(&t!("term.half_said")),
        }
    }

    /// Keeps a line for later runs.
    pub(super) fn keep_line(&self, line: &str) {
        if let Some(remembered) = &self.remembered {
            remembered.keep(line);
        }
    }

    fn command(&mut self, command: &'static Command, words: &[String]) {
        if !command.needs_login || self.logged_in {
            return command.run(self, words);
        }
        match self.on_terminal() {
            true => self.warn(&t!("term.log_in_first")),
            false => self.stop(&t!("term.nobody_yet")),
        }
    }

    pub(super) fn events(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.dirty = true;
            self.event(event);
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Link(link) => self.link(link),
            Event::Registered(outcome) => self.registered(&outcome),
            Event::Silent(silent) => self.silent(silent),
            Event::LoggedIn(outcome) => self.logged_in(&outcome),
            Event::WentOffline(_) => self.went_offline(),
            Event::Conversations(list) => self.listed(list),
            Event::MoreStrangers(more) => self.roster.set_more_strangers(more),
            Event::Message { peer, row } => self.message(&peer, &row),
            Event::Outgoing { id, state } => self.outgoing(id, state),
            Event::Last { peer, rows } => self.last_rows(&peer, &rows),
            Event::Found { text, rows } => {
                self.searching = self.searching.saturating_sub(1);
                self.show_found(&text, &rows);
            }
            Event::Online(accounts) => {
                self.roster.set_online(Some(accounts));
                if std::mem::take(&mut self.who_wanted) {
                    self.say_who();
                }
            }
            Event::Extensions(false) if std::mem::take(&mut self.who_wanted) => self.quiet(&t!("term.who_unknown")),
            Event::CameOnline(account) => self.came_or_went(&account, true),
            Event::WentAway(account) => self.came_or_went(&account, false),
            Event::Raise => self.quiet(&t!("term.raised")),
            Event::Imported(Ok(n)) => self.print(&t!("main.imported", n = n)),
            Event::Exported(Ok(())) => self.print(&t!("main.exported")),
            Event::Imported(Err(error)) | Event::Exported(Err(error)) => {
                self.failed(Exit::Trouble);
                self.error(&error);
            }
            Event::Settled => self.settling = false,
            Event::Paced(wait) => self.warn(&t!("gui.paced", s = wait.as_secs().max(1))),
            Event::MaybeLost(n) => self.warn(&super::lost(n)),
            Event::NotUnderstood(bytes) => {
                let bytes = harmless(&String::from_utf8_lossy(&bytes));
                self.warn(&format!("{} {bytes}", t!("gui.not_understood")));
            }
            Event::NotKept { peer, text } => {
                self.error(&t!("gui.not_kept"));
                self.give_back(&peer, &text);
            }
            Event::NetworkTrouble(error) => self.error(&t!("gui.network_trouble", error = error)),
            Event::DiskTrouble(error) => {
                self.pending = Pending::Nothing;
                self.change = None;
                self.failed(Exit::Trouble);
                self.error(&t!("gui.disk_trouble", error = error));
            }
            Event::NotOpened(sentence) => self.not_opened(&sentence),
            Event::Damaged { sentence, open } => {
                let account = self.me.as_ref().map_or_else(String::new, Account::to_string);
                let hint = t!("term.rescue_hint", account = harmless(&account));
                let text = format!("{sentence}\n{hint}");
                if open { self.error(&text) } else { self.not_opened(&text) }
            }
            Event::NotRead { peer, why } => {
                match peer {
                    Some(peer) => drop(self.wanted.remove(&peer)),
                    None => (self.searching, self.change) = (0, None),
                }
                self.error(&t!("gui.not_read", error = why));
            }
            Event::Tap(record) => self.record(&record),
            Event::Past { peer, messages, more } => self.past_came(&peer, &messages, more),
            Event::Extensions(_) | Event::Index { .. } | Event::Page { .. } | Event::Speaks(_) => {}
            Event::PlainOnly(why) => {
                let notice = event.notice().unwrap_or_default();
                if why == Plainly::Only { self.plain_only(&notice) } else { self.no_longer_secure(&notice) }
            }
            Event::PasswordChanged(outcome) => self.password_changed(&outcome),
            Event::AccountSettings(settings) => self.account_is(settings),
            Event::KeyChanged(change) => self.key_changed(change),
            Event::Kicked { address, at } => self.kicked(&address, at),
            Event::LookedUp { asked, found } => self.looked_up(&asked, found),
            Event::MadeAnew { .. } => self.made_anew(&event.notice().unwrap_or_default()),
            Event::Copied { offline: true } => {
                self.warn(&format!("{}\n{}", t!("secure.copied"), t!("term.kicked_hint")));
            }
            other => other.notice().iter().for_each(|text| self.warn(text)),
        }
    }

    /// Whatever waits for the history waits no longer.
    fn not_opened(&mut self, sentence: &str) {
        self.pending = Pending::Nothing;
        self.change = None;
        self.settling = false;
        self.error(sentence);
    }

    fn link(&mut self, link: Link) {
        log::info!("link: {link:?}");
        let sentence = link.sentence(clock::now().instant);
        if matches!(link, Link::Retrying { .. } | Link::LoggedOut | Link::Offline) {
            self.past_lost();
            self.asked_account = false;
        }
        match link {
            Link::Retrying { .. } | Link::LoggedOut if self.logged_in && !self.trouble => {
                self.trouble = true;
                self.warn(&sentence);
                // This machine's own server is started again if it has ended.
                if matches!(self.place, Place::Local { .. })
                    && let Err(error) = self.find_server()
                {
                    self.error(&error.to_string());
                }
            }
            Link::Connected { .. } if self.trouble => {
                self.trouble = false;
                self.quiet(&sentence);
            }
            Link::Offline => self.roster.set_online(None),
            _ => {}
        }
    }

    /// The server does not answer any more, or does again.
    fn silent(&mut self, silent: bool) {
        log::info!("silent: {silent}");
        self.dirty = true;
        if silent {
            self.roster.doubt_online();
            self.trouble = true;
            self.warn(&t!("term.lost"));
        }
    }

    /// Where the histories lie, and the servers' keys.
    pub(super) fn histories(&self) -> std::path::PathBuf {
        self.paths.histories.clone()
    }

    /// Where other threads put what they have found.
    pub(super) fn inputs(&self) -> Sender<Input> {
        self.inputs.clone()
    }

    /// Rings this loop.
    pub(super) fn bell(&self) -> Bell {
        let ring = self.ring.clone();
        Bell::new(move || {
            let _ = ring.try_send(());
        })
    }

    pub(super) fn on_terminal(&self) -> bool {
        self.terminal.is_some()
    }
}
