//! `hongyand`'s commands while a server runs: same output and exit codes, effective at once, durable, owner only.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hongyan::client::Event;
use hongyan::client::net::clock;
use hongyan::client::session::LoginOutcome;
use hongyan::protocol::wire::frame::Key;
use hongyan::protocol::wire::reply::LoggedIn;
use hongyan::server::control::{
    Answer, ControlClient, Direction, Greeting, NewAccount, NumberedAnswer, NumberedRequest, RequestKind, Secret,
};

use super::client::{account, password, securely};
use super::process::{Process, free_port};
use super::server::Student;

/// A data folder, and perhaps a server that has it.
struct ServerChoice {
    data: PathBuf,
    at: SocketAddr,
    server: Option<Process>,
}

/// What a command said and how it ended; the folder's name apart.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    out: String,
    err: String,
    code: Option<i32>,
}

impl ServerChoice {
    fn new(folder: &Path) -> Self {
        Self { data: folder.join("server"), at: free_port(), server: None }
    }

    fn running(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("made");
        let mut place = Self::new(folder);
        place.begin();
        place
    }

    fn begin(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hongyand"));
        command.args(["--log-level", "debug", "--max-sending", "0", "--listen", &self.at.to_string(), "--data"]);
        let log = std::fs::File::create(self.log()).expect("a file");
        command.arg(&self.data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.serve(command);
    }

    /// With a server as `hongyan` and `hongyan-term` start it where none is named.
    fn of_the_windows(folder: &Path) -> Self {
        let mut place = Self::new(folder);
        let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan-term"));
        command.args(["serve-local", "--listen", &place.at.to_string(), "--data"]).arg(&place.data);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        place.serve(command);
        place
    }

    /// Starts a server, and waits until it answers.
    fn serve(&mut self, mut command: Command) {
        self.server = Some(Process(command.spawn().expect("it runs")));
        let (student, end) = (Student::new(self.at), Instant::now() + Duration::from_secs(20));
        while student.try_ask("08#").is_none() {
            assert!(Instant::now() < end, "it answers");
        }
    }

    /// Ends it cleanly.
    fn end(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let id = server.0.id().to_string();
        assert!(Command::new("kill").arg(id).status().expect("kill").success());
        assert_eq!(server.0.wait().expect("it ends").code(), Some(0));
    }

    /// As kill -9 does.
    fn kill(&mut self) {
        self.server = None;
    }

    /// What its server says.
    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    fn control(&self) -> PathBuf {
        self.data.join("control")
    }

    fn say(&self, args: &[&str]) -> Said {
        self.tell(args, "")
    }

    /// Runs a command that reads this.
    fn tell(&self, args: &[&str], text: &str) -> Said {
        let mut command = Command::new("timeout");
        command.arg("590").arg(env!("CARGO_BIN_EXE_hongyand")).arg("--data").arg(&self.data).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        // Who reads nothing may have ended already.
        let _ = child.stdin.take().expect("piped").write_all(text.as_bytes());
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&self.data.display().to_string(), "DATA");
        Said { out: text(&output.stdout), err: text(&output.stderr), code: output.status.code() }
    }

    #[track_caller]
    fn does(&self, args: &[&str]) -> String {
        self.does_with(args, "")
    }

    #[track_caller]
    fn does_with(&self, args: &[&str], text: &str) -> String {
        let said = self.tell(args, text);
        assert!(said.code == Some(0) && said.err.is_empty(), "{args:?}: {said:?}");
        said.out
    }

    #[track_caller]
    fn asking(&self) -> ControlClient {
        match ControlClient::greet(&self.data) {
            Ok(Greeting::Here(asking)) => asking,
            other => panic!("{other:?}"),
        }
    }
}

