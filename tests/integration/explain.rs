//! `hongyand --explain`, the program itself: datagrams in, lines out.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::server::Student;

struct Explained {
    process: Child,
    address: SocketAddr,
    /// Lines that never come end the test rather than hold it up.
    _watch: crossbeam_channel::Sender<()>,
    _data: tempfile::TempDir,
}

impl Explained {
    fn start(options: &[&str]) -> (Self, ChildStdout) {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_hongyand")).env_remove("NO_COLOR"), options)
    }

    /// `program` starts the server with the arguments it is given.
    fn start_by(program: &mut Command, options: &[&str]) -> (Self, ChildStdout) {
        let data = tempfile::tempdir().expect("a folder");
        let address = UdpSocket::bind("127.0.0.1:0").and_then(|s| s.local_addr()).expect("a free port");
        let mut process = program
            .args(["--log-level", "off", "--listen", &address.to_string()])
            .args(options)
            .arg("--data")
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let output = process.stdout.take().expect("piped");
        let (_watch, over) = crossbeam_channel::bounded::<()>(0);
        let id = process.id().to_string();
        std::thread::spawn(move || {
            if over.recv_timeout(Duration::from_secs(60)).is_err_and(|e| e.is_timeout()) {
                let _ = Command::new("kill").args(["-KILL", &id]).status();
            }
        });
        let server = Self { process, address, _watch, _data: data };
        server.wait_until_it_listens();
        (server, output)
    }

    /// `06#` is answered by any program that listens.
    fn wait_until_it_listens(&self) {
        let student = Student::new(self.address);
        student.0.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            let _ = student.0.send(b"06#");
            if student.0.recv(&mut [0; 16]).is_ok() {
                return;
            }
        }
        panic!("{} does not listen", self.address);
    }

    #[cfg(unix)]
    fn end(mut self) -> std::process::ExitStatus {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        self.process.wait().expect("ended")
    }
}

impl Drop for Explained {
    fn drop(&mut self) {
        // Asked first: `script` ends its server too then, also where hanging up is ignored, as below nohup.
        let id = self.process.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().is_ok_and(|status| status.success());
        let end = Instant::now() + Duration::from_secs(5);
        while asked && Instant::now() < end && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(unix)]
#[test]
fn each_request_is_explained_and_its_answer_shown() {
    let (server, output) = Explained::start(&["--explain=json", "--lang", "en"]);
    let student = Student::new(server.address);
    let me = student.0.local_addr().expect("bound").to_string();
    // Request, answer, the rules that are named; an answer that never comes is not waited for.
    let script: &[(&[u8], Option<&str>, &[&str])] = &[
        (b"01#20170001#hunter2#hunter2#", Some("01:01"), &[]),
        (b"02#20170001#hunter2", Some("00:00"), &["not_closed"]),
        (b"02#20170001#hun#ter2#", Some("00:00"), &["surplus"]),
        (b"02 20170001 hunter2", Some("00:00"), &["operation_not_closed"]),
        (b"02#20170001#hunter2#\n", Some("02:01"), &["line_end"]),
        (b"03#20170001#\xc4\xe3\xba\xc3#", Some("03:01"), &["not_utf8"]),
        (b"09##", Some("09:"), &["closed_twice"]),
        (b"08", None, &["operation_not_closed"]),
        (b"08:1", None, &["looks_like_reply"]),
        (b"06#20170000000", Some("00:00"), &["surplus"]),
        (b"06#", Some("06:01"), &[]),
    ];
    for (request, answer, _) in script {
        match answer {
            Some(answer) => {
                let text = student.0.send(request).and_then(|_| {
                    let mut buffer = [0; 1024];
                    let n = student.0.recv(&mut buffer)?;
                    Ok(String::from_utf8_lossy(&buffer[..n]).into_owned())
                });
                let text = text.unwrap_or_else(|error| panic!("{}: {error}", request.escape_ascii()));
                assert!(text.starts_with(answer), "{}: {text}", request.escape_ascii());
            }
            None => drop(student.0.send(request).expect("sent")),
        }
    }
    assert!(server.end().success());
    let mut all = String::new();
    BufReader::new(output).read_to_string(&mut all).expect("text");
    assert!(!all.contains("hun") && !all.contains("ter2"), "no password: {all}");
    let values: Vec<Value> = all.lines().map(|l| serde_json::from_str(l).expect(l)).collect();
    let mine: Vec<&Value> = values.iter().filter(|v| v["peer"] == me.as_str()).collect();
    let requests: Vec<&&Value> = mine.iter().filter(|v| v["kind"] == "request").collect();
    assert_eq!(requests.len(), script.len(), "{all}");
    for ((request, answer, rules), shown) in script.iter().zip(requests) {
        let request = request.escape_ascii();
        let found: Vec<&str> =
            shown["findings"].as_array().into_iter().flatten().filter_map(|f| f["rule"].as_str()).collect();
        assert_eq!(found, *rules, "{request}: {shown}");
        let reply = mine.iter().find(|v| v["kind"] == "reply" && v["number"] == shown["number"]);
        let datagram = reply.and_then(|r| r["datagram"].as_str());
        match (answer, datagram) {
            (Some(expected), Some(datagram)) => assert!(datagram.starts_with(expected), "{request}: {datagram}"),
            (None, None) => assert_eq!(shown["answered"], false, "{request}"),
            _ => panic!("{request}: {datagram:?}"),
        }
        assert!(reply.is_none_or(|r| r["ms"].as_f64().is_some_and(|ms| (0.0..10_000.0).contains(&ms))), "{reply:?}");
    }
    let delivered = mine.iter().find(|v| v["datagram"].as_str().is_some_and(|d| d.starts_with("09:20170001:")));
    assert!(delivered.is_some_and(|v| v["datagram"].as_str().is_some_and(|d| d.ends_with(":你好"))), "{delivered:?}");
}

/// What stands on the first line that a wrong request causes.
fn first_line((server, output): (Explained, ChildStdout)) -> String {
    Student::new(server.address).0.send(b"99#x#").expect("sent");
    BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("✗"))
        .expect("the request is explained")
}

