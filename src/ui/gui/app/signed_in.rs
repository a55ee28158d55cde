//! What belongs to one login: made when somebody logs in, dropped when they leave, and all its windows with it.

use std::collections::BTreeMap;

use super::super::chat_window::OwnState;
use super::super::friend_window::{Befriending, FriendWindow};
use super::super::lists_window::ListsWindow;
use super::super::main_window::{MainWindow, Me};
use super::super::notice::Kept;
use super::super::password_window::PasswordWindow;
use super::super::profile_window::ProfileWindow;
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
use crate::protocol::wire::item::Profile;
use crate::protocol::wire::status::Shown;

/// The name under which the main window's position is saved.
const NAME: &str = "main";

/// The list here, where it is not as at the server.
#[derive(Default)]
pub(super) struct Lists {
    pub window: Option<ListsWindow>,
    /// The account's owner wants to be asked at the next login.
    pub later: bool,
}

/// An account that is logged in. Its windows close in this order.
pub(super) struct SignedIn {
    pub chats: Chats,
    pub friend: Option<FriendWindow>,
    /// Whether saving in that window asks them to be a friend.
    pub befriending: Befriending,
    pub lists: Lists,
    pub profile: Option<ProfileWindow>,
    /// What the server was asked to look for, and has not answered.
    pub finding: Option<String>,
    pub password: Option<PasswordWindow>,
    pub settings: Option<SettingsWindow>,
    pub trust: Option<TrustWindow>,
    pub main: MainWindow,
    pub me: Account,
    /// Whether the server said last that this account does not exist any more.
    pub deleted: bool,
    /// The question that the person has to answer.
    pub trouble: Option<Trouble>,
}

impl SignedIn {
    /// Opens the main window after a login. `said` is a text about the server that is to be shown there.
    pub fn open(attempt: Attempt, settings: Option<SettingsWindow>, said: Option<String>, core: &mut Core) -> Self {
        let Attempt { me, online, states, drafts, kept } = attempt;
        let mut main = MainWindow::new(&who(&me, None, core), core.position(NAME), core.emit());
        main.set_link(core.client.link());
        main.set_speaks(core.client.connection().speaks);
        main.set_not_storing(core.client.is_not_storing());
        main.set_states(states);
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
            befriending: Befriending::No,
            lists: Lists::default(),
            profile: None,
            finding: None,
            password: None,
            settings,
            trust: None,
            main,
            me,
            deleted: false,
            trouble: None,
        }
    }

    /// Rebuilds the main window in another language or theme.
    pub fn renew_main(&mut self, core: &Core) {
        let profile = self.main.roster().friends().profile.clone();
        self.main = self.main.renewed(&who(&self.me, profile.as_ref(), core), core.emit());
        self.main.set_not_storing(core.client.is_not_storing());
        self.show_trouble();
    }

    /// Closes the windows after leaving.
    pub fn leave(&mut self) {
        self.chats.windows.clear();
        (self.friend, self.lists.window, self.password) = (None, None, None);
        (self.settings, self.trust, self.profile) = (None, None, None);
        screen::hide(self.main.window());
    }

    /// Saves where the windows are, for the next time.
    pub fn keep_positions(&self, core: &mut Core) {
        core.keep_position(NAME, self.main.position());
        self.chats.keep_positions(core);
        core.save();
    }

    /// Returns the user's own state, as it is shown above a chat.
    pub fn own_state(&self, core: &Core) -> OwnState {
        match core.client.link() {
            ConnectionState::Offline | ConnectionState::LoggedOut if self.deleted => OwnState::Deleted,
            ConnectionState::Offline | ConnectionState::LoggedOut => OwnState::Offline,
            _ if core.client.is_silent() => OwnState::Lost,
            _ if self.main.roster().is_unsure() => OwnState::Unsure,
            _ => OwnState::Connected,
        }
    }

    /// Returns the name under which an account is shown.
    pub fn name(&self, account: &Account) -> String {
        self.main.roster().name(account)
    }

    /// Shows the account's own name and colour as they are now.
    pub fn renew_me(&mut self, core: &Core) {
        let profile = self.main.roster().friends().profile.clone();
        self.main.set_me(who(&self.me, profile.as_ref(), core));
    }

    /// Shows who is online, if the server says.
    pub fn set_online(&mut self, online: Option<Vec<Account>>, core: &Core) {
        if self.main.set_online(online) {
            self.refresh_headers(core);
        }
    }

    /// Shows who is away, busy or has a line.
    pub fn set_states(&mut self, states: BTreeMap<Account, Shown>, core: &Core) {
        if self.main.set_states(states) {
            self.refresh_headers(core);
        }
    }

    /// Handles that the account was deleted and made anew: what is shown belongs to the earlier one. Texts in fields
    /// stay there, and are not sent before the person, who has been told, presses Enter.
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

fn who(me: &Account, profile: Option<&Profile>, core: &Core) -> Me {
    let local = || core.settings.nicknames.get(me.as_str()).cloned().unwrap_or_default();
    let name = profile.map_or_else(local, |profile| profile.name.clone());
    Me { account: me.clone(), name, color: profile.and_then(|profile| profile.color) }
}
