//! `hongyand` as a program: where it is told to listen, how it ends, and what it says of files that are not as they
//! were.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::client::securely;
use super::process::{Process, free_port};
use super::server::Student;

fn hongyand(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hongyand"));
    command.args(["--log-level", "warn", "--data"]).arg(data).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Begins to serve, and answers.
pub(super) fn begin(listen: SocketAddr, data: &Path, args: &[&str]) -> Process {
    let mut command = hongyand(data, args);
    let process = Process(command.args(["--listen", &listen.to_string()]).spawn().expect("it runs"));
    let (student, end) = (Student::new(listen), Instant::now() + Duration::from_secs(20));
    while student.try_ask("08#").is_none() {
        assert!(Instant::now() < end, "it answers");
    }
    process
}

/// It does not start, and says why.
#[track_caller]
fn refuses(data: &Path, args: &[&str]) -> String {
    let Output { status, stderr, .. } = Command::new("timeout")
        .arg("20")
        .arg(env!("CARGO_BIN_EXE_hongyand"))
        .arg("--data")
        .arg(data)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&stderr).into_owned();
    assert!(!status.success() && status.code() != Some(124), "{args:?} {status}: {said}");
    said
}

#[test]
#[cfg(unix)]
fn each_signal_that_ends_it_ends_it_cleanly() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let dir = tempfile::tempdir().expect("a folder");
        let listen = free_port();
        let mut server = begin(listen, dir.path(), &[]);
        let mut a = securely(listen, &dir.path().join("a")).come_in("a", true);
        let id = server.0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
        let status = server.0.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{signal}: {status}");
        a.until("told at once", |e| {
            matches!(
                e,
                hongyan::client::Event::ConnectionState(
                    hongyan::client::session::ConnectionState::Retrying { .. }
                        | hongyan::client::session::ConnectionState::Waiting
                )
            )
        });
        assert!(dir.path().join("hongyand.sqlite").exists());
        assert!(!dir.path().join("hongyand.sqlite-wal").exists(), "{signal}: the database is closed");
    }
}

#[test]
fn where_it_listens_is_taken_or_the_right_form_is_said() {
    let dir = tempfile::tempdir().expect("a folder");
    for (listen, says) in [
        (":21568", "127.0.0.1:21568"),
        ("21568", "0.0.0.0:21568"),
        ("0.0.0.0", "0.0.0.0:21568"),
        ("::1", "[::1]:21568"),
        ("[fe80::1%eth0]", "[fe80::1%eth0]:21568"),
        ("[fe80::1]:21568", "[fe80::1%eth0]:21568"),
        ("[fe80::1%nonet7]:21568", "nonet7"),
        ("localhost:30420", "127.0.0.1:30420"),
        ("no such name:30420", "0.0.0.0:30420"),
        ("127.0.0.1:99999", "0.0.0.0:21568"),
        ("", "[::]:21568"),
    ] {
        let said = refuses(dir.path(), &["--listen", listen]);
        assert!(said.contains(says), "{listen}: {said}");
    }
    assert!(!dir.path().join("hongyand.sqlite").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn it_listens_at_a_link_local_address() {
    if !super::namespace::alone("daemon::it_listens_at_a_link_local_address") {
        return;
    }
    let machine = super::namespace::Machine::joined();
    super::namespace::shell("ip addr add fe80::9/64 dev here nodad");
    machine.shell("ip addr add fe80::1/64 dev there nodad");
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = machine.command(env!("CARGO_BIN_EXE_hongyand"));
    let server = command.args(["--log-level", "warn", "--listen", "[fe80::1%there]:30421", "--data"]).arg(dir.path());
    let mut server = Process(server.spawn().expect("it runs"));
    let index = std::fs::read_to_string("/sys/class/net/here/ifindex").unwrap_or_default();
    let at: SocketAddr = match index.trim() {
        // The mounted /sys is the other namespace's.
        "" => "[fe80::1%2]:30421".parse().expect("valid"),
        index => format!("[fe80::1%{index}]:30421").parse().expect("valid"),
    };
    let socket = UdpSocket::bind("[::]:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_millis(300))).expect("set");
    let mut buffer = [0; 64];
    let answer = (0..60).find_map(|_| {
        socket.send_to(b"08#", at).ok()?;
        socket.recv_from(&mut buffer).ok()
    });
    let Some((n, from)) = answer else { panic!("no answer") };
    assert_eq!((&buffer[..n], from.ip()), (&b"07:01"[..], at.ip()));
    // It wakes itself to end, also there.
    assert!(Command::new("kill").arg(server.0.id().to_string()).status().expect("kill").success());
    assert_eq!(server.0.wait().expect("it ends").code(), Some(0));
}

#[test]
fn files_that_are_gone_are_not_made_anew_without_a_word() {
    let dir = tempfile::tempdir().expect("a folder");
    let (data, listen) = (dir.path().join("server"), free_port());
    let at = listen.to_string();
    let server = begin(listen, &data, &[]);
    let _a = securely(listen, &dir.path().join("a")).come_in("a", true);
    drop(server);
    let (database, identity) = (data.join("hongyand.sqlite"), data.join("identity"));
    let copy = dir.path().join("copy.sqlite");
    let backup = hongyand(&data, &["backup"]).arg(&copy).output().expect("it runs");
    assert!(backup.status.success(), "{backup:?}");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", database.display()));
    }
    let list = dir.path().join("class.csv");
    std::fs::write(&list, "b,secret\n").expect("written");
    let list = list.display().to_string();
    for (empty, what) in [(false, "is missing"), (true, "is empty")] {
        if empty {
            std::fs::write(&database, "").expect("written");
        }
        for args in [&["--listen", &at][..], &["import", &list]] {
            let said = refuses(&data, args);
            let names = said.contains("identity") && said.contains("hongyand.sqlite");
            assert!(said.contains(what) && said.contains("backup") && names, "{args:?}: {said}");
        }
        assert_eq!(std::fs::metadata(&database).map_or(0, |file| file.len()), 0);
    }
    // The other way round, a new key would be an alarm for everybody.
    std::fs::copy(&copy, &database).expect("put back");
    let keys = std::fs::read(&identity).expect("there");
    std::fs::remove_file(&identity).expect("removed");
    let said = refuses(&data, &["--listen", &at]);
    assert!(said.contains("identity") && said.contains("--new-key") && !identity.exists(), "{said}");
    std::fs::write(&identity, "").expect("written");
    let said = refuses(&data, &["--listen", &at]);
    assert!(said.contains("identity") && said.contains("backup"), "{said}");
    std::fs::write(&identity, keys).expect("put back");
    drop(begin(listen, &data, &[]));
    // Knowingly it is done.
    std::fs::remove_file(&identity).expect("removed");
    drop(begin(listen, &data, &["--new-key"]));
    drop(begin(listen, &data, &[]));
    // Nobody has met a plain server, nor one whose accounts were imported before it began.
    let plain = dir.path().join("plain");
    let import = hongyand(&plain, &["import", &list]).output().expect("it runs");
    assert!(import.status.success(), "{import:?}");
    drop(begin(listen, &plain, &["--plain-only"]));
    drop(begin(listen, &plain, &[]));
}