fn csv(folder: &Path, name: &str, text: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

/// Without the slow hashes, where there are many.
fn made_up(names: impl Iterator<Item = String>) -> Vec<NewAccount> {
    names.map(|name| NewAccount { name, salt: Key([1; 16]), hash: Key([2; 32]), profile: None }).collect()
}

#[test]
fn every_command_says_the_same_running_and_stopped() {
    let dir = tempfile::tempdir().expect("a folder");
    let (there, here) = (dir.path().join("running"), dir.path().join("stopped"));
    let (running, mut stopped) = (ServerChoice::running(&there), ServerChoice::running(&here));
    stopped.end();
    assert!(running.control().exists() && !stopped.control().exists(), "a clean end takes the secret away");
    let list = |name, text: &[u8]| csv(dir.path(), name, text);
    let class = list("class.csv", "account,password\n20170001,one\n20170002,two\n学号3,three\n".as_bytes());
    let gbk = list("gbk.csv", &hongyan::protocol::wire::Charset::Gb18030.encode("学号4,vier\n学号5,fuenf\n"));
    let many: String = (0..150).map(|n| format!("many{n:03},{}\n", "p".repeat(12))).collect();
    let many = list("many.csv", many.as_bytes());
    let wrong = list("wrong.csv", b"new1,x\nnew2,x\nne#w,x\nnew4,x\n");
    let empty = list("empty.csv", b"new1,x\nnew2\n");
    let nothing = list("nothing.csv", b"");
    let some = list("some.csv", "学号,姓名,密码\n20170001,李雷,x\n20170006,王,six\n".as_bytes());
    let missing = dir.path().join("missing.csv").display().to_string();
    let script: &[(&[&str], &str, i32)] = &[
        (&["account", "list"], "", 0),
        (&["import", &class], "", 0),
        (&["import", &class], "", 0),
        (&["import", &gbk], "", 0),
        (&["import", &many], "", 0),
        (&["import", &nothing], "", 0),
        (&["import", &wrong], "", 1),
        (&["import", &empty], "", 1),
        (&["import", &missing], "", 1),
        (&["import", &some], "", 0),
        (&["account", "list"], "", 0),
        (&["account", "reset", "20170001"], "a new one\n", 0),
        (&["account", "reset", "20170001"], "", 1),
        (&["account", "reset", "nobody"], "x\n", 1),
        (&["account", "secure-only", "20170002", "on"], "", 0),
        (&["account", "secure-only", "20170001", "on"], "", 0),
        (&["account", "secure-only", "20170001", "off"], "", 0),
        (&["account", "secure-only", "nobody", "on"], "", 1),
        (&["account", "delete", "学号3"], "", 0),
        (&["account", "delete", "学号3"], "", 1),
        (&["account", "list"], "", 0),
        (&["account", "nonsense"], "", 2),
    ];
    let (mut lists, mut said) = (Vec::new(), Vec::new());
    for (args, text, code) in script {
        let (there, here) = (running.tell(args, text), stopped.tell(args, text));
        assert_eq!(there, here, "{args:?}");
        assert_eq!(there.code, Some(*code), "{args:?}: {there:?}");
        match args[..] {
            ["account", "list"] => lists.push(there.out),
            ["import", _] | ["account", "reset", _] => said.push(there.out + &there.err),
            _ => {}
        }
    }
    assert_eq!((lists[0].as_str(), lists[1].lines().count(), lists[2].lines().count()), ("", 156, 155));
    // What is said, and of which file.
    let expected = [
        "3 new accounts\n",
        "0 new accounts; 3 were there before and keep their passwords\n",
        "2 new accounts\n",
        "150 new accounts\n",
        "0 new accounts\n",
        "hongyand: line 3: account: the character '#' is not allowed here\n",
        "hongyand: line 2: this is not account,password: fields found 1, expected 2\n",
        &format!("hongyand: {missing}: there is no such file or folder\n"),
        "1 new account; 1 was there before and keeps its password; 1 of these has a name now\n",
        "",
        "hongyand: the password is empty; it is read from standard input\n",
        "hongyand: there is no account nobody\n",
    ];
    assert_eq!(said, expected);
    let expected =
        "20170001\t0 unread\t-\tname 李雷\n20170002\t0 unread\t-\tsecure-only\n20170006\t0 unread\t-\tname 王\n";
    assert!(lists[2].starts_with(expected) && !lists[2].contains("学号3"), "{}", lists[2]);
    for place in [&running, &stopped] {
        let copy = place.data.with_file_name("copy.sqlite").display().to_string();
        assert_eq!(place.does(&["backup", &copy]), "");
        assert!(place.say(&["backup", &copy]).err.contains("exists already"));
        assert_eq!(place.does(&["key"]).lines().count(), 2);
    }
    // It is on disk: a server that is killed now knows all of it.
    let mut running = running;
    running.kill();
    assert_eq!(running.does(&["account", "list"]), lists[2]);
}

#[test]
fn names_are_set_and_told_running_and_stopped() {
    let dir = tempfile::tempdir().expect("a folder");
    let (there, here) = (dir.path().join("running"), dir.path().join("stopped"));
    let (running, mut stopped) = (ServerChoice::running(&there), ServerChoice::running(&here));
    stopped.end();
    let class = csv(dir.path(), "class.csv", "学号,姓名,密码\n1,李雷,x\n2,,x\n".as_bytes());
    let named = csv(dir.path(), "named.csv", "name,password,account\nother,x,1\n韩梅梅,x,2\n".as_bytes());
    let odd = csv(dir.path(), "odd.csv", "学号,姓名,密码\n3,@all,x\n".as_bytes());
    let unfit = "it is to have at most 32 characters, something that can be seen, and not to look like a room's\n";
    let nobody = "hongyand: there is no account nobody\n";
    let script: &[(&[&str], i32, &str)] = &[
        (&["import", &class], 0, "2 new accounts\n"),
        (
            &["import", &named],
            0,
            "0 new accounts; 2 were there before and keep their passwords; 1 of these has a name now\n",
        ),
        (&["import", &odd], 1, &format!("hongyand: line 2: the name: {unfit}")),
        (&["account", "name", "1"], 0, "李雷\n"),
        (&["account", "name", "1", " 王  明"], 0, ""),
        (&["account", "name", "1"], 0, "王 明\n"),
        (&["account", "name", "1", "@all"], 1, &format!("hongyand: the name: {unfit}")),
        (&["account", "list"], 0, "1\t0 unread\t-\tname 王 明\n2\t0 unread\t-\tname 韩梅梅\n"),
        (&["account", "name", "1", ""], 0, ""),
        (&["account", "name", "1"], 0, "\n"),
        (&["account", "name", "nobody"], 1, nobody),
        (&["account", "name", "nobody", "x"], 1, nobody),
        (&["account", "list"], 0, "1\t0 unread\t-\n2\t0 unread\t-\tname 韩梅梅\n"),
    ];
    for (args, code, expected) in script {
        for place in [&running, &stopped] {
            let said = place.say(args);
            assert_eq!((said.out.clone() + &said.err, said.code), ((*expected).to_owned(), Some(*code)), "{args:?}");
        }
    }
}

#[test]
fn what_is_changed_holds_at_the_next_datagram() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut place = ServerChoice::running(dir.path());
    let class = csv(dir.path(), "class.csv", b"a,secret\nb,secret\nc,secret\n");
    assert_eq!(place.does(&["import", &class]), "3 new accounts\n");
    // A student's client, at once.
    let a = Student::new(place.at);
    assert_eq!(a.ask("02#a#secret#"), "02:01");
    let mut c = securely(place.at, &dir.path().join("c")).come_in("c", false);
    assert_eq!(a.ask("03#b#hello#"), "03:02");
    let list = place.does(&["account", "list"]);
    let port = a.0.local_addr().expect("bound");
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines[..2], [format!("a\t0 unread\t{port}\tonline").as_str(), "b\t1 unread\t-"]);
    assert!(lines[2].starts_with("c\t0 unread\t127.0.0.1:") && lines[2].ends_with("\tonline"), "{list}");

    // A new password: the old one is worth nothing, nor are sessions and tokens.
    assert_eq!(place.does_with(&["account", "reset", "a"], "better\n"), "");
    assert_eq!(a.ask("08#"), "07:01");
    assert_eq!((a.ask("02#a#secret#"), a.ask("02#a#better#")), ("02:02".into(), "02:01".into()));
    place.does_with(&["account", "reset", "c"], "better\n");
    c.until("told that the password is another one", |e| {
        matches!(e, Event::LoggedIn(LoginOutcome::Refused(LoggedIn::WrongPassword) | LoginOutcome::PasswordNeeded))
    });

    // No plain login any more.
    place.does(&["account", "secure-only", "a", "on"]);
    assert_eq!((a.ask("08#"), a.ask("02#a#better#")), ("07:01".into(), "02:02".into()));
    place.does(&["account", "secure-only", "a", "off"]);
    assert_eq!(a.ask("02#a#better#"), "02:01");

    // Deleted while they are in.
    let mut b = securely(place.at, &dir.path().join("b")).come_in("b", false);
    b.gets("a", "hello");
    for name in ["a", "b"] {
        place.does(&["account", "delete", name]);
    }
    assert_eq!((a.ask("08#"), a.ask("02#a#better#")), ("07:01".into(), "02:03".into()));
    b.until("told that there is no such account", |e| {
        *e == Event::LoggedIn(LoginOutcome::Refused(LoggedIn::NoSuchAccount))
    });
    assert!(!b.client.send_message(clock::now(), &account("c"), "in whose name?") || b.client.unsent() == 1);
    assert_eq!(place.does(&["account", "list"]), "c\t0 unread\t-\n");
    // Killed right afterwards it has forgotten nothing of that.
    place.kill();
    assert_eq!(place.does(&["account", "list"]), "c\t0 unread\t-\n");
    place.begin();
    assert_eq!(a.ask("02#a#better#"), "02:03");
    let mut c = securely(place.at, &dir.path().join("c2"));
    c.client.login(clock::now(), account("c"), password()).expect("a history");
    c.until("wrong", |e| *e == Event::LoggedIn(LoginOutcome::Refused(LoggedIn::WrongPassword)));
}

