//! What is kept, and what is said of it: when a message was written, what waits, what a damaged file has left, and
//! that nobody else can read it.

use std::fs;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::foreign::{Foreign, course};
use super::scripts::{check, find, lines, run};
use super::tmux::{Served, Terminal, until};

/// Zones without a summer time, 13 hours apart.
const EAST: &str = "Asia/Shanghai";
const WEST: &str = "America/Bogota";

fn job(served: &Served, who: &str, args: &[&str]) -> Command {
    let mut command = served.client(who);
    command.args(["--account", who]).args(args).env("HONGYAN_PASSWORD", "secret");
    command
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("soon enough")
}

#[test]
fn a_message_has_the_moment_at_which_it_was_written_in_the_zone_of_now() {
    let served = Served::new();
    for who in ["a", "b"] {
        check(&mut served.client(who), &format!("register {who}\nsecret\nsecret\n"), 0);
    }
    let before = now_ms();
    check(&mut job(&served, "a", &["send", "--to", "b", "early"]), "", 0);
    let after = now_ms();
    std::thread::sleep(Duration::from_millis(2_500));
    let got = lines(&check(job(&served, "b", &["recv", "--json"]).env("TZ", EAST), "", 0));
    let number = |row: &Value, name: &str| row[name].as_i64().unwrap_or_else(|| panic!("{name} in {row}"));
    let written = number(&got[0], "unix_ms");
    assert!((before - 1_000..=after).contains(&written), "{before} {got:?}");
    assert!(number(&got[0], "came_unix_ms") > after + 1_000, "{got:?}");
    assert!(got[0]["time"].as_str().is_some_and(|time| time.ends_with("+08:00")), "{got:?}");
    // Its owner has travelled: own messages and others' are of one zone.
    check(job(&served, "b", &["send", "--to", "a", "answer"]).env("TZ", EAST), "", 0);
    let read = |zone: &str| check(job(&served, "b", &["history", "a"]).env("TZ", zone), "", 0);
    let times = |text: &str| -> Vec<chrono::NaiveDateTime> {
        let time = |line: &str| line.get(..19).and_then(|t| chrono::NaiveDateTime::parse_from_str(t, "%F %T").ok());
        text.lines().map(|line| time(line).unwrap_or_else(|| panic!("{line}"))).collect()
    };
    let (east, west) = (times(&read(EAST)), times(&read(WEST)));
    assert_eq!(east.len(), 2);
    let apart: Vec<i64> = east.iter().zip(&west).map(|(e, w)| (*e - *w).num_hours()).collect();
    assert_eq!(apart, [13, 13]);
    let west = lines(&check(job(&served, "b", &["history", "a", "--json"]).env("TZ", WEST), "", 0));
    assert_eq!(number(&west[0], "unix_ms"), written);
    assert!(west.iter().all(|row| row["time"].as_str().is_some_and(|time| time.ends_with("-05:00"))), "{west:?}");
}

/// The drafts that are on disk in the only history of this name below a folder.
fn drafts(folder: &Path, history: &str) -> Vec<String> {
    let file = find(folder, history).expect("a history");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let read = || {
        let database = rusqlite::Connection::open_with_flags(&file, flags)?;
        let mut query = database.prepare("SELECT peer || ': ' || text FROM drafts ORDER BY peer")?;
        query.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    };
    read().unwrap_or_default()
}

/// Waits until these are on disk.
#[track_caller]
pub fn are_kept(folder: &Path, history: &str, wanted: &[&str]) {
    let look = |found: Vec<String>| if found == wanted { Ok(()) } else { Err(format!("{found:?}")) };
    until("what is typed on disk", || look(drafts(folder, history)));
}

