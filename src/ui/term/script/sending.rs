//! Sending a message: it is stored on disk first, and the exit code says whether it stays in the outbox.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rust_i18n::t;

use super::{Exit, Running, Stop, harmless, say};
use crate::base::model::{Account, MessageText, SendState};
use crate::client::Event;
use crate::client::net::clock;
use crate::client::session::SpokenDialect;

/// How long withdrawing a message may take; it does not depend on the server.
const TAKE_BACK: Duration = Duration::from_secs(5);

/// The result for a message. Of several, the one with the lowest rank is reported, which says most about what did not
/// arrive.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct End {
    rank: u8,
    exit: Exit,
    why: String,
}

impl Running {
    pub(super) fn send(&mut self, to: &str, text: &str, most: usize) -> Result<Exit, Stop> {
        let parts = MessageText::split(text).len();
        if parts == 0 {
            return Err(Stop(Exit::Usage, t!("term.nothing_to_send").into_owned()));
        }
        if parts > most {
            return Err(Stop(Exit::Usage, t!("term.many_parts_job", n = parts, name = harmless(to)).into_owned()));
        }
        self.open_history()?;
        let to = self.resolve(to)?;
        if let Err(stop) = self.keep(&to, text, parts) {
            return Err(self.take_back(stop));
        }
        if let Err(stop) = self.log_in() {
            let stop = self.take_back(stop);
            self.client.close_account();
            return Err(stop);
        }
        let sent = self.settle(&to).map_err(|stop| self.take_back(stop));
        self.leave();
        sent
    }

    /// Stores the text on disk, in its parts.
    fn keep(&mut self, to: &Account, text: &str, parts: usize) -> Result<(), Stop> {
        let not_kept = || Stop(Exit::Trouble, t!("gui.not_kept").into_owned());
        if to.is_room() && self.client.is_foreign() {
            return Err(Stop(Exit::Refused, t!("main.no_lobby").into_owned()));
        }
        // If the program is told to end from here on, it is unknown how far the message came.
        self.told_to_end.store(Exit::NoAnswer as i32, Ordering::Release);
        if !self.client.send_message(clock::now(), to, text) {
            return Err(not_kept());
        }
        for _ in 0..parts {
            let kept = self.until(None, |_, event| match event {
                Event::Message { row, .. } if row.state == Some(SendState::Waiting) => Some(Some(row.id)),
                Event::NotKept { .. } => Some(None),
                _ => None,
            })?;
            let id = kept.flatten().ok_or_else(not_kept)?;
            self.own.insert(id, SendState::Waiting);
        }
        Ok(())
    }

    /// Waits for the server's answers.
    fn settle(&mut self, to: &Account) -> Result<Exit, Stop> {
        let end = self.deadline();
        while self.own.values().any(|state| state.is_open()) {
            if self.until(end, |_, event| matches!(event, Event::Outgoing { .. }).then_some(()))?.is_none() {
                let not_storing = self.client.is_not_storing();
                let why = if not_storing { t!("connection.not_stored") } else { t!("gui.no_answer") };
                return Err(Stop(Exit::NoAnswer, why.into_owned()));
            }
        }
        let mut ends: Vec<End> = self.own.values().filter_map(|state| self.end(*state, to)).collect();
        ends.sort();
        ends.dedup();
        match ends.first() {
            Some(End { exit, why, .. }) if *exit != Exit::Done => Err(Stop(*exit, why.clone())),
            _ => {
                ends.iter().for_each(|end| say(&end.why));
                Ok(Exit::Done)
            }
        }
    }

    /// Returns the result for a message in this state; `None` if all went well.
    fn end(&self, state: SendState, to: &Account) -> Option<End> {
        let (rank, exit, why) = match state {
            SendState::Waiting | SendState::Sending | SendState::Sent | SendState::Delivered => return None,
            SendState::Failed if to.is_room() && self.client.is_foreign() => (0, Exit::Refused, t!("main.no_lobby")),
            SendState::Failed if to.is_room() => (0, Exit::Refused, t!("main.lobby_unknown")),
            SendState::Failed if self.client.connection().speaks == Some(SpokenDialect::Secure) => {
                (0, Exit::Refused, t!("term.message_refused"))
            }
            SendState::Failed => (0, Exit::Refused, t!("gui.not_understood")),
            SendState::Unknown | SendState::MadeAnew => (1, Exit::Offline, state.word()),
            SendState::NoAnswer | SendState::MaybeSent => (2, Exit::Unanswered, t!("term.not_answered")),
            SendState::OfflineOrUnknown => (3, Exit::Offline, state.word()),
            SendState::Kept => (4, Exit::Done, state.word()),
            SendState::MaybeSentTwice => (5, Exit::Done, state.word()),
        };
        Some(End { rank, exit, why: why.into_owned() })
    }

    /// After a failure, makes sure that sending once more does not send the message twice. If nobody answered it stays
    /// in the outbox; else it is withdrawn, unless it was on its way.
    fn take_back(&mut self, Stop(exit, why): Stop) -> Stop {
        if !self.own.values().any(|state| state.is_open()) {
            return Stop(exit, why);
        }
        let waits = self.own.values().all(|state| *state == SendState::Waiting);
        if exit != Exit::NoAnswer && waits {
            self.no_more_inputs();
            self.client.withdraw(self.own.keys().copied().collect());
            let end = clock::now().instant.checked_add(TAKE_BACK);
            let answer = self.until(end, |_, event| match event {
                Event::Withdrawn(done) => Some(done),
                _ => None,
            });
            if matches!(answer, Ok(Some(true))) {
                return Stop(exit, why);
            }
        }
        let stays = t!("term.stays_in_outbox");
        Stop(Exit::NoAnswer, if why.is_empty() { stays.into_owned() } else { format!("{why}\n{stays}") })
    }
}
