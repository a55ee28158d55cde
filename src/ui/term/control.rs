//! Commands about the program itself: help, status, language, polling, datagrams; also completion.

use rust_i18n::t;

use super::app::App;
use super::asks::Ask;
use super::commands::{self, COMMANDS, Command, Words};
use super::screen::{column, fit, harmless};
use crate::base::model::Account;
use crate::base::settings::{Language, PollingChoice};
use crate::client::net::clock;
use crate::client::tap::{Direction, Record};
use crate::protocol::link;
use crate::protocol::wire::show;

impl App {
    pub(super) fn unknown(&mut self, name: &str) {
        let chinese = rust_i18n::locale().starts_with("zh");
        let name_of = |command: &Command| if chinese { command.zh } else { command.name };
        let all: Vec<&str> = COMMANDS.iter().map(name_of).collect();
        self.warn(&t!("term.unknown", name = harmless(name), all = all.join(" ")));
        if self.login.target.is_some() {
            self.warn(&t!("term.unknown_in_chat"));
        }
    }

    /// Shows how a command is written, after it was written wrongly.
    pub(super) fn usage(&mut self, command: &Command) {
        let slash = if self.login.target.is_some() { "/" } else { "" };
        let written = format!("{slash}{} {}", command.name, command.form());
        self.warn(&t!("term.usage", form = written.trim(), says = command.says()));
    }

    pub(super) fn help(&mut self, name: &str) {
        let mut text = String::new();
        if let Some(command) = commands::named(name.trim_start_matches('/')) {
            text = format!("{} ({}) {}\n  {}", command.name, command.zh, command.form(), command.says());
        } else if !name.is_empty() {
            return self.unknown(name);
        } else {
            // People who read Chinese may type the Chinese name as well.
            let chinese = rust_i18n::locale().starts_with("zh");
            let wide = if chinese { 42 } else { 38 };
            for command in COMMANDS {
                let names = if chinese { format!("{} {}", command.name, command.zh) } else { command.name.to_owned() };
                let head = format!("{names} {}", command.form());
                text.push_str(&format!("  {} {}\n", column(&head, wide), command.says()));
            }
            text.push_str(&format!("  {} {}\n", column(&t!("term.words_say"), wide), t!("term.help_say")));
            text.push_str(&t!("term.help_rules"));
            text.push('\n');
            text.push_str(&t!("term.help_keys"));
        }
        self.print(&text);
    }

    pub(super) fn status(&mut self) {
        let connection = self.client.connection();
        let link = connection.state(clock::now().instant, &rust_i18n::locale());
        let me = self.login.me.as_ref().map_or_else(|| t!("term.nobody_yet").into_owned(), Account::to_string);
        let mut text = format!("{me} · {link} · {}", self.server.place.line());
        let unsent = self.client.unsent();
        if unsent > 0 {
            text.push_str(&format!(" · {}", t!("term.unsent", n = unsent)));
        }
        // The state is printed above.
        for (what, value) in connection.rows(clock::now().instant, &rust_i18n::locale()).into_iter().skip(1) {
            text.push_str(&format!("\n  {} {}", column(&what, 14), harmless(&value)));
        }
        for thread in self.client.threads() {
            let counts = t!("term.thread", handled = thread.handled, queued = thread.queued, dropped = thread.dropped);
            text.push_str(&format!("\n  {} {counts}", column(thread.name, 10)));
        }
        self.print(&text);
    }

    pub(super) fn set_language(&mut self, words: &Words<'_>) {
        self.profile.settings.language = match words.first() {
            "zh" => Language::Zh,
            "en" => Language::En,
            _ => return self.usage(words.command),
        };
        rust_i18n::set_locale(self.profile.settings.language.locale());
        self.profile.save();
    }

    pub(super) fn set_polling(&mut self, words: &Words<'_>) {
        self.profile.settings.polling = match words.first() {
            "adaptive" => PollingChoice::Adaptive,
            "strict" => PollingChoice::Strict,
            "per-friend" => PollingChoice::StrictPerFriend,
            "" => {
                let now = match self.profile.settings.polling {
                    PollingChoice::Adaptive => "adaptive",
                    PollingChoice::Strict => "strict",
                    PollingChoice::StrictPerFriend => "per-friend",
                };
                return self.print(&t!("term.polling", now = now));
            }
            _ => return self.usage(words.command),
        };
        self.client.set_polling(clock::now(), self.profile.settings.polling.into());
        self.profile.save();
    }

    pub(super) fn set_wire(&mut self, word: &str) {
        let records = self.client.set_tap(word != "off");
        if word != "off" {
            records.iter().for_each(|record| self.record(record));
        }
    }

    pub(super) fn record(&mut self, record: &Record) {
        let locale = rust_i18n::locale();
        let (arrow, meaning) = match record.way {
            Direction::Out(_) => ("→", show::request(&record.bytes, &locale)),
            Direction::In => ("←", show::reply(&record.bytes, &locale)),
            Direction::Said => ("⇒", show::said(&record.bytes, &locale)),
            Direction::Heard => ("⇐", show::heard(&record.bytes, &locale)),
        };
        let after = record.after.map(|after| format!(" · {:.1} ms", after.as_secs_f64() * 1e3)).unwrap_or_default();
        let bytes = if link::is_packet(&record.bytes) {
            t!("term.raw_sent", n = record.bytes.len()).into_owned()
        } else {
            harmless(&String::from_utf8_lossy(&record.bytes)).replace('\n', "↵")
        };
        let time = super::talk::clock_time(record.unix_ms, "%H:%M:%S%.3f");
        self.quiet(&format!("{time} {arrow} {} · {meaning}{after}", fit(&bytes, 60)));
    }

    pub(super) fn complete(&mut self) {
        if self.ask != Ask::Command {
            return;
        }
        let names = self.names();
        let before = self.line.before_cursor().to_owned();
        let (from, words) = commands::completions(&before, self.login.target.is_some(), &names);
        let shared = commands::common(&words).to_owned();
        if words.len() > 1 && before.len().saturating_sub(from) == shared.len() {
            let all: Vec<&str> = words.iter().map(|word| word.trim_end()).take(60).collect();
            self.quiet(&harmless(&all.join("  ")));
        } else if !words.is_empty() {
            self.line.replace_word(from, &shared);
        }
    }
}