#[test]
fn the_windows_own_server_is_looked_after_the_same_way() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut place = ServerChoice::of_the_windows(dir.path());
    let a = Student::new(place.at);
    assert_eq!((a.ask("01#a#x#x#"), a.ask("02#a#x#")), ("01:01".into(), "02:01".into()));
    assert!(place.does(&["account", "list"]).ends_with("\tonline\n"));
    place.does(&["account", "delete", "a"]);
    assert_eq!(a.ask("08#"), "07:01");
    place.kill();
    assert_eq!(place.does(&["account", "list"]), "");
}

#[test]
fn the_windows_own_server_ends_cleanly_when_it_is_told_to() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut place = ServerChoice::of_the_windows(dir.path());
    assert!(place.control().exists());
    place.end();
    assert!(!place.control().exists());
}

#[test]
fn what_a_killed_server_left_confuses_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut place = ServerChoice::running(dir.path());
    let class = csv(dir.path(), "class.csv", b"a,x\nb,x\n");
    place.does(&["import", &class]);
    place.kill();
    let old = std::fs::read_to_string(place.control()).expect("it stays");
    // Nobody has its port: nothing is waited for.
    assert_eq!(place.does(&["account", "list"]).lines().count(), 2);
    place.does(&["account", "secure-only", "b", "on"]);
    // Somebody else has it, and listens.
    let at: SocketAddr = old.lines().next().expect("a line").parse().expect("an address");
    let thief = UdpSocket::bind(at).expect("its port is free");
    thief.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    assert_eq!(place.does(&["account", "list"]).lines().count(), 2);
    let mut buffer = [0; 16_384];
    let (n, _) = thief.recv_from(&mut buffer).expect("asked whether it is the server");
    let said = String::from_utf8_lossy(&buffer[..n]).into_owned();
    let secret = old.lines().nth(1).expect("a line");
    assert!(n < 200 && !said.contains("number") && !said.contains(secret), "{said}");
    // What changes something is not even said to it: the folder is free.
    thief.set_nonblocking(true).expect("set");
    while thief.recv_from(&mut buffer).is_ok() {}
    place.does_with(&["account", "reset", "b"], "new password\n");
    assert!(place.does(&["account", "delete", "a"]).is_empty());
    assert!(thief.recv_from(&mut buffer).is_err(), "nothing came");
    // The next server has another secret, and the old one opens nothing.
    place.begin();
    assert_ne!(std::fs::read_to_string(place.control()).expect("there"), old);
    assert_eq!(place.does(&["account", "list"]), "b\t0 unread\t-\tsecure-only\n");
}

