//! The main window: the user's name and state, a search, the friends, and the connection line.
//!
//! Its parts:
//!
//! - `status`: the user's state, and the connection line.
//! - `listing`: the rows of the list.

mod listing;
mod status;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::enums::{self, CallbackTrigger, Key};
use fltk::frame::Frame;
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::actions::{Action, Press, pressed};
use super::chat_window::ChatWindow;
use super::field_menu;
use super::friend_list::{FriendList, RowRequest};
use super::keys_window::listen;
use super::notice::{Kept, Notice, Question};
use super::widgets;
use super::{Emit, UiEvent, chat_window, friend_window, screen, theme};
use crate::base::model::Account;
use crate::client::history::Conversation;
use crate::client::net::clock;
use crate::client::roster::{self, Person, Roster};
use crate::client::session::{ConnectionState, SpokenDialect};
use crate::protocol::wire::status::{Chosen, Shown};
use listing::{Listing, watch_midnight};
use status::{Status, count_down, foot, head};

const HEAD: i32 = 68;
const SEARCH: i32 = 44;
const FOOT: i32 = 30;

type WindowKey = Action<fn(&Emit, &mut Input)>;

/// The keys that work anywhere in the window, with its search; the list handles those of rows.
pub(super) const ACTIONS: &[WindowKey] = &[
    WindowKey::new(&[Press::Ctrl('n')], "keys.friend", |emit, _| {
        emit(UiEvent::Friend(friend_window::Event::Open(String::new())))
    }),
    WindowKey::new(&[Press::F(10)], "keys.menu", |emit, _| emit(UiEvent::Main(Event::OwnMenu(60, HEAD - 8)))),
    WindowKey::new(&[Press::Ctrl('f')], "keys.find", |_, search| drop(search.take_focus())),
];

/// What the main window and its menus ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The user's own menu is to be opened, at this place of the window.
    OwnMenu(i32, i32),
    /// The menu of a person's row is to be opened, at this place of the window.
    RowMenu(Box<Person>, i32, i32),
    /// A section of the list is to be opened or closed.
    Toggle(roster::Section),
    /// People are to be looked for at the server by what is typed in the search.
    Find(String),
    /// No message of a conversation is to ask for attention, or each again.
    Mute(Account, bool),
    /// A conversation is to stand at the top of the list, or not any more.
    Pin(Account, bool),
    /// Somebody is to be blocked, or unblocked.
    Block(Account, bool),
    /// Somebody is to be removed from the list, after asking.
    Remove(Account),
    /// Somebody is to be removed with all their messages, after asking.
    Delete(Account),
    /// The people in a file are to be added; the file is asked for.
    Import,
    /// The list is to be written into a file; the file is asked for.
    Export,
    /// The account is to go online or offline.
    SetOnline(bool),
    /// Others are to be shown the account's owner so; `None`: online.
    Choose(Option<Chosen>),
    /// The server is to be asked for messages now.
    Fetch,
    /// The search is to get the keyboard.
    Search,
    /// The person looks at the window.
    Looked,
    /// The notice above the connection line was read and is to be removed.
    NoticeSeen,
    /// The session is to be taken back from another device.
    TakeBack,
    /// The session is to be left to the other device.
    StayOffline,
    /// The login window is to be opened, since the password is needed.
    LogInAgain,
    /// The window that says why the server may be another one is to be opened.
    ShowDoubt,
    /// The login window is to be opened for another account.
    SwitchAccount,
    /// The login window is to be opened for another account, and this device forgotten.
    LeaveDevice,
    /// The program is to end.
    Quit,
}

/// The person who is logged in.
#[derive(Debug, Clone)]
pub struct Me {
    /// The account.
    pub account: Account,
    /// Their name: the one that others are shown, else one that is kept on this computer alone; empty if they have none.
    pub name: String,
    /// The colour that they have chosen.
    pub color: Option<u8>,
}

/// The main window.
pub struct MainWindow {
    window: screen::Owned,
    head: Button,
    list: FriendList,
    search: Input,
    foot: Frame,
    me: Rc<RefCell<Me>>,
    notice: Notice,
    status: Rc<RefCell<Status>>,
    roster: Rc<RefCell<Roster>>,
    listing: Listing,
    lay_out: Rc<dyn Fn(i32, i32)>,
    /// Whether the window asks for attention.
    urgent: bool,
}

