//! A damaged history: what the user is told, and how the readable part is saved.

use std::borrow::Cow;
use std::path::Path;
use std::thread;

use rust_i18n::t;

use super::{Client, Event};
use crate::base::model::Account;
use crate::client::history::{Read, Trouble, copy_before, rescue};

fn name_of(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

impl Client {
    /// Replaces a damaged history by what can still be read of it, on a thread of its own; answered by
    /// [`Event::Rescued`]. This closes the account.
    pub fn rescue(&mut self, account: &Account) {
        self.close_account();
        let (path, bell) = (self.history_path(account), self.bell.clone());
        let (done, result) = crossbeam_channel::bounded(1);
        let begun = thread::Builder::new().name("rescue".into()).spawn(move || {
            let _ = done.send(rescue(&path).map_err(|error| error.to_string()));
            bell.ring();
        });
        match begun {
            Ok(_) => self.rescuing = Some((account.clone(), result)),
            Err(error) => self.events.push_back(Event::Rescued(Err(crate::base::trouble::words(&error)))),
        }
    }

    /// Reports a rescue that has ended, and returns whether one has.
    pub(super) fn rescued(&mut self) -> bool {
        let Some(result) = self.rescuing.as_ref().and_then(|(_, result)| result.try_recv().ok()) else { return false };
        self.rescuing = None;
        self.events.push_back(Event::Rescued(result));
        true
    }

    /// Reports that the history is damaged, and where an earlier copy of it is.
    pub(super) fn say_damaged(&mut self, account: &Account, open: bool) {
        let path = self.history_path(account);
        let mut sentence = t!("error.damaged_now", file = name_of(&path)).into_owned();
        if let Some(copy) = copy_before(&path) {
            sentence.push('\n');
            sentence.push_str(&t!("error.copy_before", file = name_of(&copy)));
        }
        self.events.push_back(Event::Damaged { sentence, open });
    }

    /// Reports a trouble of the disk. A damaged history is reported once, with advice.
    pub(super) fn trouble_is(&mut self, trouble: &Trouble) {
        if *trouble != Trouble::Damaged {
            return self.events.push_back(Event::DiskTrouble(trouble.words()));
        }
        let Some(account) = &mut self.account else { return };
        if !std::mem::replace(&mut account.damaged, true) {
            let name = account.name.clone();
            self.say_damaged(&name, true);
        }
    }

    /// Reports to the face that a read of the history failed.
    pub(super) fn not_read(&mut self, op: Read, trouble: &Trouble) {
        if *trouble == Trouble::Damaged {
            self.trouble_is(trouble);
        }
        let peer = match op {
            Read::Index(peer) | Read::Oldest(peer) | Read::Page { peer, .. } | Read::Last { peer, .. } => Some(peer),
            Read::Conversations
            | Read::Settle
            | Read::Drafts
            | Read::Friends
            | Read::Profiles
            | Read::ItemChanges
            | Read::Export(_)
            | Read::Search { .. } => None,
        };
        self.events.push_back(Event::NotRead { peer, why: trouble.words() });
    }
}

#[cfg(test)]
mod tests {
    use crate::base::model::{Account, Password};
    use crate::client::net::clock;
    use crate::client::session::{Dialect, Polling};
    use crate::client::{Client, ClientError, Config};

    #[test]
    fn who_logs_in_while_a_rescue_runs_is_told_so() {
        let dir = tempfile::tempdir().expect("a folder");
        let config = Config {
            server: "127.0.0.1:9".parse().expect("valid"),
            name: None,
            bind: None,
            data: dir.path().to_owned(),
            polling: Polling::Strict,
            dialect: Dialect::Plain,
            allow_plain: true,
        };
        let mut client = Client::open(config, || {}).expect("a client");
        let (a, b) = (Account::person("a").expect("valid"), Account::person("b").expect("valid"));
        let password = || Password::parse("secret").expect("valid");
        let (done, result) = crossbeam_channel::bounded(1);
        client.rescuing = Some((a.clone(), result));
        let error = client.login(clock::now(), a.clone(), password()).expect_err("it is being rescued");
        assert!(matches!(error, ClientError::Rescuing) && error.to_string().contains("rescue"), "{error}");
        client.login(clock::now(), b, password()).expect("another account's history is whole");
        done.send(Err("nothing to read".into())).expect("somebody waits");
        while client.rescuing.is_some() {
            client.pump(clock::now);
        }
        client.login(clock::now(), a, password()).expect("it is over");
    }
}
