//! Friendship by consent: requests, answers and news about them, and lists that differ from the server's.

use rust_i18n::t;

use super::app::App;
use super::asks::Ask;
use super::screen::{column, harmless};
use super::script::Exit;
use crate::base::model::Account;
use crate::base::shown;
use crate::client::friendship::{Friendship, sentence};
use crate::client::history::Friends;
use crate::client::net::clock;
use crate::client::session::{ConnectionState, FriendOutcome, FriendRequest};

impl App {
    /// Asks somebody to be a friend, with a line of text.
    pub(super) fn befriend(&mut self, name: &str, text: &str) {
        let Some(account) = self.resolve(name).or_else(|| Account::person(name).ok()).filter(|a| !a.is_room()) else {
            return self.error(&t!("gui.bad_account"));
        };
        self.ask_friend(account, FriendRequest::Ask { text: text.to_owned(), answer: None });
    }

    /// Answers somebody's request, or ends a friendship or a request.
    pub(super) fn answer_friend(&mut self, name: &str, request: FriendRequest) {
        let Some(account) = self.resolve(name).or_else(|| Account::person(name).ok()).filter(|a| !a.is_room()) else {
            return self.warn(&t!("term.nobody", name = harmless(name)));
        };
        let friendship = self.login.roster.friendship(&account);
        let fits = match &request {
            FriendRequest::Accept | FriendRequest::Decline => friendship == Friendship::Asked,
            FriendRequest::End => !matches!(friendship, Friendship::None | Friendship::Asked),
            FriendRequest::Ask { .. } => true,
        };
        if !fits && friendship != Friendship::Unknown {
            self.failed(Exit::Usage);
            let name = harmless(&self.login.roster.name(&account));
            return self.warn(&match &request {
                FriendRequest::End => t!("people.no_friend", name = name),
                FriendRequest::Ask { .. } | FriendRequest::Accept | FriendRequest::Decline => {
                    t!("people.no_request", name = name)
                }
            });
        }
        self.ask_friend(account, request);
    }

    pub(super) fn ask_friend(&mut self, account: Account, request: FriendRequest) {
        let connected = matches!(self.client.link(), ConnectionState::Connected { .. } | ConnectionState::Waiting);
        if connected {
            self.login.awaits.friend += 1;
        } else if self.on_terminal() {
            self.quiet(&t!("people.sent_later"));
        } else {
            // Nothing may wait for a server that may never come back.
            self.failed(Exit::NoAnswer);
            return self.warn(&t!("people.unanswered"));
        }
        self.client.friend(clock::now(), account, request);
    }

    /// Prints the outcome of a request.
    pub(super) fn friend_answered(&mut self, account: &Account, request: &FriendRequest, outcome: &FriendOutcome) {
        self.login.awaits.friend = self.login.awaits.friend.saturating_sub(1);
        let text = sentence(request, outcome, &harmless(&self.login.roster.name(account))).into_owned();
        match (outcome, request) {
            (FriendOutcome::Done, _) => self.quiet(&text),
            (FriendOutcome::Question(_), FriendRequest::Ask { text: words, .. }) if self.on_terminal() => {
                self.warn(&text);
                self.ask = Ask::FriendAnswer(account.clone(), words.clone());
            }
            (FriendOutcome::Question(_) | FriendOutcome::Refused(_) | FriendOutcome::NotHere, _) => {
                self.failed(Exit::Refused);
                self.warn(&text);
            }
            (FriendOutcome::Unanswered, _) => {
                self.failed(Exit::NoAnswer);
                self.warn(&text);
            }
        }
    }

    /// Takes the new friends and requests, and prints what is new.
    pub(super) fn friends_are(&mut self, friends: Friends) {
        let news = friends.news(self.login.roster.friends());
        let differ = !friends.differences.is_empty() && self.login.roster.friends().differences.is_empty();
        self.login.roster.set_friends(friends);
        for one in news {
            let name = harmless(&self.login.roster.name(one.account()));
            self.quiet(&one.sentence(&name));
            if let crate::client::friendship::News::Asked(..) = one {
                self.quiet(&t!("term.answer_request", name = one.account().shown()));
            }
        }
        if differ {
            self.say_differences();
        }
    }

    /// Prints who asks to be a friend and who was asked.
    pub(super) fn requests(&mut self) {
        let friends = self.login.roster.friends();
        let line = |account: &Account, text: &str| {
            let name = column(&harmless(&self.login.roster.name(account)), 18);
            format!("  {name} {}\n", harmless(&shown::first_line(text)))
        };
        let mut text = String::new();
        for (who, request) in &friends.asked {
            text.push_str(&line(who, if request.text.is_empty() { "←" } else { &request.text }));
        }
        for (who, request) in &friends.asking {
            let word = if request.declined { t!("people.declined_row") } else { t!("people.asking_row") };
            text.push_str(&line(who, &word));
        }
        if text.is_empty() { self.quiet(&t!("people.no_requests")) } else { self.print(&text) }
    }

    /// Prints how the list here and the server's list differ, or chooses one of them.
    pub(super) fn settle_lists(&mut self, which: &str) {
        if self.login.roster.friends().differences.is_empty() {
            return self.quiet(&t!("people.no_differences"));
        }
        match which {
            "" => self.say_differences(),
            "mine" | "本机" => self.client.settle_differences(true),
            "server" | "服务器" => self.client.settle_differences(false),
            other => {
                self.failed(Exit::Usage);
                self.error(&t!("term.sync_words", word = harmless(other)));
            }
        }
    }

    fn say_differences(&mut self) {
        let differences = &self.login.roster.friends().differences;
        let lines: Vec<String> = differences.iter().map(|one| format!("  {}", harmless(&one.line()))).collect();
        self.warn(&t!("people.differences", n = lines.len()));
        self.print(&lines.join("\n"));
        self.quiet(&t!("term.sync_hint"));
    }
}