impl MainWindow {
    /// Opens the window of an account, at its saved place.
    #[must_use]
    pub fn new(me: &Me, place: Option<[i32; 4]>, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = screen::window_beside(place, [300, 720], ChatWindow::BESIDE, &super::x11::others());
        window.set_color(palette.bg);
        screen::least(&mut window, 240, 320);
        let status =
            Rc::new(RefCell::new(Status { link: ConnectionState::Offline, speaks: None, silent: false, chosen: None }));
        let roster = Rc::new(RefCell::new(Roster::new(me.account.clone())));
        let me = Rc::new(RefCell::new(me.clone()));
        let mut head = head(&me, &status);
        head.set_callback({
            let (emit, head) = (Rc::clone(&emit), head.clone());
            move |_| emit(UiEvent::Main(Event::OwnMenu(head.x() + 60, head.y() + head.h() - 8)))
        });
        let mut plus = widgets::button(0, 0, 36, "＋", widgets::Style::Ghost);
        plus.set_tooltip(&t!("main.add_tip"));
        plus.set_callback({
            let emit = Rc::clone(&emit);
            move |_| emit(UiEvent::Friend(friend_window::Event::Open(String::new())))
        });
        let search = widgets::field(12, HEAD, 276, &t!("main.search"));
        let list = FriendList::new(0, 0, 300, 500, row_requests(&emit, &search));
        // The buttons of a notice disappear when they are pressed, so the list gets the keyboard.
        let answer: Emit = Rc::new({
            let (emit, list) = (Rc::clone(&emit), list.clone());
            move |event| {
                list.clone().focus();
                emit(event);
            }
        });
        let notice = Notice::new(&answer);
        let foot = foot(&status, &emit);
        window.end();
        let lay_out: Rc<dyn Fn(i32, i32)> = {
            let (head, plus, search) = (head.clone(), plus.clone(), search.clone());
            let (list, notice, foot) = (list.widget().clone(), notice.clone(), foot.clone());
            Rc::new(move |w, h| {
                let said = notice.lay_out(w, h - FOOT);
                head.clone().resize(0, 0, w - 48, HEAD);
                plus.clone().resize(w - 46, 16, 36, 36);
                if let Some(mut around) = search.parent() {
                    around.resize(12, HEAD, w - 24, theme::CONTROL);
                }
                list.clone().resize(0, HEAD + SEARCH, w, (h - HEAD - SEARCH - FOOT - said).max(0));
                foot.clone().resize(0, h - FOOT, w, FOOT);
            })
        };
        lay_out(window.w(), window.h());
        window.resize_callback({
            let lay_out = Rc::clone(&lay_out);
            move |_, _, _, w, h| lay_out(w, h)
        });
        let listing =
            Listing { roster: Rc::clone(&roster), search: search.clone(), list: list.clone(), holds: Rc::default() };
        let urgent = false;
        let mut main = Self {
            window: screen::Owned::of(&window),
            head,
            list,
            search,
            foot,
            me,
            notice,
            status,
            roster,
            listing,
            lay_out,
            urgent,
        };
        main.listen(emit);
        main.entitle();
        main.fill();
        watch_midnight(main.listing.clone(), screen::Life::of(&main.window));
        main.window.show();
        main.list.focus();
        main
    }

    fn listen(&mut self, emit: Emit) {
        let list = self.list.clone();
        self.search.set_trigger(CallbackTrigger::Changed);
        self.search.set_callback({
            let listing = self.listing.clone();
            let out = Rc::clone(&emit);
            move |search| {
                listing.fill(clock::now().unix_ms);
                out(UiEvent::Main(Event::Find(search.value())));
            }
        });
        let wish = row_requests(&emit, &self.search);
        // Otherwise the field would use the keys first.
        self.search.super_handle_first(false);
        self.search.handle({
            let mut list = list.clone();
            move |search, event| {
                if event != enums::Event::KeyDown {
                    return field_menu::handles(search, event);
                }
                match app::event_key() {
                    Key::Down => list.focus(),
                    Key::Enter | Key::KPEnter => {
                        if let Some(first) = list.first().filter(|_| !search.value().is_empty()) {
                            wish(first);
                        }
                    }
                    Key::Escape => {
                        search.set_value("");
                        search.do_callback();
                        list.focus();
                    }
                    _ => return field_menu::handles(search, event),
                }
                true
            }
        });
        let (mut search, out) = (self.search.clone(), Rc::clone(&emit));
        listen(&mut self.window, &emit, move |event| {
            if event == enums::Event::Focus {
                out(UiEvent::Main(Event::Looked));
            }
            let does = if event == enums::Event::KeyDown { pressed(ACTIONS, false) } else { None };
            does.inspect(|does| does(&out, &mut search)).is_some()
        });
        self.window.set_callback(move |_| {
            // Escape does not close this window.
            if app::event_key() != Key::Escape || app::event() == enums::Event::Close {
                emit(UiEvent::Main(Event::Quit));
            }
        });
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
    }

