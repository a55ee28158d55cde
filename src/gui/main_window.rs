//! The main window: me, a field to add a friend, the list, the connection line.

use fltk::app;
use fltk::browser::HoldBrowser;
use fltk::enums::{Event, FrameType, Key};
use fltk::frame::Frame;
use fltk::input::Input;
use fltk::prelude::*;
use fltk::window::Window;
use rust_i18n::t;

use super::login::Emit;
use super::widgets;
use super::{UiEvent, theme};
use crate::history::Conversation;
use crate::model::Account;
use crate::session::Link;

/// The window with the friends.
pub struct MainWindow {
    window: Window,
    list: HoldBrowser,
    line: Frame,
    rows: std::rc::Rc<std::cell::RefCell<Vec<Account>>>,
    conversations: Vec<Conversation>,
    online: Option<Vec<Account>>,
    me: Account,
}

impl MainWindow {
    /// Opens the window of an account.
    #[must_use]
    pub fn new(me: &Account, emit: Emit) -> Self {
        let palette = theme::palette();
        let mut window = Window::new(0, 0, 300, 720, None).center_screen();
        window.set_label(&t!("gui.app"));
        window.set_color(palette.bg);
        window.size_range(240, 320, 0, 0);
        let mut head = Frame::new(12, 10, 276, 48, None);
        let name = me.as_str().to_owned();
        head.draw(move |f| {
            widgets::avatar(f.x(), f.y() + 2, 44, &name, &name, None);
            fltk::draw::set_font(fltk::enums::Font::Helvetica, theme::BODY);
            fltk::draw::set_draw_color(theme::palette().text);
            fltk::draw::draw_text(&name, f.x() + 54, f.y() + 30);
        });
        let mut add: Input = widgets::field(12, 66, 276, &t!("gui.add"));
        let mut list = HoldBrowser::new(0, 110, 300, 580, None);
        list.set_frame(FrameType::FlatBox);
        list.set_color(palette.bg);
        list.set_selection_color(palette.selected);
        list.set_text_size(theme::BODY);
        list.set_format_char('\u{1}');
        list.set_column_char('\u{1}');
        let mut line = widgets::label(12, 694, 276, "", palette.dim);
        line.set_label_size(theme::TINY);
        window.end();
        window.resizable(&list);
        let rows: std::rc::Rc<std::cell::RefCell<Vec<Account>>> = std::rc::Rc::default();
        {
            let (rows, emit) = (std::rc::Rc::clone(&rows), emit.clone());
            let open = move |list: &mut HoldBrowser| {
                let chosen = usize::try_from(list.value() - 1).ok().and_then(|i| rows.borrow().get(i).cloned());
                if let Some(account) = chosen {
                    emit(UiEvent::OpenChat(account));
                }
            };
            list.handle(move |list, event| match event {
                Event::Released if app::event_mouse_button() == app::MouseButton::Left => {
                    open(list);
                    true
                }
                Event::KeyDown if app::event_key() == Key::Enter => {
                    open(list);
                    true
                }
                _ => false,
            });
        }
        {
            let emit = emit.clone();
            add.set_trigger(fltk::enums::CallbackTrigger::EnterKeyAlways);
            add.set_callback(move |input| {
                if app::event() == Event::KeyDown && !input.value().is_empty() {
                    emit(UiEvent::AddFriend(input.value()));
                    input.set_value("");
                }
            });
        }
        {
            let emit = emit.clone();
            window.handle(move |_, event| {
                if matches!(event, Event::Shortcut | Event::KeyDown) && app::event_key() == Key::F5 {
                    emit(UiEvent::Fetch);
                    return true;
                }
                false
            });
        }
        window.set_callback(move |_| {
            // Escape is not a way to leave.
            if app::event_key() != Key::Escape {
                emit(UiEvent::Quit);
            }
        });
        window.show();
        let _ = add.take_focus();
        Self { window, list, line, rows, conversations: Vec::new(), online: None, me: me.clone() }
    }

    /// The list as the history has it.
    pub fn set_conversations(&mut self, conversations: Vec<Conversation>) {
        self.conversations = conversations;
        self.fill();
    }

    /// Who is online, on servers that say; then there is a lobby as well.
    pub fn set_online(&mut self, online: Vec<Account>) {
        self.online = Some(online);
        self.fill();
    }

    /// What somebody is called.
    #[must_use]
    pub fn name(&self, account: &Account) -> String {
        if account.as_str() == Account::LOBBY {
            return t!("gui.lobby").into_owned();
        }
        let contact = self.conversations.iter().map(|c| &c.contact).find(|c| c.account == *account);
        contact.map(|c| c.remark.as_str()).filter(|r| !r.is_empty()).unwrap_or(account.as_str()).to_owned()
    }

    fn fill(&mut self) {
        let chosen = usize::try_from(self.list.value() - 1).ok().and_then(|i| self.rows.borrow().get(i).cloned());
        let mut rows = Vec::new();
        self.list.clear();
        let mut put = |list: &mut HoldBrowser, account: &Account, text: &str| {
            list.add(&text.replace(char::is_control, " "));
            rows.push(account.clone());
        };
        if self.online.is_some() && !self.conversations.iter().any(|c| c.contact.account == Account::lobby()) {
            put(&mut self.list, &Account::lobby(), &format!("# {}", t!("gui.lobby")));
        }
        let is_online = |account: &Account| self.online.as_ref().is_some_and(|o| o.contains(account));
        for c in self.conversations.iter().filter(|c| !c.contact.blocked) {
            let account = &c.contact.account;
            let mut text = self.name(account);
            if c.unread > 0 {
                text = format!("({}) {text}", c.unread);
            }
            if is_online(account) {
                text.push_str(&format!(" · {}", t!("gui.online")));
            } else if c.stranger && !account.is_room() {
                text.push_str(&format!(" · {}", t!("gui.stranger")));
            }
            if let Some((last, _)) = &c.last {
                text.push_str(&format!("   {}", last.chars().take(40).collect::<String>()));
            }
            put(&mut self.list, account, &text);
        }
        let known = |account: &Account| self.conversations.iter().any(|c| c.contact.account == *account);
        for account in self.online.iter().flatten().filter(|a| **a != self.me && !known(a)) {
            put(&mut self.list, account, &format!("{account} · {}", t!("gui.online")));
        }
        let again = chosen.and_then(|account| rows.iter().position(|row| *row == account));
        *self.rows.borrow_mut() = rows;
        if let Some(line) = again.and_then(|i| i32::try_from(i + 1).ok()) {
            self.list.select(line);
        }
    }

    /// The connection line.
    pub fn set_link(&mut self, link: Link) {
        let palette = theme::palette();
        let (text, colour) = match link {
            Link::Offline => (t!("gui.offline").into_owned(), palette.dim),
            Link::LoggingIn => (t!("gui.logging_in").into_owned(), palette.dim),
            Link::Connected { rtt } => (t!("gui.connected", ms = rtt.as_millis()).into_owned(), palette.ok),
            Link::Waiting => (t!("gui.waiting").into_owned(), palette.warn),
            Link::Retrying { .. } => (t!("gui.retrying").into_owned(), palette.error),
            Link::LoggedOut => (t!("gui.logged_out").into_owned(), palette.error),
        };
        self.line.set_label_color(colour);
        self.line.set_label(&format!("{text} · {}", t!("gui.unencrypted")));
        self.window.redraw();
    }

    /// Says something about everything, in the line at the foot.
    pub fn say(&mut self, text: &str) {
        self.line.set_label_color(theme::palette().warn);
        self.line.set_label(&widgets::escape(text));
        self.window.redraw();
    }
}
