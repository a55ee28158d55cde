//! Figures of the connection, for the connection window and the terminal's `status`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rust_i18n::t;

use super::{Client, Now};
use crate::client::net::Socket;
use crate::client::session::{ConnectionState, LoginOutcome, RegisterOutcome, SpokenDialect};
use crate::protocol::link::words;

/// Figures of the encrypted connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The server's public key, as SPKI.
    pub key: Vec<u8>,
    /// The shortest round-trip time measured.
    pub least_rtt: Duration,
    /// The congestion window: how many bytes may be in flight.
    pub window: u64,
    /// Bytes that wait to be sent.
    pub queued: usize,
    /// How often the server saw this machine move to another address.
    pub moves: u64,
}

/// The figures of the connection, for the connection window and the terminal's `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The server's address.
    pub server: SocketAddr,
    /// The local address; `None` while there is no socket.
    pub own: Option<SocketAddr>,
    /// The connection's state.
    pub link: ConnectionState,
    /// The dialect that is spoken, once it is known.
    pub speaks: Option<SpokenDialect>,
    /// The figures of the encrypted connection, while there is one.
    pub encrypted: Option<Encrypted>,
    /// The smoothed round-trip time, once it has been measured.
    pub rtt: Option<Duration>,
    /// The mean deviation of the round-trip time, once it is known.
    pub deviation: Option<Duration>,
    /// The number of datagrams sent.
    pub sent: u64,
    /// The number of those that were sent again or are believed lost.
    pub again: u64,
    /// The number of datagrams from the server that were processed.
    pub received: u64,
    /// The number of datagrams from the server that were dropped because the main loop was too slow; they are not in
    /// `received`.
    pub dropped: u64,
    /// The number of datagrams from other addresses.
    pub foreign: u64,
    /// The last of these addresses; it is only shown, because it may be forged.
    pub elsewhere: Option<SocketAddr>,
    /// The number of datagrams that wait for the main loop.
    pub waiting: usize,
    /// The number of requests that wait to be sent or for their answer.
    pub asking: usize,
    /// The number of this account's messages that are not settled.
    pub unsent: usize,
    /// Whether these wait because the server cannot store them now.
    pub not_storing: bool,
    /// The last error, and when it happened, in milliseconds since 1970.
    pub error: Option<(i64, String)>,
}

impl Client {
    /// Measures the round-trip time; the face calls it once a second while it shows [`Client::connection`].
    pub fn measure(&mut self, now: Now) {
        self.session.measure(now.instant);
        self.after(now);
    }

    /// The figures of the connection, for the connection window and the terminal's `status`.
    #[must_use]
    pub fn connection(&self) -> Connection {
        let counts = self.socket.as_ref().map(Socket::counts).unwrap_or_default();
        let plain = self.session.plain_figures();
        let secure = self.session.figures();
        let encrypted = secure.map(|figures| Encrypted {
            key: self.session.pins().last().cloned().unwrap_or_default(),
            least_rtt: figures.least_rtt,
            window: figures.window,
            queued: figures.queued,
            moves: figures.moves,
        });
        Connection {
            server: self.config.server,
            own: self.socket.as_ref().and_then(|socket| socket.address().ok()),
            link: self.session.link(),
            speaks: self.session.speaks(),
            encrypted,
            rtt: secure.map(|figures| figures.rtt).or(plain.rtt),
            deviation: if secure.is_some() { self.session.deviation() } else { plain.deviation },
            sent: secure.map_or(plain.sent, |figures| figures.sent),
            again: secure.map_or(plain.again, |figures| figures.lost),
            received: counts.received,
            dropped: counts.dropped,
            foreign: counts.foreign,
            elsewhere: counts.elsewhere,
            waiting: counts.waiting,
            asking: plain.waiting,
            unsent: self.unsent(),
            not_storing: self.not_storing,
            error: self.last_error.clone(),
        }
    }
}

impl Client {
    /// The outcome of a login as a sentence in the current language.
    #[must_use]
    pub fn login_sentence(&self, outcome: &LoginOutcome) -> String {
        let silence = matches!(outcome, LoginOutcome::NoAnswer | LoginOutcome::Unheard);
        self.outcome(silence, &outcome.sentence())
    }

    /// The outcome of a registration as a sentence in the current language.
    #[must_use]
    pub fn registration_sentence(&self, outcome: &RegisterOutcome) -> String {
        let silence = matches!(outcome, RegisterOutcome::NoAnswer | RegisterOutcome::Unheard);
        self.outcome(silence, &outcome.sentence())
    }

    fn outcome(&self, silence: bool, sentence: &str) -> String {
        if silence { self.connection().unheard(sentence, &rust_i18n::locale()) } else { sentence.to_owned() }
    }
}