    /// Brings the window to the front, with the keyboard in its search.
    pub fn search(&mut self) {
        self.window.show();
        let _ = self.search.take_focus();
    }

    /// Asks for attention, unless the window has the keyboard, because a message came that no chat window shows.
    pub fn unseen(&mut self) {
        if !self.has_keys() {
            self.urgent = true;
            super::x11::ask_for_attention(&self.window, true);
        }
    }

    fn has_keys(&self) -> bool {
        let focus = app::focus().and_then(|w| w.top_window());
        focus.is_some_and(|w| w.as_widget_ptr() == self.window.as_widget_ptr())
    }

    /// Handles that the person looks at the window.
    pub fn looked(&mut self) {
        // It may be behind another one again by now.
        if self.has_keys() && std::mem::take(&mut self.urgent) {
            super::x11::ask_for_attention(&self.window, false);
        }
    }

    /// Returns the window's place, to be saved.
    #[must_use]
    pub fn position(&self) -> [i32; 4] {
        screen::position_of(&self.window)
    }

    /// Sets the list as the history has it.
    pub fn set_conversations(&mut self, conversations: Vec<Conversation>) {
        self.roster.borrow_mut().set_conversations(conversations);
        self.fill();
        self.entitle();
    }

    /// Sets how many strangers there are beyond those that are listed.
    pub fn set_more_strangers(&mut self, more: crate::client::history::MoreStrangers) {
        self.roster.borrow_mut().set_more_strangers(more);
        self.fill();
    }

    /// Shows these as the account's own name and colour.
    pub fn set_me(&mut self, me: Me) {
        self.me.replace(me);
        self.head.redraw();
    }

    /// Takes over profiles that are new or have changed.
    pub fn set_profiles(&mut self, profiles: Vec<(Account, crate::protocol::wire::item::Profile)>) {
        self.roster.borrow_mut().set_profiles(profiles);
        self.fill();
    }

    /// Returns what is typed in the search, without blanks around it.
    #[must_use]
    pub fn searched(&self) -> String {
        self.search.value().trim().to_owned()
    }

    /// Shows whom the server has found for a text.
    pub fn set_found(&mut self, text: String, people: Vec<(Account, crate::protocol::wire::item::Profile)>) {
        self.roster.borrow_mut().set_found(text, people);
        self.fill();
    }

    /// Sets who is a friend, and requests.
    pub fn set_friends(&mut self, friends: crate::client::history::Friends) {
        self.status.borrow_mut().chosen = friends.status.state;
        self.head.redraw();
        self.roster.borrow_mut().set_friends(friends);
        self.fill();
    }

    /// Sets who is online, at servers that say, which also have a lobby. Returns whether that has changed.
    pub fn set_online(&mut self, online: Option<Vec<Account>>) -> bool {
        let new = self.roster.borrow_mut().set_online(online);
        if new {
            self.fill();
        }
        new
    }

    /// Sets those who are away, busy or have a line. Returns whether that has changed.
    pub fn set_states(&mut self, states: BTreeMap<Account, Shown>) -> bool {
        let new = self.roster.borrow_mut().set_states(states);
        if new {
            self.fill();
        }
        new
    }

    /// Opens or closes a section.
    pub fn toggle(&mut self, section: &roster::Section) {
        self.roster.borrow_mut().toggle(section);
        self.fill();
    }

    /// Clears the search.
    pub fn clear_search(&mut self) {
        if !self.search.value().is_empty() {
            self.search.set_value("");
            self.fill();
        }
    }

