//! The main window: me and my state, a search, the friends, the connection line.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use fltk::app;
use fltk::button::Button;
use fltk::draw;
use fltk::enums::{self, CallbackTrigger, Color, Cursor, Font, FrameType, Key};
use fltk::frame::Frame;
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::actions::{Action, Press, pressed};
use super::canvas::Canvas;
use super::chat_window::ChatWindow;
use super::field_menu;
use super::friend_list::{FriendList, Wish};
use super::keys_window::listen;
use super::notice::{Kept, Notice, Question};
use super::theme::Palette;
use super::widgets;
use super::{Emit, UiEvent, chat_window, connection_window, friend_window, screen, theme};
use crate::base::model::Account;
use crate::client::history::Conversation;
use crate::client::net::clock;
use crate::client::roster::{self, Person, Presence, Roster};
use crate::client::session::{Link, Speaks};

const HEAD: i32 = 68;
const SEARCH: i32 = 44;
const FOOT: i32 = 30;

type Here = Action<fn(&Emit, &mut Input)>;

/// The window's own keys, which get its search; those of rows are the list's.
pub(super) const ACTIONS: &[Here] = &[
    Here::told(&[Press::Elsewhere("↑ ↓  Enter")], "keys.open"),
    Here::told(&[Press::Elsewhere("← →")], "keys.fold"),
    Here::new(&[Press::Ctrl('n')], "keys.friend", |emit, _| {
        emit(UiEvent::Friend(friend_window::Event::Open(String::new())))
    }),
    Here::new(&[Press::F(10)], "keys.menu", |emit, _| emit(UiEvent::Main(Event::OwnMenu(60, HEAD - 8)))),
    Here::new(&[Press::Ctrl('f')], "", |_, search| drop(search.take_focus())),
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

/// What the foot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Status {
    link: Link,
    /// What is spoken, once that is known.
    speaks: Option<Speaks>,
    /// The server does not answer.
    silent: bool,
}

/// What the list is made of, and when it was.
#[derive(Clone)]
struct Listing {
    roster: Rc<RefCell<Roster>>,
    search: Input,
    list: FriendList,
    /// Between these moments its times say what is so; milliseconds since 1970.
    holds: Rc<Cell<(i64, i64)>>,
}

impl Listing {
    fn fill(&self, now_ms: i64) {
        self.holds.set((now_ms, roster::times_hold_until(now_ms).unwrap_or(i64::MAX)));
        let (search, mut list) = (self.search.value(), self.list.clone());
        // Without a search nobody may be there because nothing is known yet.
        list.set_nothing(&if search.trim().is_empty() { "".into() } else { t!("main.nobody_found") });
        let entries = self.roster.borrow().entries(&search, now_ms);
        list.set(entries);
    }

    fn holds(&self, now_ms: i64) -> bool {
        let (from, to) = self.holds.get();
        (from..to).contains(&now_ms)
    }
}

/// Lists anew at midnight: one wake-up a day.
fn watch_midnight(listing: Listing, window: screen::Life) {
    let now_ms = clock::now().unix_ms;
    if !listing.holds(now_ms) {
        listing.fill(now_ms);
    }
    let (_, until) = listing.holds.get();
    let wait = until.saturating_sub(now_ms).clamp(1_000, 26 * 3_600_000);
    app::add_timeout3(wait as f64 / 1000.0, move |_| {
        if window.is_on() {
            watch_midnight(listing.clone(), window.clone());
        }
    });
}