/// Neither a question nor a search loses what is typed, and what is only looked at or was never a text takes its place
/// nowhere.
#[test]
fn what_is_typed_is_kept_whatever_is_done_meanwhile() {
    for (lang, options) in [("en", &[][..]), ("zh", &["--plain", "--allow-plain"][..])] {
        let served = Served::new();
        let bob = served.by_hand("bob");
        let folder = served.dir.path().join("a/profiles/default");
        let kept = |wanted: &[&str]| are_kept(&folder, "a.sqlite", wanted);
        // Twice the time after which a draft is kept.
        let later = || std::thread::sleep(Duration::from_millis(1_400));
        let a = Terminal::open_in(lang, &served, "a", options);
        a.register_in(lang, "a");
        a.line("add bob");
        a.line("chat bob");
        a.foot_is("a → bob>");
        // The beginning of a message to somebody else was no draft.
        a.write("s");
        kept(&["bob: s"]);
        a.write("/bob/said");
        later();
        a.keys(&["Enter"]);
        a.foot_is("a → bob ✓>");
        kept(&[]);
        assert!(served.ask_from(&bob, "09#").is_some_and(|reply| reply.ends_with(":said")));
        // Neither is an earlier line that is looked at or looked for.
        a.write("half a ");
        a.keys(&["Up"]);
        kept(&["bob: half a "]);
        a.keys(&["Down"]);
        a.write("thought");
        a.keys(&["C-r"]);
        a.write("chat");
        a.foot_is("a → bob ✓> chat bob");
        kept(&["bob: half a thought"]);
        a.keys(&["Escape"]);
        a.foot_is("a → bob ✓> half a thought");
        // One that is done does not take away what is typed either.
        a.keys(&["Up", "Up", "Enter"]);
        a.foot_is("a → bob ✓> half a thought");
        later();
        kept(&["bob: half a thought"]);
    }
}

/// Neither what was deleted with all messages nor what is typed while an earlier line waits is another thing than it
/// was.
#[test]
fn what_is_typed_goes_with_all_messages_and_stays_while_an_earlier_line_waits() {
    for lang in ["en", "zh"] {
        let (closed, gate) = channel::<()>();
        let mut logins = 0;
        let server = Foreign::new(move |request| {
            if request.starts_with("02#") {
                logins += 1;
                // The second one is looked at for a while.
                if logins == 2 {
                    let _ = gate.recv_timeout(Duration::from_secs(30));
                }
            }
            course(request)
        });
        let a = server.terminal(lang);
        a.foot_is(if lang == "en" { "Password of me:" } else { "me 的密码:" });
        a.line("secret");
        a.foot_is("me>");
        a.line("add bob");
        a.line("chat bob");
        a.foot_is("me → bob>");
        a.line("/leave");
        a.foot_is("me>");
        a.line("chat bob");
        a.write("half a thought");
        are_kept(server.folder(), "me.sqlite", &["bob: half a thought"]);
        a.keys(&["Up", "Up", "Enter"]);
        a.foot_is("me>");
        a.line(if lang == "en" { "remove bob messages" } else { "remove bob 记录" });
        are_kept(server.folder(), "me.sqlite", &[]);
        a.line("chat bob");
        a.foot_is("me → bob>");

        a.line("/friends");
        a.line("/offline");
        a.shows(if lang == "en" { "Offline" } else { "离线" });
        a.line("/takeover");
        a.write("half another");
        a.keys(&["Up", "Up", "Up", "Enter"]);
        std::thread::sleep(Duration::from_millis(1_000));
        drop(closed);
        a.foot_is("me → bob> half another");
    }
}

/// What is typed in the last moment before a login ends is kept, too.
#[test]
fn what_is_typed_while_one_logs_out_is_kept() {
    let server = Foreign::new(|request| if request.starts_with("06") { Vec::new() } else { course(request) });
    let a = server.terminal("en");
    a.shows("Password of me:");
    a.line("secret");
    a.foot_is("me>");
    a.line("chat bob");
    a.foot_is("me → bob>");
    // All at once: the server is waited for a second.
    a.write("/logout\rthe last words");
    a.shows("Logged out.");
    are_kept(server.folder(), "me.sqlite", &["bob: the last words"]);
}

/// What is typed to somebody and not sent outlives any end of the program, and is there in their chat alone; in both
/// dialects and languages.
#[test]
fn what_is_typed_in_a_terminal_is_there_again() {
    for (lang, options) in [("en", &[][..]), ("zh", &["--plain", "--allow-plain"][..])] {
        let served = Served::new();
        let _others = ["bob", "carol"].map(|who| served.by_hand(who));
        let folder = served.dir.path().join("a/profiles/default");
        let kept = |wanted: &[&str]| are_kept(&folder, "a.sqlite", wanted);
        let a = Terminal::open_in(lang, &served, "a", options);
        a.register_in(lang, "a");
        a.line("chat bob");
        a.foot_is("a → bob>");
        a.write("half a thought");
        kept(&["bob: half a thought"]);
        // Neither a command nor another chat takes it away, and what was begun for bob goes to nobody else.
        a.keys(&["C-a", "C-k"]);
        kept(&[]);
        a.write("//half of another");
        kept(&["bob: /half of another"]);
        let pid = a.client_pid().to_string();
        assert!(Command::new("kill").args(["-9", &pid]).status().is_ok_and(|killed| killed.success()));
        drop(a);
        let log_in = || {
            let a = Terminal::open_in(lang, &served, "a", options);
            a.line("login a");
            a.line("secret");
            a.foot_is("a>");
            a
        };
        let a = log_in();
        a.line("chat carol");
        a.foot_is("a → carol>");
        a.line("/chat bob");
        a.foot_is("a → bob> //half of another");
        a.keys(&["Enter"]);
        a.shows("/half of another");
        kept(&[]);
        a.write("until told to end");
        // At once: nothing waits for the draft's time.
        let pid = a.client_pid().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|told| told.success()));
        kept(&["bob: until told to end"]);
    }
}

