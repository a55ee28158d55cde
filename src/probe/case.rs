//! What a case is: a script as data. Templates contain names in braces, which [`Names`] replaces afresh for each
//! attempt, so that nothing from an earlier attempt can be mistaken.

use super::rule::Rule;
use crate::protocol::wire::Charset;

/// An actor of the test: a socket, and the account that uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The first of three people with an account and a socket each.
    A,
    /// Another of the three people with an account and a socket each.
    B,
    /// Another of the three people with an account and a socket each.
    C,
    /// A socket without an account, new in each attempt.
    S,
    /// A second socket without an account, new in each attempt.
    T,
    /// The person who types requests by hand; not used by the probe's script.
    H,
}

impl Actor {
    /// The probe's own actors.
    pub const ALL: [Actor; 5] = [Actor::A, Actor::B, Actor::C, Actor::S, Actor::T];

    /// Returns the actor's letter in the document.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::S => "S",
            Self::T => "T",
            Self::H => "H",
        }
    }
}

/// A reply that the text allows.
#[derive(Debug, Clone)]
pub(crate) enum ExpectedReply {
    /// Exactly this reply.
    Exactly(&'static str),
    /// Any reply that begins with this.
    Begins(&'static str),
    /// A message in the form `op:from:time:body`.
    Message { op: &'static str, from: &'static str, body: &'static str },
    /// No reply.
    Silence,
}

/// A reply that the text allows, and what choosing it says about the server.
#[derive(Debug, Clone)]
pub(crate) struct Accept {
    pub what: ExpectedReply,
    pub habit: Option<&'static str>,
}

pub(super) fn is(text: &'static str) -> Accept {
    Accept { what: ExpectedReply::Exactly(text), habit: None }
}

pub(super) fn begins(text: &'static str) -> Accept {
    Accept { what: ExpectedReply::Begins(text), habit: None }
}

pub(super) fn message(op: &'static str, from: &'static str, body: &'static str) -> Accept {
    Accept { what: ExpectedReply::Message { op, from, body }, habit: None }
}

pub(super) fn silence() -> Accept {
    Accept { what: ExpectedReply::Silence, habit: None }
}

impl Accept {
    /// Names this reply as a habit, for places where the text allows several.
    pub(super) fn habit(self, id: &'static str) -> Self {
        Self { habit: Some(id), ..self }
    }
}

/// A request and the replies it may have. Any other reply breaks `rule`, unless the judge can name the rule more
/// exactly.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub who: Actor,
    pub send: &'static str,
    pub accept: Vec<Accept>,
    pub rule: Rule,
}

/// One step of a script.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends one request and waits for its reply.
    Ask(Ask),
    /// Sends several requests at once; the replies must come in their order.
    Burst(Vec<Ask>),
    /// Checks that nothing more comes to this socket.
    Quiet(Actor),
    /// Goes on only if nobody but the probe is online; otherwise this habit is noted in the document.
    Alone(Actor, &'static str),
}

pub(super) fn ask<const N: usize>(who: Actor, send: &'static str, accept: [Accept; N], rule: Rule) -> Step {
    Step::Ask(Ask { who, send, accept: accept.into(), rule })
}

/// What must hold before a case begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The actor is logged in and has no unread messages.
    Online(Actor),
    /// The actor is logged out and has no unread messages.
    Offline(Actor),
}

/// A case of the test: a script and its name.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// A fixed name; the text `probe.case.<id>` says what the case is for.
    pub id: &'static str,
    pub needs: Vec<Need>,
    pub steps: Vec<Step>,
}

pub(super) fn case<const N: usize, const M: usize>(id: &'static str, needs: [Need; N], steps: [Step; M]) -> Case {
    Case { id, needs: needs.into(), steps: steps.into() }
}

/// The values of the names in braces.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// Eight characters that all names of one run contain.
    pub mark: String,
    /// The number of the attempt within the run.
    pub attempt: usize,
}

impl Names {
    /// Returns a person's account, made up and recognisable. It has capital and small letters, which a server must not
    /// change.
    pub fn account(&self, who: Actor) -> String {
        format!("Probe{}{}", self.mark, who.letter())
    }

    /// Returns the password of all accounts of the run.
    pub fn password(&self) -> String {
        format!("Pw{}", self.mark)
    }

    /// Returns a text that appears in this attempt only.
    fn nonce(&self) -> String {
        format!("{}.{}", self.mark, self.attempt)
    }

    fn name(&self, name: &str) -> Option<Vec<u8>> {
        let text = match name {
            "a" => self.account(Actor::A),
            "b" => self.account(Actor::B),
            "c" => self.account(Actor::C),
            "pw" => self.password(),
            // Accounts that nobody has had before.
            "new" => format!("Probe{}n{}", self.mark, self.attempt),
            "new2" => format!("Probe{}m{}", self.mark, self.attempt),
            "nobody" => format!("Probe{}z{}", self.mark, self.attempt),
            "n" => self.nonce(),
            "gbk" => return Some(Charset::Gb18030.encode("编程作业")),
            _ => {
                let (kind, count) = name.split_once(':')?;
                let count: usize = count.parse().ok()?;
                let begin = if kind == "fill" { self.nonce() } else { String::new() };
                let rest = count.saturating_sub(begin.len());
                begin + &"x".repeat(rest)
            }
        };
        Some(text.into_bytes())
    }

    /// Returns the bytes of a template. What is not a name in braces stays as it is.
    pub fn expand(&self, template: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            bytes.extend_from_slice(before.as_bytes());
            match after.split_once('}').and_then(|(name, after)| Some((self.name(name)?, after))) {
                Some((value, after)) => {
                    bytes.extend_from_slice(&value);
                    rest = after;
                }
                None => {
                    bytes.push(b'{');
                    rest = after;
                }
            }
        }
        bytes.extend_from_slice(rest.as_bytes());
        bytes
    }
}