/// The window with the friends.
pub struct MainWindow {
    window: Window,
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
        let status = Rc::new(RefCell::new(Status { link: Link::Offline, speaks: None, silent: false }));
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
        let list = FriendList::new(0, 0, 300, 500, wishes(&emit, &search));
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
        let mut main = Self { window, head, list, search, foot, notice, status, roster, listing, lay_out, urgent };
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
        let wish = wishes(&emit, &self.search);
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
        let focus = app::focus().and_then(|w| w.top_window());
        if focus.is_none_or(|w| w.as_widget_ptr() != self.window.as_widget_ptr()) {
            self.urgent = true;
            super::x11::ask_for_attention(&self.window, true);
        }
    }

    /// The person looks at it.
    pub fn looked(&mut self) {
        if std::mem::take(&mut self.urgent) {
            super::x11::ask_for_attention(&self.window, false);
        }
    }

    /// Where it stands: x, y, width, height.
    #[must_use]
    pub fn place(&self) -> [i32; 4] {
        screen::place_of(&self.window)
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

    /// Who is online, on servers that say; then there is a lobby as well.
    pub fn set_online(&mut self, online: Option<Vec<Account>>) {
        self.roster.borrow_mut().set_online(online);
        self.fill();
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
    pub fn set_link(&mut self, link: Link) {
        let old = self.status.borrow().link;
        let counting = matches!(old, Link::Retrying { .. });
        let trouble = matches!(old, Link::Waiting | Link::Retrying { .. } | Link::LoggedOut);
        if trouble && matches!(link, Link::Connected { .. }) {
            self.notice.trouble_ends();
            self.said();
        }
        self.status.borrow_mut().link = link;
        self.head.redraw();
        self.foot.redraw();
        if matches!(link, Link::Retrying { .. }) && !counting {
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
    pub fn set_speaks(&mut self, speaks: Option<Speaks>) {
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

    /// The same window anew, in another language or theme: people, connection, search and what stays are as they were.
    /// What it says of the moment and what it asks are their owner's to say once more.
    #[must_use]
    pub fn renewed(self, me: &Me, emit: Emit) -> Self {
        let mut new = Self::new(me, Some(self.place()), emit);
        new.roster.swap(&self.roster);
        let Status { link, speaks, silent } = *self.status.borrow();
        new.set_link(link);
        (new.status.borrow_mut().speaks, new.status.borrow_mut().silent) = (speaks, silent);
        new.search.set_value(&self.search.value());
        new.fill();
        new.entitle();
        self.notice.kept().into_iter().for_each(|what| new.keep(what));
        new.urgent = self.urgent;
        self.close();
        new
    }

    /// Closes the window for good.
    pub fn close(self) {
        screen::close(self.window);
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
fn wishes(emit: &Emit, search: &Input) -> Rc<dyn Fn(Wish)> {
    let (emit, search) = (Rc::clone(emit), search.clone());
    Rc::new(move |wish| {
        emit(match wish {
            Wish::Open(account) => UiEvent::Chat(account, chat_window::Event::Open),
            Wish::Do(event) => event,
            Wish::Toggle(section) => UiEvent::Main(Event::Toggle(section)),
            Wish::Add(name) => UiEvent::Friend(friend_window::Event::Open(name)),
            Wish::Menu(person, x, y) => UiEvent::Main(Event::RowMenu(person, x, y)),
            Wish::Search(typed) => {
                let mut search = search.clone();
                let _ = search.take_focus();
                let _ = search.insert(&typed);
                search.do_callback();
                return;
            }
        });
    })
}

/// The connection line, which opens the connection window.
fn foot(status: &Rc<RefCell<Status>>, emit: &Emit) -> Frame {
    let mut foot = Frame::new(0, 0, 300, FOOT, None);
    let (status, canvas) = (Rc::clone(status), RefCell::default());
    foot.draw(move |f| draw_foot(f, &status.borrow(), &mut canvas.borrow_mut()));
    foot.set_tooltip(&t!("main.connection_tip"));
    let emit = Rc::clone(emit);
    foot.handle(move |_, event| {
        match event {
            enums::Event::Enter => draw::set_cursor(Cursor::Hand),
            enums::Event::Leave => draw::set_cursor(Cursor::Default),
            // Only who takes the press is told of the release.
            enums::Event::Push => {}
            enums::Event::Released => emit(UiEvent::Connection(connection_window::Event::Open)),
            _ => return false,
        }
        true
    });
    foot
}

fn head(me: &Me, status: &Rc<RefCell<Status>>) -> Button {
    let mut head = Button::new(0, 0, 252, HEAD, None);
    head.set_frame(FrameType::NoBox);
    head.super_draw(false);
    head.set_tooltip(&t!("main.menu_tip"));
    let (me, status) = (me.clone(), Rc::clone(status));
    let canvas: RefCell<Canvas<_>> = RefCell::default();
    head.draw(move |b| {
        let colours = theme::palette();
        let (word, ink, presence) = own_state(&status.borrow(), colours);
        let look = (word.to_string(), presence, b.has_focus());
        canvas.borrow_mut().show(b, look, |x, y| {
            draw::draw_rect_fill(x, y, b.w(), b.h(), colours.bg);
            let shown = me.account.shown();
            let account = shown.as_ref();
            let name = if me.nickname.is_empty() { account } else { &me.nickname };
            widgets::avatar(x + 12, y + 12, 44, account, name, presence);
            let room = b.w() - 68;
            draw::set_font(Font::Helvetica, 15);
            draw::set_draw_color(colours.text);
            let shown = widgets::fit(name, room);
            draw::draw_text(&shown, x + 66, y + 32);
            let used = draw::width(&shown).ceil() as i32 + 8;
            draw::set_font(Font::Helvetica, theme::SMALL);
            draw::set_draw_color(colours.dim);
            if !me.nickname.is_empty() {
                draw::draw_text(&widgets::fit(account, room - used), x + 66 + used, y + 32);
            }
            draw::set_draw_color(ink);
            draw::draw_text(&widgets::whole(&format!("{word} ▾"), room), x + 66, y + 50);
            if b.has_focus() {
                widgets::ring(x + 60, y + 10, room, 48);
            }
        });
    });
    head
}

/// One's own state in a word, its colour, and the dot. With no answer nobody else sees one either, for all one knows.
fn own_state(status: &Status, colours: &Palette) -> (Cow<'static, str>, Color, Option<Presence>) {
    let gone = matches!(status.link, Link::Offline | Link::LoggedOut);
    match status.link {
        _ if status.silent && !gone => (t!("main.lost"), colours.warn, None),
        Link::Connected { .. } | Link::Waiting | Link::Retrying { .. } => {
            (t!("main.online"), colours.dim, Some(Presence::Online))
        }
        _ => (t!("main.offline"), colours.dim, Some(Presence::Offline)),
    }
}

/// What decides how the foot looks: its two texts and their colours.
type Foot = [(String, Color); 2];

fn draw_foot(f: &Frame, status: &Status, canvas: &mut Canvas<Foot>) {
    let (link, colours) = (status.link, theme::palette());
    let text = match link {
        Link::LoggingIn if status.silent => t!("main.link_reconnecting"),
        link => link.sentence(clock::now().instant),
    };
    let colour = match link {
        _ if status.silent && !matches!(link, Link::Offline | Link::LoggedOut) => colours.error,
        Link::Offline | Link::LoggingIn => colours.dim,
        Link::Connected { .. } => colours.ok,
        Link::Waiting => colours.warn,
        Link::Retrying { .. } | Link::LoggedOut => colours.error,
    };
    // Whether others can read along is true of a connection.
    let connected = matches!(link, Link::Connected { .. } | Link::Waiting) && !status.silent;
    let (dialect, dialect_ink) = match status.speaks.filter(|_| connected) {
        Some(Speaks::Secure) => (t!("main.encrypted"), colours.ok),
        Some(Speaks::Plain) => (t!("main.unencrypted"), colours.warn),
        None => ("".into(), colours.dim),
    };
    let look = [(text.to_string(), colour), (dialect.to_string(), dialect_ink)];
    canvas.show(f, look, |x, y| {
        draw::draw_rect_fill(x, y, f.w(), f.h(), colours.bg);
        draw::set_draw_color(colours.line);
        draw::draw_xyline(x, y, x + f.w());
        draw::set_draw_color(colour);
        draw::draw_pie(x + 12, y + 11, 9, 9, 0.0, 360.0);
        draw::set_font(Font::Helvetica, theme::TINY);
        let wide = draw::width(&dialect).ceil() as i32;
        draw::set_draw_color(if colour == colours.ok { colours.dim } else { colour });
        draw::draw_text(&widgets::whole(&text, f.w() - 50 - wide), x + 27, y + 20);
        draw::set_draw_color(dialect_ink);
        draw::draw_text(&dialect, x + f.w() - 12 - wide, y + 20);
    });
}

/// Redraws the seconds as long as there are any; nothing wakes up otherwise.
fn count_down(mut foot: Frame, window: screen::Life, status: Rc<RefCell<Status>>) {
    app::add_timeout3(1.0, move |_| {
        if !window.is_on() {
            return;
        }
        let Link::Retrying { at } = status.borrow().link else { return };
        foot.redraw();
        if at < clock::now().instant {
            // It is tried now; a next time comes as another state.
            return;
        }
        count_down(foot.clone(), window.clone(), Rc::clone(&status));
    });
}
