//! Conversations of devices, frame by frame, with the real store.

mod beside;
mod delivered;
mod entering;
mod finding;
mod full;
mod items;
mod names;
mod operator;
mod profiles;
mod states;

use ring::hmac;

use super::*;
use crate::protocol::wire::Charset;
use crate::protocol::wire::frame::{AccountSettings, Key, Secret};
use crate::server::engine::Effect;
use crate::server::hasher::{Hashed, Job, Outcome};
use crate::server::store::{Done, Read, Snapshot, Store};
use crate::server::{OnSecondLogin, Quotas};

struct World {
    engine: Engine,
    store: Store,
    now: Now,
    /// Frames and closes, as `peer frame`.
    out: Vec<String>,
    /// Replies to plain clients, as `port reply`.
    plain: Vec<String>,
    /// While true, operations are held back.
    held: bool,
    ops: Vec<Op>,
    disk_full: bool,
    /// While true, look-ups are answered only together with everything else that is held.
    late: bool,
    /// The answers to operators, with their tickets.
    told: Vec<(u64, crate::server::control::Answer)>,
    /// What a device was last told about where it starts.
    started: String,
    folder: tempfile::TempDir,
}

/// When the accounts of [`World::new`] were made.
const MADE: &str = r#","made":1000"#;

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn name(n: u8) -> DeviceName {
    Key([n; 16])
}

impl World {
    /// Makes accounts a, b and c, whose passwords are their names.
    fn new() -> Self {
        Self::with(OnSecondLogin::Arm)
    }

    fn with(on_second_login: OnSecondLogin) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a database");
        let now = Now { instant: Instant::now(), unix: 1_000 };
        let local = |_| "2026-11-21 12:04:58".to_owned();
        let mut engine = Engine::new(on_second_login, Quotas::default().unpaced(), local, Snapshot::default(), now);
        engine.set_secure(true);
        // People who are not needed are looked up each time.
        engine.set_room(2);
        let mut world = Self {
            engine,
            store,
            now,
            out: Vec::new(),
            plain: Vec::new(),
            held: false,
            ops: Vec::new(),
            disk_full: false,
            late: false,
            told: Vec::new(),
            started: String::new(),
            folder,
        };
        world.connect(99);
        for account in ["a", "b", "c"] {
            let password = Secret(account.into());
            let frame = FromClient::Register { id: 1, account: account.into(), password, name: None };
            assert_eq!(world.say(99, &frame), [r#"99 {"t":"registered","id":1}"#]);
        }
        world.engine.lost(world.now, PeerId(99));
        world
    }

    fn connect(&mut self, peer: u64) {
        let byte = u8::try_from(peer).expect("small");
        let port = u16::try_from(peer).expect("small");
        self.engine.connected(PeerId(peer), at(port), [byte; 32], [byte; 32]);
    }

    /// Returns the next effect, after answering look-ups.
    fn next(&mut self) -> Option<Effect> {
        loop {
            match self.engine.poll_effect() {
                Some(Effect::Store(op @ Op::Read(Read::Person { .. }))) => self.store(op),
                effect => return effect,
            }
        }
    }

    fn work(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Reply { to, bytes } => {
                    self.plain.push(format!("{} {}", to.port(), Charset::Utf8.decode(&bytes).0));
                }
                Effect::Store(op @ Op::Read(Read::Person { .. })) if !self.late => self.store(op),
                Effect::Store(op) if self.held => self.ops.push(op),
                Effect::Store(op) => self.store(op),
                Effect::Hash(Job::New { job, password }) => {
                    let hashed = Hashed { salt: Vec::new(), hash: password.reveal().as_bytes().to_vec() };
                    self.engine.hashed(self.now, Outcome::New { job, hashed: Some(hashed) });
                }
                Effect::Hash(Job::Check { job, password, against }) => {
                    let right = password.reveal().as_bytes() == against.hash;
                    self.engine.hashed(self.now, Outcome::Checked { job, right });
                }
                Effect::Frame { peer, frame } => {
                    let text = String::from_utf8(frame.encode()).expect("UTF-8");
                    self.out.push(format!("{} {text}", peer.0));
                }
                Effect::Administered { ticket, answer } => self.told.push((ticket, answer)),
                Effect::Close { peer, code, reason } => self.out.push(format!("{} closed: {code} {reason}", peer.0)),
            }
        }
    }

    fn store(&mut self, op: Op) {
        let done = match &op {
            Op::Write(
                Write::Message { job, .. }
                | Write::Enter { job, .. }
                | Write::Allow { job, .. }
                | Write::Password { job, .. }
                | Write::Delete { job, .. }
                | Write::SetItem { job, .. }
                | Write::Befriend { job, .. }
                | Write::Import { job, .. },
            ) if self.disk_full => {
                vec![Done::Failed { job: *job }]
            }
            _ => self.store.run(&[op]).done,
        };
        for done in done {
            self.engine.stored(self.now, done);
        }
    }

    fn release(&mut self) {
        self.held = false;
        for op in std::mem::take(&mut self.ops) {
            self.store(op);
        }
        self.work();
    }

    /// Handles a frame and returns what follows, without presence.
    fn say(&mut self, peer: u64, frame: &FromClient) -> Vec<String> {
        self.engine.frame(self.now, PeerId(peer), &frame.encode());
        self.heard()
    }

    /// Returns what was sent, without presence, without where a device starts, and without when the accounts of
    /// [`World::new`] were made.
    fn heard(&mut self) -> Vec<String> {
        self.work();
        let mut all = std::mem::take(&mut self.out);
        for line in &mut all {
            *line = line.replace(MADE, "");
        }
        for line in all.iter_mut().filter(|line| line.contains("\"logged_in\"")) {
            if let Some(at) = line.find(",\"start\":") {
                self.started = line.split_off(at);
                line.push('}');
            }
        }
        all.into_iter().filter(|line| !line.contains("\"presence\"") && !line.contains("\"changes\"")).collect()
    }

    fn plainly(&mut self, port: u16, request: &str) -> Vec<String> {
        self.engine.datagram(self.now, at(port), request.as_bytes());
        self.work();
        std::mem::take(&mut self.plain)
    }

    fn login(&mut self, peer: u64, account: &str, device: u8, cursor: Option<u64>) -> Vec<String> {
        self.connect(peer);
        let password = Secret(account.into());
        self.say(
            peer,
            &FromClient::Login { id: 1, account: account.into(), password, device: name(device), cursor, made: None },
        )
    }

    fn pass(&mut self, time: Duration) -> Vec<String> {
        self.now.instant += time;
        self.now.unix += i64::try_from(time.as_secs()).expect("short");
        self.engine.handle_timeout(self.now);
        self.work();
        std::mem::take(&mut self.out)
    }
}

