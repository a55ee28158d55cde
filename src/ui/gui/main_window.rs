//! The main window: me and my state, a search, the friends, the connection line.
//!
//! Its parts:
//!
//! - `status`: me and my state, and the connection line.
//! - `listing`: the rows of the list.

mod listing;
mod status;

use std::cell::RefCell;
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
use listing::{Listing, watch_midnight};
use status::{Status, count_down, foot, head};

const HEAD: i32 = 68;
const SEARCH: i32 = 44;
const FOOT: i32 = 30;

type WindowKey = Action<fn(&Emit, &mut Input)>;

/// The window's own keys, which get its search; those of rows are the list's.
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
    /// One's own menu is wanted, at this place of the window.
    OwnMenu(i32, i32),
    /// The menu of somebody's row is wanted, at this place of the window.
    RowMenu(Box<Person>, i32, i32),
    /// A heading of the list is to be opened or closed.
    Toggle(roster::Section),
    /// Somebody is to be blocked, or not any more.
    Block(Account, bool),
    /// Somebody is to be taken off the list, after a question.
    Remove(Account),
    /// The same, with all messages.
    Delete(Account),
    /// Who stands in a file is to be added; which file is asked.
    Import,
    /// The list is to be written into a file; which is asked.
    Export,
    /// The account is to go online, or offline.
    SetOnline(bool),
    /// The server is to be asked for messages now.
    Fetch,
    /// The search is to have the keys.
    Search,
    /// The window is looked at.
    Looked,
    /// What stood over the connection line was read, and may go.
    NoticeSeen,
    /// The account's place is to be taken back from another device.
    TakeBack,
    /// It is to be left there.
    StayOffline,
    /// The login window is wanted, as the password is needed.
    LogInAgain,
    /// Why the server may be somebody else is to be shown.
    ShowDoubt,
    /// The login window is wanted, for another account.
    SwitchAccount,
    /// The same, and this account shall need its password again on this device.
    LeaveDevice,
    /// The program is to end.
    Quit,
}

/// Who one is here.
#[derive(Debug, Clone)]
pub struct Me {
    /// The account.
    pub account: Account,
    /// What its owner calls themselves; kept on this machine alone.
    pub nickname: String,
}

/// The window with the friends.
pub struct MainWindow {
    window: screen::Owned,
    head: Button,
    list: FriendList,
    search: Input,
    foot: Frame,
    notice: Notice,
    status: Rc<RefCell<Status>>,
    roster: Rc<RefCell<Roster>>,
    listing: Listing,
    lay_out: Rc<dyn Fn(i32, i32)>,
    /// Asks for attention.
    urgent: bool,
}