#[test]
fn lines_are_coloured_when_that_is_wanted() {
    let plain = first_line(Explained::start(&["--explain", "--lang", "en"]));
    assert!(plain.starts_with("  ✗ bytes 1–2: there is no operation 99;"), "a pipe is no terminal: {plain:?}");
    let coloured = first_line(Explained::start(&["--explain=lines", "--lang", "zh", "--color", "always"]));
    assert!(coloured.starts_with("  \x1b[31m✗ 第 1–2 字节：没有操作 99"), "{coloured:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_has_colours_unless_it_says_no() {
    for (variable, value, coloured) in [("TERM", "xterm", true), ("TERM", "dumb", false), ("NO_COLOR", "1", false)] {
        // `script` lends a terminal; the shell turns its own arguments into the program's.
        let mut program = Command::new("sh");
        program
            .args(["-c", r#"exec script -qec "$0 $*" /dev/null"#, env!("CARGO_BIN_EXE_hongyand"), "--explain"])
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .env(variable, value);
        let line = first_line(Explained::start_by(&mut program, &["--lang", "en"]));
        assert_eq!(line.contains("\x1b[31m"), coloured, "{variable}={value}: {line:?}");
    }
}

/// Nobody reads the lines, as when a terminal is held by Ctrl+S; everybody is served all the same.
#[test]
fn a_full_pipe_holds_nobody_up() {
    let (server, output) = Explained::start(&["--explain=json"]);
    // Of a class, each within what is shown of one address, and nothing twice.
    for n in 0..30 {
        let student = Student::new(server.address);
        for i in 0..100 {
            assert_eq!(student.ask(&format!("01#{n}-{i}#x#y#")), "01:02");
        }
    }
    // Some were shown, and the others were counted once somebody reads.
    let mut shown = 0;
    let mut dropped = 0;
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let value: Value = serde_json::from_str(&line).expect(&line);
        shown += u64::from(value["kind"] == "request" || value["kind"] == "reply");
        dropped += value["datagrams"].as_u64().unwrap_or(0);
        // What is asked again and again is not shown each time.
        shown += ["requests", "answered"].iter().filter_map(|key| value[*key].as_u64()).sum::<u64>();
        if shown + dropped >= 6_000 {
            break;
        }
    }
    assert!(dropped > 0, "{shown} were shown");
    println!("{shown} shown, {dropped} counted");
}