#[test]
fn who_has_not_the_secret_gets_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let place = ServerChoice::running(dir.path());
    let class = csv(dir.path(), "class.csv", b"a,x\n");
    place.does(&["import", &class]);
    let text = std::fs::read_to_string(place.control()).expect("there");
    let (at, own) = Secret::read(&text).expect("ours");
    let hostile = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    hostile.connect(at).expect("loopback");
    hostile.set_read_timeout(Some(Duration::from_millis(500))).expect("set");
    let delete = br#"{"number":"01010101010101010101010101010101","want":"delete","account":"a"}"#;
    let other = Secret::new().expect("random");
    let mut spoilt = own.seal(Direction::Request, delete).expect("sealed");
    spoilt[40] ^= 1;
    let answer = own.seal(Direction::Answer, delete).expect("sealed");
    let sealed = other.seal(Direction::Request, delete).expect("sealed");
    let long = vec![0; 60_000];
    for bytes in [&b""[..], b"08#", b"01#a#x#x#", delete, &spoilt, &answer, &sealed, &sealed[..11], &long] {
        for _ in 0..300 {
            hostile.send(bytes).expect("sent");
        }
        assert!(hostile.recv(&mut [0; 64]).is_err(), "{} bytes have no answer", bytes.len());
    }
    // Who has it, but says what is no request, is left alone as well; and everything is as it was.
    hostile.send(&own.seal(Direction::Request, b"nonsense").expect("sealed")).expect("sent");
    assert!(hostile.recv(&mut [0; 64]).is_err());
    assert_eq!(place.does(&["account", "list"]), "a\t0 unread\t-\n");
    // Nothing of it stands in the log, which says all that is ever said.
    let log = std::fs::read_to_string(place.log()).expect("text");
    let secret = text.lines().nth(1).expect("a line");
    assert!(log.contains("imported 1 new") && !log.contains(secret), "{log}");
}

