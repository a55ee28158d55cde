//! A plain client as students write them: blocking calls on one socket, a buffer of 1,024 bytes, a
//! newline after every message, `09##`, an unclosed `06#`, and in older classes GBK.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use hongyan::base::model::SendState;
use hongyan::client::Event;
use hongyan::client::net::clock;
use hongyan::protocol::wire::Charset;
use hongyan::server::udp::{Config, Server};

use crate::client::{Person, account};

/// The student's program.
pub struct Student {
    socket: UdpSocket,
    charset: Charset,
}

impl Student {
    pub fn new(server: SocketAddr, charset: Charset) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(server).expect("loopback");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        Self { socket, charset }
    }

    /// `sendto`, then `recvfrom` with the usual buffer; the answer as the student's terminal shows it.
    #[track_caller]
    pub fn ask(&self, request: &str) -> String {
        self.socket.send(&self.charset.encode(request)).expect("sent");
        let mut buffer = [0; 1024];
        let n = self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{request}: {error}"));
        match self.charset {
            Charset::Utf8 => String::from_utf8(buffer[..n].to_vec()).expect("UTF-8, as this student reads it"),
            gbk => gbk.decode(&buffer[..n]).0,
        }
    }

    #[track_caller]
    pub fn begin(server: SocketAddr, charset: Charset, name: &str) -> Self {
        let student = Self::new(server, charset);
        assert_eq!(student.ask(&format!("01#{name}#x#x#")), "01:01");
        assert_eq!(student.ask(&format!("02#{name}#x#")), "02:01");
        student
    }

    /// What `fgets` read, its newline included.
    #[track_caller]
    pub fn says(&self, to: &str, text: &str) -> String {
        self.ask(&format!("03#{to}#{text}\n#"))
    }

    /// One round of the poll loop: the texts, with their senders.
    #[track_caller]
    pub fn polls(&self) -> Vec<(String, String)> {
        let mut got = Vec::new();
        let count = self.ask("08#");
        assert!(count.starts_with("08:"), "{count}");
        if count == "08:0" {
            return got;
        }
        loop {
            let taken = self.ask("09##");
            // As `strtok` and `sscanf` do it: five colons, then the text.
            let mut parts = taken.splitn(6, ':');
            let (operation, from) = (parts.next(), parts.next().expect("a sender or a code"));
            assert_eq!(operation, Some("09"), "{taken}");
            if from == "01" && parts.next().is_none() {
                return got;
            }
            got.push((from.to_owned(), taken.splitn(6, ':').last().expect("a text").to_owned()));
        }
    }
}

#[test]
fn students_chat_with_us_through_our_server() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(Config::new("127.0.0.1:0".parse().expect("valid"), dir.path().join("server")));
    let server = server.expect("started");
    let at = server.address();
    let mut us = Person::begin(at, &dir.path().join("us"), "20170000", true);
    for (charset, name) in [(Charset::Utf8, "20170001"), (Charset::Gb18030, "20170002")] {
        let student = Student::begin(at, charset, name);
        // 谢谢 in GBK happens to be valid UTF-8, so it comes after something that is not.
        for text in ["你好", "谢谢", "12:30 见", "a:b:c", "编号#7", ":)", "07:01"] {
            assert_eq!(student.says("20170000", text), "03:01", "{name}: {text}");
            us.client.fetch_now(clock::now());
            us.gets(name, &format!("{text}\n"));
        }
        for text in ["收到：谢谢", "1:2:3:4:5:6", "二#三", "line\nbreak", &"长".repeat(312)] {
            assert!(us.client.send_message(clock::now(), &account(name), text));
            us.until(text, |e| matches!(e, Event::Outgoing { state: SendState::Sent, .. }));
            assert_eq!(student.polls(), [("20170000".to_owned(), text.to_owned())]);
        }
        assert_eq!(student.polls(), []);
        // Unclosed, so the student stays logged in, and is told so.
        assert_eq!(student.ask(&format!("06#{name}")), "00:00");
        assert_eq!(student.ask("08##"), "08:0");
        assert_eq!(student.ask("04#20170000#"), "04:0");
        assert_eq!(student.ask("06#"), "06:01");
        assert_eq!(student.ask("08#"), "07:01");
        assert!(us.client.send_message(clock::now(), &account(name), "离线"));
        us.until("offline", |e| matches!(e, Event::Outgoing { state: SendState::OfflineOrUnknown, .. }));
        assert_eq!(student.ask(&format!("02#{name}#x#")), "02:01");
        // The server forgot the address, and with it what this student can read.
        assert_eq!(student.says("20170000", "我回来了"), "03:01");
        assert_eq!(student.polls(), [("20170000".to_owned(), "离线".to_owned())]);
    }
}

/// Many students' clients never send `06#`, and take `02:04` for "logged in": each run of theirs works at once, and the
/// address that the session moved away from is told so.
#[test]
fn a_student_who_never_says_goodbye_is_in_again_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(Config::new("127.0.0.1:0".parse().expect("valid"), dir.path().join("server")));
    let at = server.as_ref().expect("started").address();
    let friend = Student::begin(at, Charset::Utf8, "20170002");
    let mut before = Student::begin(at, Charset::Utf8, "20170001");
    for run in 0..3 {
        let now = Student::new(at, Charset::Utf8);
        assert_eq!(now.ask("02#20170001#x#"), "02:04", "run {run}");
        assert_eq!(friend.says("20170001", "在吗"), "03:01");
        assert_eq!(now.polls(), [("20170002".to_owned(), "在吗\n".to_owned())]);
        assert_eq!(now.says("20170002", "在"), "03:01");
        assert_eq!(before.ask("08#"), "07:01");
        before = now;
    }
}

/// The lobby is a chat room for anybody's program.
#[test]
fn students_speak_in_the_lobby() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(Config::new("127.0.0.1:0".parse().expect("valid"), dir.path().join("server")));
    let server = server.expect("started");
    let mut us = Person::begin(server.address(), &dir.path().join("us"), "us", true);
    let gbk = Student::begin(server.address(), Charset::Gb18030, "20170002");
    assert_eq!(gbk.says("@lobby", "大家好"), "03:01");
    us.until(
        "the lobby",
        |e| matches!(e, Event::Message { peer, row } if peer.is_room() && row.text == "[20170002] 大家好\n"),
    );
    assert!(us.client.send_message(clock::now(), &hongyan::base::model::Account::lobby(), "你好"));
    us.until("said", |e| matches!(e, Event::Outgoing { state: SendState::Sent, .. }));
    assert_eq!(gbk.polls(), [("@lobby".to_owned(), "[us] 你好".to_owned())]);
}
