//! Which dialect is spoken with the server, or that this is being found out. Each state owns the session of its dialect
//! and drops it at its end.

use std::collections::VecDeque;
use std::time::Instant;

use crate::base::model::{Account, Polling};
use crate::client::session::{Event, SpokenDialect, Transmit, plain, secure};
use crate::protocol::wire::Reply;

#[derive(Debug)]
pub(super) enum State {
    /// The dialect is not known yet. Nobody is logged in, and datagrams typed by hand are sent as text.
    Sought(Box<plain::Session>),
    /// The plain dialect is spoken.
    Plain(Box<plain::Session>),
    /// The secure dialect is spoken.
    Secure(Box<Secure>),
}

/// The state while the secure dialect is spoken.
#[derive(Debug)]
pub(super) struct Secure {
    pub(super) session: secure::Session,
    /// Datagrams that were typed by hand; they are sent outside the secure session.
    pub(super) typed: VecDeque<Transmit>,
    /// What the earlier session of the plain dialect left behind.
    left: plain::Leftovers,
}

impl State {
    /// The dialect that is spoken, once it is known.
    pub(super) fn speaks(&self) -> Option<SpokenDialect> {
        match self {
            Self::Sought(_) => None,
            Self::Plain(_) => Some(SpokenDialect::Plain),
            Self::Secure(_) => Some(SpokenDialect::Secure),
        }
    }

    /// The session that reads and writes text, if any does.
    pub(super) fn text(&self) -> Option<&plain::Session> {
        match self {
            Self::Sought(plain) | Self::Plain(plain) => Some(plain),
            Self::Secure(_) => None,
        }
    }

    /// The session that reads and writes text, if any does, for changes.
    pub(super) fn text_mut(&mut self) -> Option<&mut plain::Session> {
        match self {
            Self::Sought(plain) | Self::Plain(plain) => Some(plain),
            Self::Secure(_) => None,
        }
    }

    /// The secure dialect's session, while it is spoken.
    pub(super) fn secure(&self) -> Option<&secure::Session> {
        match self {
            Self::Sought(_) | Self::Plain(_) => None,
            Self::Secure(secure) => Some(&secure.session),
        }
    }

    /// The secure dialect's session, while it is spoken, for changes.
    pub(super) fn secure_mut(&mut self) -> Option<&mut secure::Session> {
        match self {
            Self::Sought(_) | Self::Plain(_) => None,
            Self::Secure(secure) => Some(&mut secure.session),
        }
    }

    /// Changes to the plain dialect; `new` makes its session from what an earlier one left over.
    pub(super) fn speak_plain(&mut self, new: impl FnOnce(plain::Leftovers) -> plain::Session) {
        self.turn(|state| match state {
            Self::Sought(plain) | Self::Plain(plain) => Self::Plain(plain),
            Self::Secure(secure) => Self::Plain(Box::new(new(secure.left))),
        });
    }

    /// Changes to the secure dialect; `new` makes its session if it was not spoken before.
    pub(super) fn speak_securely(&mut self, new: impl FnOnce() -> secure::Session) {
        self.turn(|state| match state {
            Self::Sought(plain) | Self::Plain(plain) => {
                Self::Secure(Box::new(Secure { session: new(), typed: VecDeque::new(), left: plain.leave() }))
            }
            Self::Secure(secure) => Self::Secure(secure),
        });
    }

    /// Changes to the state in which the dialect is unknown and nobody is logged in; `new` makes its session from what
    /// an earlier one left over. Returns the secure session, if that dialect was spoken.
    pub(super) fn seek(&mut self, new: impl FnOnce(plain::Leftovers) -> plain::Session) -> Option<secure::Session> {
        let mut over = None;
        self.turn(|state| match state {
            Self::Sought(plain) => Self::Sought(plain),
            Self::Plain(mut plain) => {
                plain.forget();
                Self::Sought(plain)
            }
            Self::Secure(secure) => {
                let Secure { session, left, .. } = *secure;
                over = Some(session);
                Self::Sought(Box::new(new(left)))
            }
        });
        over
    }

    fn turn(&mut self, next: impl FnOnce(Self) -> Self) {
        let before = std::mem::replace(self, Self::Sought(Box::new(plain::Session::new(Polling::Strict))));
        *self = next(before);
    }

    pub(super) fn poll_event(&mut self) -> Option<Event> {
        match self {
            Self::Sought(plain) | Self::Plain(plain) => plain.poll_event(),
            Self::Secure(secure) => secure.session.poll_event(),
        }
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        match self {
            Self::Sought(plain) | Self::Plain(plain) => plain.poll_transmit(),
            Self::Secure(secure) => secure.typed.pop_front().or_else(|| secure.session.poll_transmit()),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Sought(plain) | Self::Plain(plain) => plain.poll_timeout(),
            Self::Secure(secure) => secure.session.poll_timeout(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|at| at > now) {
            return;
        }
        match self {
            Self::Sought(plain) | Self::Plain(plain) => plain.handle_timeout(now),
            Self::Secure(secure) => secure.session.handle_timeout(now),
        }
    }

    /// See [`plain::Session::expect_late`].
    pub(super) fn expect_late(&mut self, datagrams: &[(Vec<u8>, Instant)]) {
        match self {
            Self::Sought(plain) | Self::Plain(plain) => plain.expect_late(datagrams),
            Self::Secure(secure) => secure.left.expect_late(datagrams),
        }
    }

    /// See [`plain::Session::is_unclear`].
    pub(super) fn is_unclear(&mut self, now: Instant, reply: &Reply) -> bool {
        match self {
            Self::Sought(plain) | Self::Plain(plain) => plain.is_unclear(now, reply),
            Self::Secure(secure) => secure.left.is_unclear(now, reply),
        }
    }

    /// See [`plain::Session::set_polling`].
    pub(super) fn set_polling(&mut self, now: Instant, polling: Polling) {
        match self {
            Self::Sought(plain) | Self::Plain(plain) => plain.set_polling(now, polling),
            Self::Secure(secure) => secure.left.set_polling(polling),
        }
    }

    /// See [`plain::Session::set_open_chats`].
    pub(super) fn set_open_chats(&mut self, now: Instant, chats: Vec<Account>, visible: bool) {
        match self {
            Self::Sought(plain) | Self::Plain(plain) => plain.set_open_chats(now, chats, visible),
            Self::Secure(secure) => secure.left.set_open_chats(chats, visible),
        }
    }
}