#[cfg(unix)]
#[test]
fn another_users_file_is_not_believed() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let dir = tempfile::tempdir().expect("a folder");
    let place = ServerChoice::running(dir.path());
    let control = place.control();
    let mode = |mode| std::fs::set_permissions(&control, std::fs::Permissions::from_mode(mode)).expect("set");
    assert_eq!(std::fs::metadata(&control).expect("there").permissions().mode() & 0o777, 0o600);
    let class = csv(dir.path(), "class.csv", b"a,x\n");
    place.does(&["import", &class]);
    let refused = |what: &str| {
        let said = place.say(&["account", "delete", "a"]);
        assert!(said.code == Some(1) && said.err.contains("DATA/control is not the server's"), "{what}: {said:?}");
        let said = place.say(&["account", "list"]);
        assert!(said.code == Some(0) && said.out.starts_with("a\t") && said.err.contains("without who is"), "{said:?}");
    };
    mode(0o644);
    refused("others can read it");
    mode(0o620);
    refused("others can write it");
    mode(0o600);
    if chown(&control, Some(65_534), None).is_ok() {
        refused("another user's");
        chown(&control, Some(0), None).expect("back");
    }
    place.does(&["account", "delete", "a"]);
    // Cut off, it is none: and no command guesses.
    std::fs::write(&control, "127.0.0.1:9\n").expect("written");
    let said = place.say(&["account", "delete", "a"]);
    assert!(said.code == Some(1) && said.err.contains("in use by another server"), "{said:?}");
    // If the running server does not answer, the list has no word on who is online, and says so.
    let said = place.say(&["account", "list"]);
    assert!(
        said.code == Some(0) && said.err.contains("does not answer") && said.err.contains("without who is"),
        "{said:?}"
    );
}

/// Whether a password was changed nobody can look up; the command can be repeated, and that is said.
#[test]
fn a_reset_that_is_not_answered_is_said_to_be_unsure() {
    let dir = tempfile::tempdir().expect("a folder");
    let place = ServerChoice::running(dir.path());
    let class = csv(dir.path(), "class.csv", b"a,x\n");
    place.does(&["import", &class]);
    for (ends, why) in [(false, "does not answer any more"), (true, "ended before it answered")] {
        // In the server's place: it greets, and that is all.
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a port");
        let secret = Secret::new().expect("random");
        std::fs::write(place.control(), secret.file(socket.local_addr().expect("bound"))).expect("written");
        let half = std::thread::spawn(move || {
            let mut buffer = [0; 16_384];
            loop {
                let (n, from) = socket.recv_from(&mut buffer).expect("asked");
                let text = secret.open(Direction::Request, &buffer[..n]).expect("sealed");
                let asked: NumberedRequest = serde_json::from_slice(&text).expect("a request");
                if asked.want != RequestKind::Hello {
                    return (!ends).then_some(socket);
                }
                let answer = NumberedAnswer { number: asked.number, answer: Answer::Done };
                let answer = serde_json::to_vec(&answer).expect("text");
                socket.send_to(&secret.seal(Direction::Answer, &answer).expect("sealed"), from).expect("sent");
            }
        });
        let said = place.tell(&["account", "reset", "a"], "y\n");
        assert!(said.code == Some(1) && said.err.contains(why), "{said:?}");
        assert!(said.err.contains("may have been changed or not, and the command can simply be repeated"), "{said:?}");
        drop(half.join().expect("no panic"));
    }
}

