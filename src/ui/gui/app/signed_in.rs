//! What belongs to one login: made when somebody is in, dropped when they have left, and all its windows with it.

use super::super::chat_window::OwnState;
use super::super::friend_window::FriendWindow;
use super::super::main_window::{MainWindow, Me};
use super::super::notice::Kept;
use super::super::password_window::PasswordWindow;
use super::super::screen;
use super::super::settings_window::SettingsWindow;
use super::super::trust_window::TrustWindow;
use super::chats::Chats;
use super::core::Core;
use super::entry::Attempt;
use super::questions::Trouble;
use crate::base::model::Account;
use crate::client::history::MoreStrangers;
use crate::client::session::ConnectionState;

/// What the main window's position is kept under.
const NAME: &str = "main";

/// An account that somebody is in with. Its windows close in this order.
pub(super) struct SignedIn {
    pub chats: Chats,
    pub friend: Option<FriendWindow>,
    pub password: Option<PasswordWindow>,
    pub settings: Option<SettingsWindow>,
    pub trust: Option<TrustWindow>,
    pub main: MainWindow,
    pub me: Account,
    /// The server said last that this account is no more.
    pub deleted: bool,
    /// What its owner has to decide.
    pub trouble: Option<Trouble>,
}

impl SignedIn {
    /// Opens the main window of a login that was let in. What was `said` of the server before is said there.
    pub fn open(attempt: Attempt, settings: Option<SettingsWindow>, said: Option<String>, core: &mut Core) -> Self {
        let Attempt { me, online, drafts, kept } = attempt;
        let mut main = MainWindow::new(&who(&me, core), core.position(NAME), core.emit());
        main.set_link(core.client.link());
        main.set_speaks(core.client.connection().speaks);
        main.set_not_storing(core.client.is_not_storing());
        main.set_online(online);
        main.set_silent(core.client.is_silent());
        if let Some(text) = said {
            main.say(&text);
        }
        if let Some(text) = kept {
            main.keep(Kept::Sentence(text));
        }
        core.client.conversations();
        Self {
            chats: Chats::with_drafts(drafts),
            friend: None,
            password: None,
            settings,
            trust: None,
            main,
            me,
            deleted: false,
            trouble: None,
        }
    }

    /// The main window anew, in another language or theme.
    pub fn renew_main(&mut self, core: &Core) {
        self.main = self.main.renewed(&who(&self.me, core), core.emit());
        self.main.set_not_storing(core.client.is_not_storing());
        self.show_trouble();
    }

    /// Nobody is in any more: its windows go from the screen.
    pub fn leave(&mut self) {
        self.chats.windows.clear();
        (self.friend, self.password, self.settings, self.trust) = (None, None, None, None);
        screen::hide(self.main.window());
    }

    /// Takes note of where its windows stand, for the next time.
    pub fn keep_positions(&self, core: &mut Core) {
        core.keep_position(NAME, self.main.position());
        self.chats.keep_positions(core);
        core.save();
    }

    /// How one is connected, as it stands over a chat.
    pub fn own_state(&self, core: &Core) -> OwnState {
        match core.client.link() {
            ConnectionState::Offline | ConnectionState::LoggedOut if self.deleted => OwnState::Deleted,
            ConnectionState::Offline | ConnectionState::LoggedOut => OwnState::Offline,
            _ if core.client.is_silent() => OwnState::Lost,
            _ if self.main.roster().is_unsure() => OwnState::Unsure,
            _ => OwnState::Connected,
        }
    }

    /// What somebody is called.
    pub fn name(&self, account: &Account) -> String {
        self.main.roster().name(account)
    }

    /// Who is online now, if the server says.
    pub fn set_online(&mut self, online: Option<Vec<Account>>, core: &Core) {
        if self.main.set_online(online) {
            self.refresh_headers(core);
        }
    }

    /// Another account has this one's name: what is shown was the earlier one's. What stands in the fields stays there,
    /// and goes nowhere before somebody who has been told presses Enter.
    pub fn made_anew(&mut self, text: &str, core: &mut Core) {
        self.main.set_online(None);
        self.main.set_conversations(Vec::new());
        self.main.set_more_strangers(MoreStrangers::default());
        self.main.unseen();
        self.tell(text);
        self.chats.made_anew(core);
        self.refresh_headers(core);
    }
}

fn who(me: &Account, core: &Core) -> Me {
    let nickname = core.settings.nicknames.get(me.as_str()).cloned().unwrap_or_default();
    Me { account: me.clone(), nickname }
}