#[test]
fn a_plain_servers_zone_is_learned_and_never_guessed() {
    let served = Served::in_zone("Asia/Tokyo");
    drop(served.by_hand("b"));
    served.ask("06#");
    let a = served.by_hand("a");
    let told = now_ms();
    served.tell(&a, "b", "it waited");
    let plain = |args: &[&str]| {
        let mut command = job(&served, "b", &["--profile", "plain", "--plain", "--allow-plain"]);
        command.args(args).env("TZ", WEST);
        command
    };
    // Nobody knows yet where its clock stands: what it says is shown, and nothing else.
    let got = lines(&check(&mut plain(&["recv", "--json", "--take-over"]), "", 0));
    assert!(got[0]["unix_ms"].is_null(), "{got:?}");
    let face = got[0]["time"].as_str().and_then(|t| chrono::NaiveDateTime::parse_from_str(t, "%F %T").ok());
    let tokyo = face.map(|face| face.and_utc().timestamp_millis() - 9 * 3_600_000).expect("as the protocol has it");
    assert!((told - 2_000..told + 10_000).contains(&tokyo), "{got:?} {told}");
    let said = check(&mut plain(&["history", "a"]), "", 0);
    assert!(said.contains(got[0]["time"].as_str().expect("a time")) && said.contains("(server's clock)"), "{said}");
    // A message that has just come, after nothing waited, tells; then the earlier one has its moment too.
    let mut follow = plain(&["recv", "--json", "--follow"]);
    let mut here = follow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut out = BufReader::new(here.stdout.take().expect("piped"));
    let end = Instant::now() + Duration::from_secs(40);
    let moment = loop {
        assert!(Instant::now() < end, "it was not learned");
        std::thread::sleep(Duration::from_secs(3));
        let told = now_ms();
        served.tell(&a, "b", "just now");
        let mut line = String::new();
        out.read_line(&mut line).expect("a message");
        let row: Value = serde_json::from_str(&line).expect("JSON");
        if let Some(moment) = row["unix_ms"].as_i64() {
            break moment - told;
        }
    };
    assert!((-2_000..10_000).contains(&moment), "{moment}");
    let _ = here.kill();
    let _ = here.wait();
    let all = lines(&check(&mut plain(&["history", "a", "--json"]), "", 0));
    assert_eq!(all[0]["unix_ms"].as_i64(), Some(tokyo), "{all:?}");
    assert!(all.iter().all(|row| row["time"].as_str().is_some_and(|time| time.ends_with("-05:00"))), "{all:?}");
}