fn logged_in(peer: u64, highest: u64, ended: Option<&str>) -> String {
    let token = format!("{peer:02x}").repeat(32);
    let ended = ended.map_or("null".into(), |ended| format!("\"{ended}\""));
    format!(r#"{peer} {{"t":"logged_in","id":1,"token":"{token}","highest":{highest},"ended":{ended}}}"#)
}

fn message(peer: u64, row: u64, after: u64, from: &str, text: &str) -> String {
    format!(r#"{peer} {{"t":"message","row":{row},"after":{after},"from":"{from}","at":1000,"text":"{text}"}}"#)
}

fn accepted(peer: u64, counter: u64, row: u64, online: bool) -> String {
    format!(r#"{peer} {{"t":"accepted","counter":{counter},"row":{row},"at":1000,"online":{online}}}"#)
}

fn send(counter: u64, to: &str, text: &str) -> FromClient {
    FromClient::Send { counter, to: to.into(), text: text.into(), after: None, made: None }
}

#[test]
fn messages_are_pushed_and_the_same_again_is_answered_the_same() {
    let mut world = World::new();
    assert_eq!(world.login(1, "a", 1, None), [logged_in(1, 0, None)]);
    assert_eq!(world.login(2, "b", 2, None), [logged_in(2, 0, None)]);
    assert_eq!(world.say(1, &send(5, "b", "hi")), [message(2, 1, 0, "a", "hi"), accepted(1, 5, 1, true)]);
    assert_eq!(world.say(1, &send(5, "b", "hi")), [accepted(1, 5, 1, true)], "no second push");
    let conflict = r#"1 {"t":"refused","counter":5,"code":"id_conflict"}"#;
    assert_eq!(world.say(1, &send(5, "b", "other")), [conflict]);
    assert_eq!(world.say(1, &send(6, "b", "ho")), [message(2, 2, 1, "a", "ho"), accepted(1, 6, 2, true)]);
    let nobody = r#"1 {"t":"refused","counter":7,"code":"no_account"}"#;
    assert_eq!(world.say(1, &send(7, "x", "?")), [nobody]);
    assert_eq!(world.say(1, &send(8, "c", "later")), [accepted(1, 8, 3, false)]);
    assert_eq!(
        world.login(3, "a", 1, None),
        ["1 closed: 4 came back on another connection".into(), logged_in(3, 8, None)]
    );
}

#[test]
fn nobody_fills_the_disk_s_queue() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.held = true;
    let past = FromClient::History { id: 9, peer: "b".into(), before: None, count: 40 };
    let out: Vec<_> = (1..=200).map(|n| send(n, "b", "x")).chain(vec![past; 100]).collect();
    let answers: Vec<_> = out.iter().flat_map(|frame| world.say(1, frame)).collect();
    assert_eq!((world.ops.len(), answers.len()), (MOST_WAITING, out.len() - MOST_WAITING));
    assert!(answers.iter().all(|line| line.contains(r#""code":"try_later""#)), "{answers:?}");
    world.login(2, "b", 2, None);
    assert_eq!(world.ops.len(), MOST_WAITING + 1, "another's is not its");
    world.release();
    world.heard();
    assert_eq!(world.say(1, &send(201, "c", "x")), [accepted(1, 201, 201, false)]);
}

#[test]
fn what_one_sent_is_not_answered_to_the_next_on_the_connection() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.held = true;
    let b = FromClient::Login {
        id: 1,
        account: "b".into(),
        password: Secret("b".into()),
        device: name(1),
        cursor: None,
        made: None,
    };
    assert_eq!(world.say(1, &b), Vec::<String>::new());
    assert_eq!(world.say(1, &send(5, "c", "of a")), Vec::<String>::new(), "b is not in yet");
    world.release();
    assert_eq!(world.heard(), [logged_in(1, 0, None)], "and has sent no message 5");
    assert_eq!(world.say(1, &send(5, "c", "of b")), [accepted(1, 5, 2, false)]);
    world.login(2, "a", 1, None);
    assert_eq!(world.say(2, &send(5, "c", "of a")), [accepted(2, 5, 1, false)], "it was kept all the same");
}

#[test]
fn a_login_that_is_to_end_nobodys_ends_nobodys() {
    let mut world = World::new();
    let in_use = |peer| format!(r#"{peer} {{"t":"error","id":1,"code":"in_use"}}"#);
    let politely = |world: &mut World, peer| {
        world.connect(peer);
        world.say(peer, &FromClient::IfFree);
        let password = Secret("a".into());
        world.say(
            peer,
            &FromClient::Login { id: 1, account: "a".into(), password, device: name(9), cursor: None, made: None },
        )
    };
    assert_eq!(politely(&mut world, 1), [logged_in(1, 0, None)], "nobody is in");
    assert_eq!(world.login(2, "a", 2, None).last(), Some(&logged_in(2, 0, Some("127.0.0.1:1"))), "and anybody ends it");
    assert_eq!(politely(&mut world, 3), [in_use(3)]);
    assert_eq!(world.say(2, &send(1, "b", "hi")), [accepted(2, 1, 1, false)], "who was in is in");
    world.say(2, &FromClient::SetDevices { id: 2, beside: true });
    assert_eq!(politely(&mut world, 4), [logged_in(4, 0, None)], "beside it");
    assert_eq!(
        politely(&mut world, 5).last(),
        Some(&logged_in(5, 0, None)),
        "the same device coming back ends nobody's"
    );
    world.engine.lost(world.now, PeerId(5));
    for device in 10..17 {
        world.login(u64::from(device), "a", device, None);
    }
    assert_eq!(politely(&mut world, 7), [in_use(7)], "as many as may be are in");

    world.plainly(1, "02#c#c#");
    world.connect(30);
    world.say(30, &FromClient::IfFree);
    let c = FromClient::Login {
        id: 1,
        account: "c".into(),
        password: Secret("c".into()),
        device: name(1),
        cursor: None,
        made: None,
    };
    assert_eq!(world.say(30, &c), [in_use(30)], "a plain session is one too");
}

#[test]
fn nothing_overtakes_what_was_refused() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    let after =
        |counter, after| FromClient::Send { counter, to: "b".into(), text: "x".into(), after: Some(after), made: None };
    let refused = |counter, code| format!(r#"1 {{"t":"refused","counter":{counter},"code":"{code}"}}"#);
    // Given to the store together with one that it could not keep.
    (world.disk_full, world.held) = (true, true);
    world.say(1, &send(1, "b", "x"));
    world.say(1, &after(2, 1));
    let second = world.ops.pop().expect("given to the store");
    world.release();
    world.disk_full = false;
    world.store(second);
    let not_stored = r#"1 {"t":"refused","counter":1,"code":"try_later","reason":"not_stored"}"#;
    assert_eq!(world.heard(), [not_stored.to_owned(), refused(2, "out_of_turn")]);
    assert_eq!(world.say(1, &after(2, 1)), [refused(2, "out_of_turn")]);
    assert_eq!(world.say(1, &send(1, "b", "x")), [accepted(1, 1, 1, false)]);
    assert_eq!(world.say(1, &after(2, 1)), [accepted(1, 2, 2, false)]);
    assert_eq!(world.say(1, &after(2, 7)), [accepted(1, 2, 2, false)], "it is there, whatever was before it");
}

#[test]
fn who_comes_back_gets_what_it_has_not_stored() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    for n in 1..=3 {
        world.say(1, &send(n, "b", "x"));
    }
    assert_eq!(world.say(2, &FromClient::Ack { cursor: 2 }), [""; 0]);
    world.engine.lost(world.now, PeerId(2));
    world.say(1, &send(4, "b", "y"));
    // The device says that it has stored the third as well: its acknowledgement was lost.
    let back = world.login(4, "b", 2, Some(3));
    assert_eq!(back, [logged_in(4, 0, None), message(4, 4, 3, "a", "y")]);
    // A new device has nothing, and gets what is unread.
    let new = world.login(5, "b", 3, None);
    let kicked = r#"4 {"t":"kicked","address":"127.0.0.1:5","at":1000}"#.to_owned();
    assert_eq!(new, [kicked, logged_in(5, 0, Some("127.0.0.1:4")), message(5, 4, 3, "a", "y")]);
    assert_eq!(world.say(4, &send(1, "a", "?")), [r#"4 {"t":"refused","counter":1,"code":"not_logged_in"}"#]);
}

#[test]
fn a_token_lets_in_on_its_own_connection_only() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    let token = [1; 32];
    let prove = |exported: [u8; 32]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &sha256(&[&token]));
        let proof = Key(hmac::sign(&key, &exported).as_ref().try_into().expect("32 bytes"));
        FromClient::Resume { id: 7, account: "a".into(), device: name(1), proof, cursor: Some(0) }
    };
    world.connect(2);
    let bad = r#"2 {"t":"error","id":7,"code":"bad_token"}"#;
    assert_eq!(world.say(2, &prove([1; 32])), [bad], "a proof for another connection");
    let back = world.say(2, &prove([2; 32]));
    let resumed = r#"2 {"t":"logged_in","id":7,"token":null,"highest":0,"ended":null}"#;
    assert_eq!(back, ["1 closed: 4 came back on another connection", resumed]);
    assert_eq!(world.say(2, &FromClient::Logout { id: 8, forget: true }), [r#"2 {"t":"logged_out","id":8}"#]);
    assert_eq!(world.say(2, &prove([2; 32])), [bad], "it was forgotten");
}

#[test]
fn wrong_passwords_close_the_door_for_longer_and_longer() {
    let mut world = World::new();
    world.connect(1);
    let guess = FromClient::Login {
        id: 1,
        account: "a".into(),
        password: Secret("wrong".into()),
        device: name(1),
        cursor: None,
        made: None,
    };
    let wrong = r#"1 {"t":"error","id":1,"code":"wrong_password"}"#;
    let later = r#"1 {"t":"error","id":1,"code":"try_later","reason":"too_many_tries"}"#;
    let mut looked_at = 0;
    for _ in 0..100 {
        let answer = world.say(1, &guess);
        looked_at += usize::from(answer == [wrong]);
        assert!(answer == [wrong] || answer == [later], "{answer:?}");
        world.pass(Duration::from_secs(1));
    }
    assert!((8..=14).contains(&looked_at), "{looked_at}");
    world.pass(Duration::from_secs(100));
    let unknown = FromClient::Login {
        id: 1,
        account: "nobody".into(),
        password: Secret("x".into()),
        device: name(1),
        cursor: None,
        made: None,
    };
    let nobody = r#"1 {"t":"error","id":1,"code":"no_account"}"#;
    assert_eq!(world.say(1, &unknown), [nobody], "whoever forgot to register would try passwords for ever");
    assert_eq!(world.login(2, "a", 2, None), [logged_in(2, 0, None)]);
}

#[test]
fn plain_and_secure_users_share_one_world() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    assert_eq!(world.plainly(50, "02#b#b#"), ["50 02:01"]);
    assert_eq!(world.plainly(50, "03#a#hello#"), ["50 03:01"]);
    assert_eq!(world.heard(), [message(1, 1, 0, "b", "hello")]);
    assert_eq!(world.say(1, &send(1, "b", "hello too")), [accepted(1, 1, 2, true)]);
    assert_eq!(world.plainly(50, "08#"), ["50 08:1"]);
    assert_eq!(world.plainly(50, "09#"), ["50 09:a:2026-11-21 12:04:58:hello too"]);
    assert_eq!(world.plainly(50, "11#0#"), ["50 11:2:0:a:b"]);
    assert_eq!(world.say(1, &send(2, "@lobby", "all?")), [accepted(1, 2, 3, true)]);
    assert_eq!(world.plainly(50, "05#@lobby#"), ["50 05:@lobby:2026-11-21 12:04:58:[a] all?"]);
    world.plainly(50, "03#@lobby#here#");
    let here = r#"1 {"t":"message","row":4,"after":1,"from":"@lobby","writer":"b","at":1000,"text":"here"}"#;
    assert_eq!(world.heard(), [here]);
    // A plain client may take a device's place as it may another plain client's, and the other way round.
    assert_eq!(world.plainly(60, "02#a#a#"), ["60 02:04"]);
    assert_eq!(world.heard(), [""; 0]);
    assert_eq!(world.plainly(60, "06#"), ["60 06:01"]);
    assert_eq!(world.heard(), [r#"1 {"t":"kicked","address":"127.0.0.1:60","at":1000}"#]);
    assert_eq!(world.plainly(60, "02#a#a#"), ["60 02:01"]);
    assert_eq!(world.login(2, "a", 1, Some(0)).first(), Some(&logged_in(2, 2, Some("127.0.0.1:60"))));
    assert_eq!(world.plainly(60, "08#"), ["60 07:01"]);
}

#[test]
fn who_is_here_is_told_at_login_and_when_it_changes() {
    let mut world = World::new();
    world.plainly(50, "02#c#c#");
    world.connect(1);
    let login = |account: &str| FromClient::Login {
        id: 1,
        account: account.into(),
        password: Secret(account.into()),
        device: name(1),
        cursor: Some(0),
        made: None,
    };
    world.engine.frame(world.now, PeerId(1), &login("a").encode());
    world.work();
    let presence = r#"1 {"t":"presence","first":true,"online":["a","c"]}"#;
    let told: Vec<_> = std::mem::take(&mut world.out).iter().map(|line| line.replace(MADE, "")).collect();
    assert_eq!(told, [logged_in(1, 0, None), presence.into()]);
    world.login(2, "b", 2, None);
    let came = |peer: u64| format!(r#"{peer} {{"t":"changes","came":["b"],"went":[]}}"#);
    let mut told = world.pass(GATHER);
    told.sort();
    assert_eq!(told, [came(1), came(2)]);
    world.engine.lost(world.now, PeerId(2));
    assert_eq!(world.pass(GATHER), [r#"1 {"t":"changes","came":[],"went":["b"]}"#]);
    // A plain client goes by falling silent.
    let mut told = Vec::new();
    for _ in 0..4 {
        told.extend(world.pass(LOOK));
    }
    assert_eq!(told, [r#"1 {"t":"changes","came":[],"went":["c"]}"#]);
    world.engine.lost(world.now, PeerId(1));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.engine.poll_timeout(), None, "nobody listens, so nobody looks");
}

#[test]
fn who_does_not_acknowledge_is_not_pushed_without_end_and_misses_nothing() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    let mut pushed = Vec::new();
    for n in 1..=300 {
        pushed.extend(world.say(1, &send(n, "b", "x")).into_iter().filter(|line| line.starts_with("2 ")));
    }
    assert_eq!(pushed.len(), WINDOW);
    let mut acknowledged = 0;
    while acknowledged < 300 {
        acknowledged = u64::try_from(pushed.len()).expect("few");
        let more = world.say(2, &FromClient::Ack { cursor: acknowledged });
        assert!(more.len() <= WINDOW && (!more.is_empty() || acknowledged == 300), "{acknowledged}");
        pushed.extend(more);
    }
    let expected: Vec<String> = (1..=300).map(|row| message(2, row, row - 1, "a", "x")).collect();
    assert_eq!(pushed, expected);
    assert!(!world.engine.awaits(PeerId(2)));
}

#[test]
fn nothing_is_claimed_that_is_not_on_disk() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    world.held = true;
    assert_eq!(world.say(1, &send(1, "b", "x")), [""; 0]);
    world.release();
    assert_eq!(world.heard(), [message(2, 1, 0, "a", "x"), accepted(1, 1, 1, true)]);
    world.disk_full = true;
    assert_eq!(
        world.say(1, &send(2, "b", "y")),
        [r#"1 {"t":"refused","counter":2,"code":"try_later","reason":"not_stored"}"#]
    );
    world.disk_full = false;
    assert_eq!(world.say(1, &send(2, "b", "y")), [message(2, 2, 1, "a", "y"), accepted(1, 2, 2, true)]);
    // Nor is anybody let in, and it is said why.
    world.disk_full = true;
    world.connect(9);
    let not_stored = r#"9 {"t":"error","id":1,"code":"try_later","reason":"not_stored"}"#;
    assert_eq!(world.login(9, "c", 9, None), [not_stored]);
    world.disk_full = false;
    // A login that is overtaken by the connection's end lets nobody in.
    world.held = true;
    world.login(3, "c", 3, None);
    world.engine.lost(world.now, PeerId(3));
    world.release();
    assert_eq!(world.heard(), [""; 0]);
    assert_eq!(world.say(1, &send(3, "c", "z")), [accepted(1, 3, 3, false)]);
}

#[test]
fn history_is_read_by_pages_from_both_sides() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    for n in 1..=60 {
        let (from, to) = if n % 2 == 0 { (1, "b") } else { (2, "a") };
        world.say(from, &send(n, to, &n.to_string()));
        world.say(1, &send(1_000 + n, "c", "else"));
    }
    let mut texts: Vec<String> = Vec::new();
    let mut before = None;
    loop {
        let frame = FromClient::History { id: 3, peer: "b".into(), before, count: 25 };
        let answer = world.say(1, &frame).pop().expect("an answer");
        let answer = FromServer::decode(answer.split_once(' ').expect("a frame").1.as_bytes());
        let Ok(FromServer::History { messages, more, .. }) = answer else { panic!("{answer:?}") };
        before = messages.first().map(|m| m.row);
        texts.splice(0..0, messages.into_iter().map(|m| format!("{}{}", m.from, m.text)));
        if !more {
            break;
        }
    }
    let expected: Vec<String> = (1..=60).map(|n| format!("{}{n}", if n % 2 == 0 { "a" } else { "b" })).collect();
    assert_eq!(texts, expected);
}

#[test]
fn what_is_not_a_frame_ends_the_connection() {
    let mut world = World::new();
    world.login(1, "a", 1, None);
    world.engine.frame(world.now, PeerId(1), b"03#b#hi#");
    assert_eq!(world.heard(), ["1 closed: 2 not a frame"]);
    world.engine.frame(world.now, PeerId(1), br#"{"t":"dance"}"#);
    assert_eq!(world.heard(), [""; 0]);
}
