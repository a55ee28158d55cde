//! How one is shown to others: online, busy or invisible, with a line of one's own; and away, after some time without a
//! key.

use rust_i18n::t;

use super::app::App;
use super::commands::Words;
use super::screen::harmless;
use super::script::Exit;
use crate::base::model::names;
use crate::client::absence::Absence;
use crate::client::net::clock;
use crate::protocol::wire::status::{Chosen, Status};

impl App {
    /// Sets how others are shown oneself, or says it.
    pub(super) fn set_state(&mut self, words: &Words<'_>) {
        let state = match words.first() {
            "" => return self.say_state(&self.login.roster.friends().status.clone()),
            "online" | "在线" => None,
            "busy" | "忙碌" => Some(Chosen::Busy),
            "invisible" | "隐身" => Some(Chosen::Invisible),
            _ => return self.usage(words.command),
        };
        let status = Status { state, text: names::tidy(words.second()) };
        if !self.login.roster.friends().kept_by_server {
            self.failed(Exit::Refused);
            self.warn(&t!("people.no_states"));
        } else if status.checked().is_err() {
            self.failed(Exit::Usage);
            self.error(&t!("people.line_too_long"));
        } else {
            self.client.set_status(&status);
            self.say_state(&status);
        }
    }

    fn say_state(&mut self, status: &Status) {
        let state = match status.state {
            None => t!("people.you_are_online"),
            Some(Chosen::Busy) => t!("people.you_are_busy"),
            Some(Chosen::Invisible) => t!("people.you_are_invisible"),
        };
        let line = harmless(&status.text);
        let line =
            if line.is_empty() { String::new() } else { format!("\n{}", t!("people.your_state_line", line = line)) };
        self.print(&format!("{state}{line}"));
    }

    /// Sets after how many minutes without a key one is away, or says it.
    pub(super) fn set_away_after(&mut self, words: &Words<'_>) {
        if !words.first().is_empty() {
            let Ok(minutes) = words.first().parse::<u16>() else { return self.usage(words.command) };
            self.profile.settings.away_after = minutes;
            self.profile.save();
            if self.absence.set_limit(Absence::minutes(minutes), clock::now().instant) {
                self.client.set_away(clock::now(), false);
            }
        }
        let text = match self.profile.settings.away_after {
            0 => t!("people.away_never"),
            n => t!("people.away_after", n = n),
        };
        self.print(&text);
    }

    /// Sets whether it is said who comes and goes, or says it.
    pub(super) fn set_comings(&mut self, words: &Words<'_>) {
        match words.first() {
            "on" | "开" => self.profile.settings.comings = true,
            "off" | "关" => self.profile.settings.comings = false,
            "" => {}
            _ => return self.usage(words.command),
        }
        if !words.first().is_empty() {
            self.profile.save();
        }
        let text = if self.profile.settings.comings { t!("people.comings_on") } else { t!("people.comings_off") };
        self.print(&text);
    }

    /// Notes a key: whoever was away is back.
    pub(super) fn is_here(&mut self) {
        let now = clock::now();
        if self.absence.touched(now.instant) {
            self.client.set_away(now, false);
        }
    }

    /// Looks whether nobody has touched a key for long, once it is time.
    pub(super) fn look_for_anybody(&mut self) {
        let now = clock::now();
        if self.absence.look(now.instant, None) {
            self.client.set_away(now, self.absence.is_away());
        }
    }

    /// What tells whether somebody is at the terminal; at a pipe nobody is away.
    pub(super) fn absence_at(is_terminal: bool, minutes: u16) -> Absence {
        Absence::new(Absence::minutes(minutes).filter(|_| is_terminal), clock::now().instant)
    }
}