#[test]
fn a_message_is_on_disk_before_the_login_and_stays_only_where_the_code_says_so() {
    let mut served = Served::new();
    for who in ["a", "b"] {
        check(&mut served.client(who), &format!("register {who}\nsecret\nsecret\n"), 0);
    }
    let at = served.at.to_string();
    let send = |folder: &Path, text: &str, timeout: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan-term"));
        command.args(["--server", &at, "--lang", "en", "--account", "a", "--data"]).arg(folder.join("a"));
        command.args(["send", "--timeout", timeout, "--to", "b", text]).env("HONGYAN_PASSWORD", "secret");
        command
    };
    let folder = served.dir.path().to_owned();
    let kept = |state: &str| {
        let mut history = Command::new(env!("CARGO_BIN_EXE_hongyan-term"));
        history.args(["--server", &at, "--account", "a", "--data"]).arg(folder.join("a"));
        let all = lines(&String::from_utf8_lossy(&run(history.args(["history", "b", "--json"]), "").stdout));
        let texts = all.iter().filter(|row| row["state"] == state).filter_map(|row| row["text"].as_str());
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    // A server that is there and answers no login.
    served.restart_after(&[], |_| {
        let silent = std::net::UdpSocket::bind(&*at).expect("its port");
        let output = run(&mut send(&folder, "one", "2"), "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(4) && said.contains("stays in the outbox"), "{said}");
        assert_eq!(kept("waiting"), ["one"]);
        drop(silent);
    });
    check(&mut send(&folder, "two", "30"), "", 0);
    // A refused message is not kept, so that a second try does not store it twice.
    check(send(&folder, "refused", "30").env("HONGYAN_PASSWORD", "wrong"), "", 3);
    check(send(&folder, "no password", "30").env_remove("HONGYAN_PASSWORD"), "", 2);
    let mut nowhere = send(&folder, "nowhere", "5");
    check(nowhere.args(["--server", "no.such.name.invalid:9"]), "", 1);
    assert_eq!(kept("waiting"), [""; 0]);
    check(&mut send(&folder, "three", "30"), "", 0);
    let got = lines(&check(&mut job(&served, "b", &["recv", "--json"]), "", 0));
    let texts: Vec<&str> = got.iter().filter_map(|row| row["text"].as_str()).collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

/// Fills a history with some thousand messages and overwrites twenty of its pages.
fn damage(path: &Path) {
    let database = rusqlite::Connection::open(path).expect("there");
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO messages (peer, outgoing, text, raw, unix_ms, state, seen)
         SELECT 'b', 1, 'message ' || i || hex(zeroblob(60)), '', i * 60000, 2, 1 FROM n;
         INSERT OR REPLACE INTO peers VALUES ('b', 3000, 0, 0);
         PRAGMA wal_checkpoint(TRUNCATE);";
    database.execute_batch(fill).expect("filled");
    drop(database);
    let mut file = fs::File::options().write(true).open(path).expect("there");
    file.seek(SeekFrom::Start(40 * 4096)).expect("within");
    let noise: Vec<u8> = (0_u32..20 * 4096).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    file.write_all(&noise).expect("written");
}

#[test]
fn a_damaged_history_is_said_and_rescued() {
    let served = Served::new();
    served.ask("01#b#secret#secret#");
    check(&mut served.client("a"), "register a\nsecret\nsecret\nadd b 七号\n", 0);
    damage(&find(&served.dir.path().join("a"), "a.sqlite").expect("a history"));
    for (language, words) in [("en", "damaged"), ("zh", "损坏")] {
        let mut command = served.client_in(language, "a");
        let output = run(command.args(["--account", "a", "history", "b", "--count", "3000"]), "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(words) && said.contains("rescue"), "{said}");
    }
    // In a session every other command goes on.
    let said = check(&mut served.client("a"), "login a\nsecret\nhistory b 3000\nstatus\ns/b/still here\nquit\n", 0);
    for wanted in ["The history (a.sqlite) is damaged", "cannot be read: the file is damaged", "a · Connected"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    let output = run(&mut job(&served, "a", &["rescue"]), "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(0) && said.contains("a.damaged.sqlite"), "{said}");
    let all = lines(&check(&mut job(&served, "a", &["history", "b", "--count", "9999", "--json"]), "", 0));
    assert!((2_000..3_000).contains(&all.len()), "{}", all.len());
    let friends = lines(&check(&mut job(&served, "a", &["friends", "--json"]), "", 0));
    assert_eq!(friends[0]["remark"], "七号");
    assert!(find(&served.dir.path().join("a"), "a.damaged.sqlite").is_some());
}

#[test]
fn nobody_else_can_read_what_is_kept_whatever_the_umask() {
    let served = Served::new();
    served.ask("01#b#secret#secret#");
    let client = served.client("a");
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$@\"", "sh"]).arg(client.get_program()).args(client.get_args());
    check(&mut shell, "register a\nsecret\nsecret\nadd b\nlang zh\nstay\nquit\n", 0);
    let mut open = Vec::new();
    let mut left = vec![served.dir.path().join("a")];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        let about = fs::metadata(&path).expect("there");
        if about.permissions().mode() & 0o077 != 0 {
            open.push((path.clone(), format!("{:o}", about.permissions().mode())));
        }
        seen += 1;
        if about.is_dir() {
            left.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("readable").path()));
        }
    }
    assert_eq!(open, [] as [(PathBuf, String); 0]);
    assert!(seen > 8, "settings, logs, keys, port, lock, history and folders: {seen}");
}