impl Connection {
    /// The figures in words, as pairs of a name and a value.
    #[must_use]
    pub fn rows(&self, now: Instant, locale: &str) -> Vec<(String, String)> {
        let chinese = locale.starts_with("zh");
        let mut rows = Vec::new();
        let mut row = |what: std::borrow::Cow<'_, str>, value: String| rows.push((what.into_owned(), value));
        row(t!("connection.state", locale = locale), self.state(now, locale));
        let dialect = match self.speaks {
            Some(SpokenDialect::Secure) => t!("connection.secure", locale = locale),
            Some(SpokenDialect::Plain) => t!("connection.plain", locale = locale),
            None => t!("connection.not_known", locale = locale),
        };
        row(t!("connection.dialect", locale = locale), dialect.into_owned());
        row(t!("connection.server", locale = locale), self.server.to_string());
        let own = self.own.map_or_else(|| t!("connection.none", locale = locale).into_owned(), |own| own.to_string());
        row(t!("connection.own", locale = locale), own);
        if let Some(encrypted) = &self.encrypted {
            row(t!("connection.key", locale = locale), words(&encrypted.key, chinese));
        }
        row(t!("connection.rtt", locale = locale), self.round_trip(locale));
        let percent = if self.sent == 0 { 0.0 } else { self.again as f64 * 100.0 / self.sent as f64 };
        let again =
            t!("connection.of", locale = locale, n = self.again, sent = self.sent, percent = format!("{percent:.1}"));
        let label = match &self.encrypted {
            Some(_) => t!("connection.lost", locale = locale),
            None => t!("connection.again", locale = locale),
        };
        row(label, again.into_owned());
        row(t!("connection.received", locale = locale), self.received.to_string());
        let dropped = t!("connection.dropped_is", locale = locale, dropped = self.dropped, foreign = self.foreign);
        row(t!("connection.dropped", locale = locale), dropped.into_owned());
        let queues = t!(
            "connection.queues_are",
            locale = locale,
            waiting = self.waiting,
            asking = self.asking,
            unsent = self.unsent
        );
        row(t!("connection.queues", locale = locale), queues.into_owned());
        if let Some(Encrypted { window, queued, moves, .. }) = &self.encrypted {
            let window = t!("connection.window_is", locale = locale, window = window, queued = queued);
            row(t!("connection.window", locale = locale), window.into_owned());
            row(t!("connection.moves", locale = locale), moves.to_string());
        }
        if self.not_storing {
            row(t!("connection.storing", locale = locale), t!("gui.not_storing", locale = locale).into_owned());
        }
        let error = match &self.error {
            Some((at, error)) => format!("{} {error}", time(*at)),
            None => t!("connection.none", locale = locale).into_owned(),
        };
        row(t!("connection.error", locale = locale), error);
        rows
    }

    /// The connection line as a sentence. If answers come only from another port or address than the one that is asked
    /// (because of a second socket, or a router in between), the sentence names it: the server's administrator needs to
    /// know it.
    #[must_use]
    pub fn state(&self, now: Instant, locale: &str) -> String {
        self.unheard(&self.link.sentence(now), locale)
    }

    /// Adds to a sentence the address from which answers came, if only another address has answered.
    fn unheard(&self, sentence: &str, locale: &str) -> String {
        let Some(from) = self.elsewhere.filter(|_| self.received == 0) else { return sentence.to_owned() };
        let words = if from.ip() == self.server.ip() {
            t!("connection.another_port", locale = locale, from = from)
        } else {
            t!("connection.another_address", locale = locale, from = from)
        };
        format!("{sentence} · {words}")
    }

    fn round_trip(&self, locale: &str) -> String {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let Some(rtt) = self.rtt else { return t!("connection.not_measured", locale = locale).into_owned() };
        let deviation = self.deviation.map(|deviation| format!(" ± {}", ms(deviation)));
        let least = self.encrypted.as_ref().map(|e| t!("connection.least", locale = locale, least = ms(e.least_rtt)));
        format!("{}{}{}", ms(rtt), deviation.unwrap_or_default(), least.unwrap_or_default())
    }

    /// The figures as text, for copying.
    #[must_use]
    pub fn text(&self, now: Instant, locale: &str) -> String {
        self.rows(now, locale).iter().map(|(what, value)| format!("{what}: {value}\n")).collect()
    }
}

fn time(unix_ms: i64) -> String {
    use chrono::TimeZone;
    let time = chrono::Local.timestamp_millis_opt(unix_ms).single();
    time.map(|time| time.format("%H:%M:%S").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