    /// Returns what is known about people.
    #[must_use]
    pub fn roster(&self) -> std::cell::Ref<'_, Roster> {
        self.roster.borrow()
    }

    /// Sets the connection line. What was said about trouble with the server disappears when that is over.
    pub fn set_link(&mut self, link: ConnectionState) {
        let old = self.status.borrow().link;
        let counting = matches!(old, ConnectionState::Retrying { .. });
        let trouble =
            matches!(old, ConnectionState::Waiting | ConnectionState::Retrying { .. } | ConnectionState::LoggedOut);
        if trouble && matches!(link, ConnectionState::Connected { .. }) {
            self.notice.trouble_ends();
            self.said();
        }
        self.status.borrow_mut().link = link;
        self.head.redraw();
        self.foot.redraw();
        if matches!(link, ConnectionState::Retrying { .. }) && !counting {
            count_down(self.foot.clone(), screen::Life::of(&self.window), Rc::clone(&self.status));
        }
    }

    /// Sets whether the server is silent; then it is unknown who is online.
    pub fn set_silent(&mut self, silent: bool) {
        self.status.borrow_mut().silent = silent;
        if silent {
            self.roster.borrow_mut().doubt_online();
        }
        self.fill();
        self.head.redraw();
        self.foot.redraw();
    }

    /// Sets whether messages wait because the server cannot store them now.
    pub fn set_not_storing(&mut self, not: bool) {
        self.notice.stand(&if not { t!("gui.not_storing") } else { "".into() });
        self.said();
    }

    /// Sets the dialect that is spoken, which shows whether others can read along.
    pub fn set_speaks(&mut self, speaks: Option<SpokenDialect>) {
        self.status.borrow_mut().speaks = speaks;
        self.foot.redraw();
    }

    /// Shows a momentary text that concerns everything, above the connection line; an empty one removes it.
    pub fn say(&mut self, text: &str) {
        self.notice.say(text, false);
        self.said();
    }

    /// Shows a momentary text about trouble with the server, which disappears when that is over.
    pub fn say_trouble(&mut self, text: &str) {
        self.notice.say(text, true);
        self.said();
    }

    /// Shows what has happened; it stays until the person dismisses it.
    pub fn keep(&mut self, what: Kept) {
        self.notice.keep(what);
        self.said();
    }

    /// Removes the notice that was dismissed.
    pub fn seen(&mut self) {
        self.notice.take_away();
        self.said();
    }

    fn said(&mut self) {
        (self.lay_out)(self.window.w(), self.window.h());
        self.window.redraw();
    }

    /// Shows a question above the connection line; `None` removes it.
    pub fn ask(&mut self, question: Option<Question>) {
        self.notice.ask(question);
        (self.lay_out)(self.window.w(), self.window.h());
        self.window.redraw();
    }

    /// Returns what is said and asked above the connection line.
    #[must_use]
    pub fn notice(&self) -> &Notice {
        &self.notice
    }

    /// Returns the list of friends.
    #[must_use]
    pub fn list(&self) -> &FriendList {
        &self.list
    }

    /// Returns the window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Rebuilds the window in another language or theme, with people, connection, search, notices and the request for
    /// attention. The caller asks its question again.
    #[must_use]
    pub fn renewed(&self, me: &Me, emit: Emit) -> Self {
        let mut new = Self::new(me, Some(self.position()), emit);
        new.roster.swap(&self.roster);
        let Status { link, speaks, silent, chosen: _ } = *self.status.borrow();
        new.set_link(link);
        (new.status.borrow_mut().speaks, new.status.borrow_mut().silent) = (speaks, silent);
        new.search.set_value(&self.search.value());
        new.fill();
        new.entitle();
        self.notice.kept().into_iter().for_each(|what| new.keep(what));
        let (text, trouble) = self.notice.moment();
        new.notice.say(&text, trouble);
        new.said();
        if self.search.has_focus() {
            let _ = new.search.take_focus();
        }
        new.urgent = self.urgent;
        if new.urgent {
            super::x11::ask_for_attention(&new.window, true);
        }
        screen::hide(&self.window);
        new
    }

    fn fill(&mut self) {
        self.listing.fill(clock::now().unix_ms);
    }

    /// Sets the present time, in milliseconds since 1970, since the list says "yesterday" from midnight on. Called at
    /// midnight and after every event, since the machine may have been suspended or its clock set.
    pub fn set_now(&mut self, now_ms: i64) {
        if !self.listing.holds(now_ms) {
            self.listing.fill(now_ms);
        }
    }

    fn entitle(&mut self) {
        let unread = self.roster.borrow().unread();
        let title = t!("gui.app");
        self.window.set_label(&if unread > 0 { format!("({unread}) {title}") } else { title.into_owned() });
    }
}

/// Converts what the list and the search ask for into events for the main loop.
fn row_requests(emit: &Emit, search: &Input) -> Rc<dyn Fn(RowRequest)> {
    let (emit, search) = (Rc::clone(emit), search.clone());
    Rc::new(move |wish| {
        emit(match wish {
            RowRequest::Open(account) => UiEvent::Chat(account, chat_window::Event::Open),
            RowRequest::Do(event) => event,
            RowRequest::Toggle(section) => UiEvent::Main(Event::Toggle(section)),
            RowRequest::Add(name) => UiEvent::Friend(friend_window::Event::Open(name)),
            RowRequest::Menu(person, x, y) => UiEvent::Main(Event::RowMenu(person, x, y)),
            RowRequest::Search(typed) => {
                let mut search = search.clone();
                let _ = search.take_focus();
                let _ = search.insert(&typed);
                search.do_callback();
                return;
            }
        });
    })
}
