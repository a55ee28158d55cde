//! Messages that the server keeps, for a device that has none of them yet.

use std::io;

use rust_i18n::t;

use super::super::json;
use super::super::talk::past_row;
use super::{Exit, Running, Stop, line, say, write};
use crate::base::model::Account;
use crate::client::Event;
use crate::client::net::clock;
use crate::client::session::SpokenDialect;
use crate::protocol::wire::frame::Past;

impl Running {
    pub(super) fn past(&mut self, with: &str, count: u32, before: Option<u64>, json: bool) -> Result<Exit, Stop> {
        self.log_in()?;
        let found = self.resolve(with).and_then(|peer| Ok((self.pages(&peer, count, before)?, peer)));
        self.leave();
        let ((messages, more), peer) = found?;
        for message in &messages {
            self.print_past(&peer, message, json)?;
        }
        if let Some(first) = messages.first().filter(|_| more) {
            say(&t!("term.past_before", row = first.row));
        }
        Ok(if messages.is_empty() { Exit::Nothing } else { Exit::Done })
    }

    /// Reads page by page, the newest first. Returns the messages, oldest first, and whether there are more.
    fn pages(&mut self, peer: &Account, count: u32, mut before: Option<u64>) -> Result<(Vec<Past>, bool), Stop> {
        if self.client.connection().speaks != Some(SpokenDialect::Secure) {
            return Err(Stop(Exit::Nothing, t!("term.past_not_plain").into_owned()));
        }
        let mut found: Vec<Past> = Vec::new();
        loop {
            let wanted = count.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
            self.client.past(clock::now(), peer.clone(), before, wanted);
            let end = self.deadline();
            let page = self.until(end, |_, event| match event {
                Event::Past { messages, more, .. } => Some((messages, more)),
                _ => None,
            })?;
            let Some((messages, more)) = page else {
                return Err(Stop(Exit::NoAnswer, t!("gui.no_answer").into_owned()));
            };
            let done = messages.is_empty() || messages.len() >= wanted as usize || !more;
            before = messages.first().map(|message| message.row);
            found.splice(0..0, messages);
            if done {
                return Ok((found, more));
            }
        }
    }

    fn print_past(&self, peer: &Account, message: &Past, as_json: bool) -> io::Result<()> {
        write(&match as_json {
            true => json::past(peer, self.roster.remark(peer), &self.me, message),
            false => line(&self.roster, peer, &past_row(&self.me, message), false),
        })
    }
}
