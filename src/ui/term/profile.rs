//! Who one is to others, who others are, and who may ask to be a friend.

use rust_i18n::t;

use super::app::App;
use super::screen::{column, harmless};
use super::script::Exit;
use crate::base::model::{Account, names};
use crate::base::shown;
use crate::client::net::clock;
use crate::protocol::wire::item::{Kind, MayAsk, Profile, written};

impl App {
    /// Sets the name that others are shown.
    pub(super) fn set_own_name(&mut self, name: &str) {
        let name = names::tidy(name);
        let said = if name.is_empty() { t!("people.no_name") } else { t!("people.your_name", name = harmless(&name)) };
        self.set_profile(Profile { name, ..self.profile_now() }, &said, &t!("people.bad_name"));
    }

    /// Sets the line about oneself that others are shown.
    pub(super) fn set_own_line(&mut self, line: &str) {
        let line = names::tidy(line);
        let said = if line.is_empty() { t!("people.no_line") } else { t!("people.your_line", line = harmless(&line)) };
        self.set_profile(Profile { line, ..self.profile_now() }, &said, &t!("people.too_long"));
    }

    fn profile_now(&self) -> Profile {
        self.login.roster.friends().profile.clone().unwrap_or_default()
    }

    fn set_profile(&mut self, profile: Profile, said: &str, wrong: &str) {
        let fits = written(&profile).is_ok_and(|value| Kind::Profile.checked("", Some(&value)).is_ok());
        if !self.login.roster.friends().kept_by_server {
            self.failed(Exit::Refused);
            self.warn(&t!("people.no_profiles"));
        } else if profile != Profile::default() && !fits {
            self.failed(Exit::Usage);
            self.error(wrong);
        } else {
            self.client.set_profile(&profile);
            self.quiet(said);
        }
    }

    /// Sets who may ask to be a friend, or says who may.
    pub(super) fn set_may_ask(&mut self, words: &[String]) {
        let all: Vec<&str> = words.iter().map(String::as_str).collect();
        let who = match all[..] {
            [] => return self.say_may_ask(&self.login.roster.friends().may_ask.clone().unwrap_or(MayAsk::Everybody)),
            ["everybody" | "所有人"] => MayAsk::Everybody,
            ["nobody" | "无人"] => MayAsk::Nobody,
            [question, answer] => MayAsk::Question { question: question.to_owned(), answer: answer.to_owned() },
            _ => {
                self.failed(Exit::Usage);
                return self.error(&t!("term.may_ask_words"));
            }
        };
        let fits = written(&who).is_ok_and(|value| Kind::MayAsk.checked("", Some(&value)).is_ok());
        if !self.login.roster.friends().kept_by_server {
            self.failed(Exit::Refused);
            self.warn(&t!("people.no_profiles"));
        } else if fits {
            self.client.set_may_ask(&who);
            self.say_may_ask(&who);
        } else {
            self.failed(Exit::Usage);
            self.error(&t!("people.bad_question"));
        }
    }

    fn say_may_ask(&mut self, who: &MayAsk) {
        let text = match who {
            MayAsk::Everybody => t!("people.may_ask_everybody"),
            MayAsk::Nobody => t!("people.may_ask_nobody"),
            MayAsk::Question { question, answer } => {
                t!("people.may_ask_question", question = harmless(question), answer = harmless(answer))
            }
        };
        self.print(&text);
    }

    /// Prints who somebody is, or who oneself is to others.
    pub(super) fn card(&mut self, name: &str) {
        let own = name.trim().is_empty();
        let account = if own { self.login.me.clone() } else { self.resolve(name).filter(|account| !account.is_room()) };
        let Some(account) = account else { return self.warn(&t!("term.nobody", name = harmless(name))) };
        let lines = if own { self.login.roster.own_card() } else { self.login.roster.card(&account) };
        self.print(&lines.iter().map(|line| harmless(line)).collect::<Vec<_>>().join("\n"));
    }

    /// Looks for people at the server.
    pub(super) fn find(&mut self, text: &str) {
        self.login.awaits.people += 1;
        self.client.find(clock::now(), text.trim().to_owned());
    }

    /// Prints whom the server has found.
    pub(super) fn people_found(&mut self, text: &str, people: Option<Vec<(Account, Profile)>>, more: bool) {
        self.login.awaits.people = 0;
        let Some(people) = people else {
            self.failed(Exit::NoAnswer);
            return self.warn(&t!("people.not_found_out"));
        };
        if people.is_empty() {
            self.failed(Exit::Nothing);
            return self.quiet(&t!("people.nobody_called", text = harmless(text)));
        }
        self.login.roster.set_profiles(people.clone());
        let line = |(account, profile): &(Account, Profile)| {
            let name = column(&harmless(&shown::line(&profile.name)), 18);
            let row = format!("  {} {name} {}", column(&account.shown(), 16), harmless(&shown::line(&profile.line)));
            format!("{}\n", row.trim_end())
        };
        let mut lines: String = people.iter().map(line).collect();
        if more {
            lines.push_str(&format!("  {}\n", t!("people.more_found")));
        }
        self.print(&lines);
    }
}