#[test]
fn each_folder_has_its_own_server() {
    let dir = tempfile::tempdir().expect("a folder");
    let places = ["one", "two"].map(|name| ServerChoice::running(&dir.path().join(name)));
    for (place, name) in places.iter().zip(["a", "b"]) {
        let class = csv(dir.path(), "class.csv", format!("{name},x\nboth,x\n").as_bytes());
        assert_eq!(place.does(&["import", &class]), "2 new accounts\n");
    }
    places[0].does(&["account", "delete", "both"]);
    let lists = places.each_ref().map(|place| place.does(&["account", "list"]));
    assert_eq!(lists, ["a\t0 unread\t-\n", "b\t0 unread\t-\nboth\t0 unread\t-\n"]);
    // A secret of one is worth nothing at the other.
    std::fs::copy(places[1].control(), places[0].control()).expect("copied");
    let (text, own) = (std::fs::read_to_string(places[1].control()), std::fs::read_to_string(places[0].control()));
    assert_eq!(text.expect("there"), own.expect("there"));
    assert_eq!(places[1].does(&["account", "list"]), lists[1]);
}

/// All of a long list at once, while people write to each other: nobody is kept waiting or told anything untrue.
#[test]
fn a_long_list_is_imported_while_people_chat() {
    const LINES: usize = 5_000;
    let dir = tempfile::tempdir().expect("a folder");
    let mut place = ServerChoice::running(dir.path());
    let class = csv(dir.path(), "class.csv", b"a,x\nb,x\n");
    place.does(&["import", &class]);
    let (a, b) = (Student::new(place.at), Student::new(place.at));
    assert_eq!((a.ask("02#a#x#"), b.ask("02#b#x#")), ("02:01".into(), "02:01".into()));
    let over = AtomicBool::new(false);
    let accounts = made_up((0..LINES).map(|n| format!("学号{n:05}")));
    let sent = std::thread::scope(|scope| {
        let chat = scope.spawn(|| {
            let mut sent = 0;
            while !over.load(Ordering::Acquire) || sent < 20 {
                sent += 1;
                assert_eq!(a.ask(&format!("03#b#{sent}#")), "03:01");
            }
            sent
        });
        let answers = [0, 1].map(|_| place.asking().import(&accounts));
        over.store(true, Ordering::Release);
        let answers = answers.map(|answer| answer.expect("answered"));
        assert_eq!(answers, [Answer::Imported { new: LINES, named: 0 }, Answer::Imported { new: 0, named: 0 }]);
        chat.join().expect("the chat went on")
    });
    for n in 1..=sent {
        assert!(b.ask("09#").ends_with(&format!(":{n}")), "{n}");
    }
    assert_eq!(b.ask("09#"), "09:01");
    assert_eq!(a.ask("03#学号04999#hello#"), "03:02", "they are there");
    let list = place.does(&["account", "list"]);
    assert_eq!(list.lines().count(), LINES + 2);
    // The reader closes the pipe before the end.
    let script = "set -o pipefail; \"$0\" --data \"$1\" account list | head -1";
    let mut shell = Command::new("bash");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_hongyand")]).arg(&place.data);
    let head = shell.output().expect("bash");
    assert!(head.status.success() && head.stderr.is_empty() && head.stdout.starts_with(b"a\t"), "{head:?}");
    place.kill();
    let on_disk = place.does(&["account", "list"]);
    let online = |line: &str| line.trim_end_matches("\tonline").to_owned();
    assert!(list.lines().map(online).eq(on_disk.lines().map(online)), "what was answered is on disk");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_stored_is_said_and_is_not_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut place = ServerChoice::new(dir.path());
    std::fs::create_dir(&place.data).expect("made");
    let disk = super::disk::Disk::watch(&place.data, false);
    let server = super::client::serve(super::client::anywhere(), &place.data);
    place.at = server.address();
    let class = csv(dir.path(), "class.csv", b"a,x\nb,x\n");
    place.does(&["import", &class]);
    let a = Student::new(place.at);
    assert_eq!(a.ask("02#a#x#"), "02:01");
    disk.fill(true);
    let more = csv(dir.path(), "more.csv", b"c,x\n");
    for args in [&["import", &more][..], &["account", "delete", "b"], &["account", "secure-only", "a", "on"]] {
        let said = place.say(args);
        assert!(said.code == Some(1) && said.err.starts_with("hongyand: the database failed: "), "{args:?}: {said:?}");
    }
    let said = place.tell(&["account", "reset", "b"], "y\n");
    assert!(said.code == Some(1) && said.err.starts_with("hongyand: the database failed: "), "{said:?}");
    let list = place.does(&["account", "list"]);
    assert!(list.starts_with("a\t") && list.ends_with("\nb\t0 unread\t-\n") && !list.contains("secure"), "{list}");
    assert_eq!((a.ask("08#"), a.ask("02#c#x#")), ("08:0".into(), "02:03".into()));
    assert_eq!(Student::new(place.at).ask("02#b#x#"), "02:01");
    disk.fill(false);
    for args in [&["import", &more][..], &["account", "delete", "b"], &["account", "secure-only", "a", "on"]] {
        assert_eq!(place.say(args).code, Some(0), "{args:?}");
    }
    assert_eq!(place.does(&["account", "list"]), "a\t0 unread\t-\tsecure-only\nc\t0 unread\t-\n");
    drop(server);
}