impl MainWindow {
    /// Opens the window of an account, at its place of last time.
    #[must_use]
    pub fn new(me: &Me, place: Option<[i32; 4]>, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = screen::window_beside(place, [300, 720], ChatWindow::BESIDE, &super::x11::others());
        window.set_color(palette.bg);
        screen::least(&mut window, 240, 320);
        let status = Rc::new(RefCell::new(Status { link: ConnectionState::Offline, speaks: None, silent: false }));
        let roster = Rc::new(RefCell::new(Roster::new(me.account.clone())));
        let mut head = head(me, &status);
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
        // What is answered goes away, and the keys go back to the list.
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
            move |_| listing.fill(clock::now().unix_ms)
        });
        let wish = row_requests(&emit, &self.search);
        // Else the field would use the keys first.
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
            // Escape is not a way to leave.
            if app::event_key() != Key::Escape || app::event() == enums::Event::Close {
                emit(UiEvent::Main(Event::Quit));
            }
        });
    }

    /// Brings the window to the front.
    pub fn raise(&mut self) {
        self.window.show();
    }

    /// Brings the window to the front, with the keys in its search.
    pub fn search(&mut self) {
        self.window.show();
        let _ = self.search.take_focus();
    }

    /// A message came that no chat window shows: the window asks for attention, unless it has it.
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

    /// The person looks at it.
    pub fn looked(&mut self) {
        // It may be behind again by now.
        if self.has_keys() && std::mem::take(&mut self.urgent) {
            super::x11::ask_for_attention(&self.window, false);
        }
    }

    /// Where it stands: x, y, width, height.
    #[must_use]
    pub fn position(&self) -> [i32; 4] {
        screen::position_of(&self.window)
    }

    /// The list as the history has it.
    pub fn set_conversations(&mut self, conversations: Vec<Conversation>) {
        self.roster.borrow_mut().set_conversations(conversations);
        self.fill();
        self.entitle();
    }

    /// Strangers that do not stand in the list one by one.
    pub fn set_more_strangers(&mut self, more: crate::client::history::MoreStrangers) {
        self.roster.borrow_mut().set_more_strangers(more);
        self.fill();
    }

    /// Who is online, on servers that say; then there is a lobby as well. Whether that is something new.
    pub fn set_online(&mut self, online: Option<Vec<Account>>) -> bool {
        let new = self.roster.borrow_mut().set_online(online);
        if new {
            self.fill();
        }
        new
    }

    /// Opens or closes a heading.
    pub fn toggle(&mut self, section: &roster::Section) {
        self.roster.borrow_mut().toggle(section);
        self.fill();
    }

    /// Empties the search.
    pub fn clear_search(&mut self) {
        if !self.search.value().is_empty() {
            self.search.set_value("");
            self.fill();
        }
    }

    /// What is known of people.
    #[must_use]
    pub fn roster(&self) -> std::cell::Ref<'_, Roster> {
        self.roster.borrow()
    }

    /// The connection line. What was said of trouble with the server goes when that is over.
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

    /// Whether the server does not answer: then nobody is known to be online, or not to be.
    pub fn set_silent(&mut self, silent: bool) {
        self.status.borrow_mut().silent = silent;
        if silent {
            self.roster.borrow_mut().doubt_online();
        }
        self.fill();
        self.head.redraw();
        self.foot.redraw();
    }

    /// Whether messages wait because the server cannot store them now.
    pub fn set_not_storing(&mut self, not: bool) {
        self.notice.stand(&if not { t!("gui.not_storing") } else { "".into() });
        self.said();
    }

    /// Which dialect is spoken, so that it is seen whether others can read along.
    pub fn set_speaks(&mut self, speaks: Option<SpokenDialect>) {
        self.status.borrow_mut().speaks = speaks;
        self.foot.redraw();
    }

    /// Says something of the moment that concerns everything, over the connection line; empty to take it away.
    pub fn say(&mut self, text: &str) {
        self.notice.say(text, false);
        self.said();
    }

    /// The same of trouble with the server: it goes when that is over.
    pub fn say_trouble(&mut self, text: &str) {
        self.notice.say(text, true);
        self.said();
    }

    /// Says what has happened; it stays until its reader takes it away.
    pub fn keep(&mut self, what: Kept) {
        self.notice.keep(what);
        self.said();
    }

    /// Its reader has.
    pub fn seen(&mut self) {
        self.notice.take_away();
        self.said();
    }

    fn said(&mut self) {
        (self.lay_out)(self.window.w(), self.window.h());
        self.window.redraw();
    }

    /// Asks something over the connection line, or nothing any more.
    pub fn ask(&mut self, question: Option<Question>) {
        self.notice.ask(question);
        (self.lay_out)(self.window.w(), self.window.h());
        self.window.redraw();
    }

    /// What it says and asks.
    #[must_use]
    pub fn notice(&self) -> &Notice {
        &self.notice
    }

    /// The list of friends.
    #[must_use]
    pub fn list(&self) -> &FriendList {
        &self.list
    }

    /// The window itself.
    #[must_use]
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The same window anew, in another language or theme: people, connection, search and what it says are as they were, and
    /// it asks for attention if it did. What it asks is its owner's to ask once more.
    #[must_use]
    pub fn renewed(&self, me: &Me, emit: Emit) -> Self {
        let mut new = Self::new(me, Some(self.position()), emit);
        new.roster.swap(&self.roster);
        let Status { link, speaks, silent } = *self.status.borrow();
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

    /// It is this late now, in milliseconds since 1970. The list says "yesterday" from midnight on; called at midnight, and
    /// after whatever happens, since a machine may have slept or its clock been set.
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

/// The list's and the search's wishes as events for the loop.
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
