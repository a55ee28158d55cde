//! What a client was told in the secure dialect, over real sockets: it outlives a server's process killed at random
//! moments, and disks that are full for a while.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hongyan::base::model::SendState;
use hongyan::client::Event;
use hongyan::client::net::clock;
use hongyan::client::session::ConnectionState;
use hongyan::server::store::admin;
use hongyan::server::udp::{Config as ServerConfig, Server};

use super::client::{Person, account, securely};
use super::crash::{heard, moments};
use super::server::Student;

fn told(event: &Event) -> bool {
    matches!(event, Event::Outgoing { state: SendState::Sent | SendState::Kept | SendState::OfflineOrUnknown, .. })
}

fn doubtful(event: &Event) -> bool {
    let doubt = [SendState::MaybeSent, SendState::MaybeSentTwice, SendState::NoAnswer, SendState::Failed];
    matches!(event, Event::Outgoing { state, .. } if doubt.contains(state))
}

/// A server's process, which answers.
fn begin(listen: SocketAddr, data: &Path) -> Child {
    let child = Command::new(env!("CARGO_BIN_EXE_hongyand"))
        .args(["--log-level", "off", "--max-sending", "0", "--listen", &listen.to_string(), "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .spawn()
        .expect("it runs");
    let student = Student::new(listen);
    let end = Instant::now() + Duration::from_secs(20);
    while student.try_ask("08#").is_none() {
        assert!(Instant::now() < end, "it answers");
    }
    child
}

/// Two people write to each other, 8 on their way each, while their server is killed. Every `tenth` life is long
/// enough for connections to count as good ones; after the others people ask for new ones at once.
fn killed_servers(kills: usize, tenth: usize) {
    let dir = tempfile::tempdir().expect("a folder");
    let listen = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port");
    let data = dir.path().join("server");
    let mut server = begin(listen, &data);
    let mut people: Vec<Person> =
        ["a", "b"].map(|name| securely(listen, &dir.path().join(name)).come_in(name, true)).into();
    let (stopped, hurry) = (AtomicBool::new(false), AtomicBool::new(false));
    let last_told = Mutex::new(Instant::now());
    let mut moments = moments(150_000);
    let (mut back, written) = std::thread::scope(|scope| {
        let (stopped, hurry, last_told) = (&stopped, &hurry, &last_told);
        let work = |me: &mut Person, to: &str| {
            let mut written = 0;
            let (mut looked, mut hurried) = (0, false);
            while !stopped.load(Ordering::Relaxed) {
                while me.client.unsent() < 8 {
                    written += 1;
                    assert!(me.client.send_message(clock::now(), &account(to), &written.to_string()));
                }
                me.turn(Duration::from_millis(5));
                if hurry.load(Ordering::Relaxed) != hurried {
                    hurried = !hurried;
                    if !matches!(me.client.link(), ConnectionState::Connected { .. }) {
                        me.client.fetch_now(clock::now());
                    }
                }
                if me.seen.get(looked..).is_some_and(|new| new.iter().any(told)) {
                    *last_told.lock().expect("no panic") = Instant::now();
                }
                looked = me.seen.len();
            }
            written
        };
        let [a, b] = &mut people[..] else { panic!("two people") };
        let (a, b) = (scope.spawn(move || work(a, "b")), scope.spawn(move || work(b, "a")));
        let mut back = Vec::new();
        for kill in 0..kills {
            let long = kill % tenth == 0;
            std::thread::sleep(moments() + if long { Duration::from_millis(5_200) } else { Duration::ZERO });
            server.kill().expect("killed");
            server.wait().expect("gone");
            server = begin(listen, &data);
            let begun = Instant::now();
            if !long {
                hurry.fetch_not(Ordering::Relaxed);
            }
            while *last_told.lock().expect("no panic") <= begun {
                assert!(begun.elapsed() < Duration::from_secs(40), "somebody is back");
                std::thread::sleep(Duration::from_millis(1));
            }
            if long {
                back.push(begun.elapsed());
            }
        }
        stopped.store(true, Ordering::Relaxed);
        (back, [a.join().expect("no panic"), b.join().expect("no panic")])
    });
    let end = Instant::now() + Duration::from_secs(60);
    let [a, b] = &mut people[..] else { panic!("two people") };
    let whole = |person: &Person, from, count| heard(person, from).len() >= count;
    while a.client.unsent() + b.client.unsent() > 0 || !whole(a, "b", written[1]) || !whole(b, "a", written[0]) {
        assert!(Instant::now() < end, "{written:?} {} {}", heard(a, "b").len(), heard(b, "a").len());
        a.turn(Duration::from_millis(5));
        b.turn(Duration::from_millis(5));
    }
    for (person, from, written) in [(&*a, "b", written[1]), (&*b, "a", written[0])] {
        let all: Vec<_> = (1..=written).map(|n| n.to_string()).collect();
        assert_eq!(heard(person, from), all, "once, and in order");
        assert!(!person.seen.iter().any(doubtful), "each was taken and is known to be");
    }
    server.kill().expect("killed");
    server.wait().expect("gone");
    back.sort();
    println!(
        "{kills} kills of a server, {} messages, each once and in order; back {back:.0?} after it answers",
        written[0] + written[1]
    );
    assert!(written[0] > kills && written[1] > kills, "there was load: {written:?}");
    assert!(back.get(back.len() / 2).is_none_or(|took| *took <= Duration::from_secs(1)), "{back:?}");
}

#[test]
fn kill_9_of_a_server_loses_nothing_a_device_was_told() {
    killed_servers(12, 12);
}

#[test]
#[ignore = "three minutes"]
fn two_hundred_kills_of_a_server() {
    killed_servers(200, 10);
}

fn says(from: &mut Person, to: &mut Person, [name, other]: [&str; 2], text: &str) {
    assert!(from.client.send_message(clock::now(), &account(other), text));
    from.until("sent", told);
    to.gets(name, text);
}

/// After a backup of the database is restored, later messages must not be taken for the ones that the backup does not
/// hold.
#[test]
fn a_server_put_back_from_a_copy_goes_on_with_numbers_of_its_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, copy) = (dir.path().join("server"), dir.path().join("copy.sqlite"));
    let listen = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port");
    let start = || Server::start(ServerConfig::new(listen, data.clone())).expect("started");
    let server = start();
    let mut a = securely(listen, &dir.path().join("a")).come_in("a", true);
    let mut b = securely(listen, &dir.path().join("b")).come_in("b", true);
    admin::backup(&data, &copy).expect("copied");
    for text in ["1", "2", "3"] {
        says(&mut a, &mut b, ["a", "b"], text);
        says(&mut b, &mut a, ["b", "a"], text);
    }
    drop(server);
    for name in ["hongyand.sqlite-wal", "hongyand.sqlite-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    std::fs::copy(&copy, data.join("hongyand.sqlite")).expect("put back");
    // Numbers go with the clock's seconds.
    std::thread::sleep(Duration::from_secs(1));
    let server = start();
    for text in ["4", "5", "6"] {
        says(&mut a, &mut b, ["a", "b"], text);
        says(&mut b, &mut a, ["b", "a"], text);
    }
    for (person, from) in [(&a, "b"), (&b, "a")] {
        assert_eq!(heard(person, from), ["1", "2", "3", "4", "5", "6"]);
    }
    drop(server);
}

#[cfg(unix)]
mod full {
    use super::super::disk::Disk;
    use super::*;

    fn state(person: &Person) -> Option<SendState> {
        let state = |event: &Event| if let Event::Outgoing { state, .. } = event { Some(*state) } else { None };
        person.seen.iter().rev().find_map(state)
    }

    fn for_a_second(person: &mut Person) {
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end {
            person.turn(Duration::from_millis(20));
        }
    }

    #[test]
    fn a_full_disk_of_the_server_delays_and_loses_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("server");
        std::fs::create_dir(&data).expect("a new folder");
        let disk = Disk::watch(&data, false);
        let server = Server::start(ServerConfig::new("127.0.0.1:0".parse().expect("valid"), data)).expect("started");
        let at = server.address();
        let mut a = securely(at, &dir.path().join("a")).come_in("a", true);
        let mut b = securely(at, &dir.path().join("b")).come_in("b", true);
        assert!(a.client.send_message(clock::now(), &account("b"), "before"));
        a.until("sent", told);
        b.gets("a", "before");
        // Whatever becomes of it is told before the disk is full, and not in the midst of the others.
        a.until("delivered", |e| matches!(e, Event::Outgoing { state: SendState::Delivered, .. }));
        disk.fill(true);
        for text in ["1", "2", "3"] {
            assert!(a.client.send_message(clock::now(), &account("b"), text));
        }
        a.until("it is said why", |e| *e == Event::NotStoring(true));
        for_a_second(&mut a);
        assert_eq!((state(&a), a.client.unsent()), (Some(SendState::Sending), 3), "nothing is acknowledged");
        let words = |a: &Person, locale| a.client.connection().text(clock::now().instant, locale);
        for (locale, sentence) in [("en", "cannot store messages at the moment"), ("zh-CN", "暂时无法保存消息")]
        {
            assert!(words(&a, locale).contains(sentence), "{}", words(&a, locale));
        }
        a.client.past(clock::now(), account("b"), None, 10);
        a.until("reading goes on", |e| matches!(e, Event::Past { messages, .. } if messages.len() == 1));
        disk.fill(false);
        let said = |e: &Event| if let Event::NotStoring(not) = e { Some(*not) } else { None };
        // In which order the two come is not promised.
        while a.client.unsent() > 0 {
            a.until("sent", told);
        }
        if a.seen.iter().filter_map(said).next_back() == Some(true) {
            a.until("it is taken back", |e| *e == Event::NotStoring(false));
        }
        assert_eq!(a.seen.iter().filter_map(said).collect::<Vec<_>>(), [true, false], "once, and taken back");
        assert!(!words(&a, "en").contains("at the moment"), "{}", words(&a, "en"));
        b.gets("a", "3");
        assert_eq!(heard(&b, "a"), ["before", "1", "2", "3"]);
        assert!(!a.seen.iter().any(doubtful));
        drop(server);
    }

    #[test]
    fn a_full_disk_of_a_client_acknowledges_nothing_and_says_so() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("b");
        let config = ServerConfig::new("127.0.0.1:0".parse().expect("valid"), dir.path().join("server"));
        let server = Server::start(config.clone()).expect("started");
        let at = server.address();
        let mut a = securely(at, &dir.path().join("a")).come_in("a", true);
        drop(securely(at, &data).come_in("b", true));
        let folder = std::fs::read_dir(&data).expect("a folder").filter_map(Result::ok).map(|e| e.path());
        let folder = folder.into_iter().find(|path| path.is_dir()).expect("a folder a server");
        let disk = Disk::watch(&folder, false);
        let mut b = securely(at, &data).come_in("b", false);
        disk.fill(true);
        for text in ["1", "2"] {
            assert!(a.client.send_message(clock::now(), &account("b"), text));
            a.until("sent", told);
        }
        b.until("it is said", |e| matches!(e, Event::DiskTrouble(_)));
        assert!(b.client.send_message(clock::now(), &account("a"), "mine"));
        b.until("the text is given back", |e| matches!(e, Event::NotKept { text, .. } if text == "mine"));
        assert_eq!(heard(&b, "a"), [""; 0], "what is not kept is not shown");
        disk.fill(false);
        // It is tried again by itself in half a minute, or at once.
        b.client.fetch_now(clock::now());
        b.gets("a", "2");
        assert_eq!(heard(&b, "a"), ["1", "2"]);
        drop(server);
    }
}