/// A server that is there and does nothing is neither bypassed nor taken for one that ended.
#[cfg(unix)]
#[test]
fn a_server_that_hangs_is_said_to() {
    let dir = tempfile::tempdir().expect("a folder");
    let place = ServerChoice::running(dir.path());
    let class = csv(dir.path(), "class.csv", b"a,x\n");
    place.does(&["import", &class]);
    let id = place.server.as_ref().map(|server| server.0.id().to_string()).expect("running");
    let signal = |name: &str| assert!(Command::new("kill").args([name, id.as_str()]).status().expect("kill").success());
    signal("-STOP");
    let delete = std::thread::scope(|scope| {
        let delete = scope.spawn(|| place.say(&["account", "delete", "a"]));
        let list = place.say(&["account", "list"]);
        assert!(
            list.code == Some(0) && list.out == "a\t0 unread\t-\n" && list.err.contains("without who is"),
            "{list:?}"
        );
        delete.join().expect("no panic")
    });
    assert_eq!((delete.code, delete.out.as_str()), (Some(1), ""));
    assert!(delete.err.contains("does not answer; nothing was changed"), "{delete:?}");
    signal("-CONT");
    assert_eq!(place.does(&["account", "list"]), "a\t0 unread\t-\n");
    place.does(&["account", "delete", "a"]);
}

/// The same with real passwords and the program: `cargo test --test integration long_class -- --ignored --nocapture`.
#[test]
#[ignore = "a minute of hashing"]
fn a_long_class_list_with_its_passwords() {
    let dir = tempfile::tempdir().expect("a folder");
    let place = ServerChoice::running(dir.path());
    let lines: String = (0..5_000).map(|n| format!("2017{n:04},secret{n}\n")).collect();
    let class = csv(dir.path(), "class.csv", lines.as_bytes());
    let begun = Instant::now();
    let over = AtomicBool::new(false);
    let slowest = std::thread::scope(|scope| {
        let chat = scope.spawn(|| {
            let (a, mut slowest) = (Student::new(place.at), Duration::ZERO);
            assert_eq!((a.ask("01#a#x#x#"), a.ask("02#a#x#")), ("01:01".into(), "02:01".into()));
            while !over.load(Ordering::Acquire) {
                let asked = Instant::now();
                assert_eq!(a.ask("03#a#hi#"), "03:01");
                slowest = slowest.max(asked.elapsed());
                assert!(a.ask("09#").ends_with(":hi"));
                std::thread::sleep(Duration::from_millis(5));
            }
            slowest
        });
        let said = place.say(&["import", &class]);
        over.store(true, Ordering::Release);
        assert_eq!(said, Said { out: "5000 new accounts\n".into(), err: String::new(), code: Some(0) });
        chat.join().expect("the chat went on")
    });
    println!("5,000 lines in {:?}; the slowest message meanwhile took {slowest:?}", begun.elapsed());
    assert_eq!(Student::new(place.at).ask("02#20174999#secret4999#"), "02:01");
}
