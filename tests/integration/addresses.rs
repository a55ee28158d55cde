//! Machines with several addresses: a server answers from the one that was asked.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::namespace::{Machine, alone, shell};
use super::process::Process;

const SERVER: &str = env!("CARGO_BIN_EXE_hongyand");
const TERM: &str = env!("CARGO_BIN_EXE_hongyan-term");

/// A plain client that hears this address alone, as a connected socket does, and every firewall.
struct Asker(UdpSocket);

impl Asker {
    fn new(server: SocketAddr) -> Self {
        let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).expect("a socket");
        socket.connect(server).expect("a way there");
        socket.set_read_timeout(Some(Duration::from_millis(500))).expect("set");
        Self(socket)
    }

    fn ask(&self, request: &str) -> Option<String> {
        let mut buffer = [0; 2_048];
        (0..6).find_map(|_| {
            self.0.send(request.as_bytes()).ok()?;
            let n = self.0.recv(&mut buffer).ok()?;
            Some(String::from_utf8_lossy(&buffer[..n]).into_owned())
        })
    }
}

fn serve(machine: &Machine, listen: &str, data: &Path) -> Process {
    let mut command = machine.command(SERVER);
    command.args(["--log-level", "warn", "--listen", listen, "--data"]).arg(data).stdin(Stdio::null());
    Process(command.spawn().expect("it runs"))
}

fn until_it_answers(at: &str) {
    let (asker, end) = (Asker::new(at.parse().expect("valid")), Instant::now() + Duration::from_secs(30));
    while asker.ask("08#").is_none() {
        assert!(Instant::now() < end, "{at} answers");
    }
}

/// The terminal client with a new folder and an empty settings file: what it says, and its code.
fn term(data: &Path, server: &str, args: &[&str], input: &str) -> (Option<i32>, String) {
    let mut command = Command::new("timeout");
    command.args(["60", TERM, "--lang", "en", "--server", server, "--data"]).arg(data).args(args);
    command.env("HOME", data);
    if input.is_empty() {
        command.env("HONGYAN_PASSWORD", "secret");
    }
    let file = data.join("input");
    std::fs::create_dir_all(data).and_then(|()| std::fs::write(&file, input)).expect("written");
    let output = command.stdin(std::fs::File::open(file).expect("there")).output().expect("it runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), said)
}

#[test]
fn a_server_answers_from_the_address_that_was_asked() {
    if !alone("addresses::a_server_answers_from_the_address_that_was_asked") {
        return;
    }
    let machine = Machine::joined();
    shell("ip addr add 10.77.0.9/24 dev here; ip addr add fd77::9/64 dev here nodad");
    machine.shell("ip addr add 10.77.0.1/24 dev there; ip addr add 10.77.0.2/24 dev there");
    machine.shell("ip addr add fd77::1/64 dev there nodad; ip addr add fd77::2/64 dev there nodad");
    let dir = tempfile::tempdir().expect("a folder");
    let all = ["10.77.0.1:30400", "10.77.0.2:30400", "[fd77::1]:30400", "[fd77::2]:30400"];
    // IPv6's socket serves IPv4 too.
    for (listen, asked) in [("0.0.0.0:30400", &all[..2]), ("[::]:30400", &all[..])] {
        let data = dir.path().join(if listen.starts_with('[') { "6" } else { "4" });
        let _server = serve(&machine, listen, &data);
        until_it_answers(asked[0]);
        for (n, at) in asked.iter().enumerate() {
            let asker = Asker::new(at.parse().expect("valid"));
            assert_eq!(asker.ask("08#").as_deref(), Some("07:01"), "{listen} {at}");
            // A password is hashed, and an account stored, before this is answered.
            let answer = asker.ask(&format!("01#p{n}#secret#secret#"));
            assert!(matches!(answer.as_deref(), Some("01:01" | "01:03")), "{listen} {at}: {answer:?}");
            let folder = data.join(format!("client{n}"));
            let said = term(&folder, at, &[], &format!("register s{n}\nsecret\nsecret\nquit\n"));
            assert!(said.0 == Some(0) && said.1.contains("Logged in"), "{listen} {at}: {said:?}");
            let account = format!("s{n}");
            let said = term(&folder, at, &["--account", &account, "send", "--to", &account, "to myself"], "");
            assert_eq!(said.0, Some(0), "{listen} {at}: {said:?}");
            let said = term(&folder, at, &["why", at], "");
            assert_eq!(said.0, Some(0), "{listen} {at}: {said:?}");
        }
    }
}

/// A name with several addresses, and a server at one of them only: pipes, jobs and probes find it, in both dialects.
/// Under its name it stays the same server, wherever that leads.
#[test]
fn a_name_leads_to_the_address_that_answers() {
    if !alone("addresses::a_name_leads_to_the_address_that_answers") {
        return;
    }
    let machine = Machine::joined();
    shell("ip addr add 10.77.0.9/24 dev here; ip addr add fd77::9/64 dev here nodad");
    machine.shell("ip addr add 10.77.0.1/24 dev there; ip addr add fd77::1/64 dev there nodad");
    let dir = tempfile::tempdir().expect("a folder");
    let hosts = dir.path().join("hosts");
    let name = |addresses: &[&str]| {
        let lines: String = addresses.iter().map(|at| format!("{at} twin\n")).collect();
        std::fs::write(&hosts, format!("127.0.0.1 localhost\n{lines}")).expect("written");
    };
    name(&[]);
    shell(&format!("mount --make-rprivate /; mount --bind {} /etc/hosts", hosts.display()));
    let data = dir.path().join("server");
    for (n, (listen, hosts)) in [
        ("10.77.0.1:30410", &["fd77::1", "10.77.0.1"][..]),
        // Nobody answers at an address of nobody's, and no machine says so.
        ("[fd77::1]:30410", &["10.77.0.1", "10.77.0.8", "fd77::1"]),
    ]
    .into_iter()
    .enumerate()
    {
        name(hosts);
        let server = serve(&machine, listen, &data);
        until_it_answers(listen);
        for (dialect, options) in [("secure", &[][..]), ("plain", &["--plain", "--allow-plain"])] {
            let (folder, account) = (dir.path().join(dialect), format!("{dialect}{n}"));
            let with = |more: &[&str], input: &str| {
                let args: Vec<&str> = options.iter().chain(more).copied().collect();
                term(&folder, "twin:30410", &args, input)
            };
            let said = with(&[], &format!("register {account}\nsecret\nsecret\nquit\n"));
            assert!(
                said.0 == Some(0) && said.1.contains(&format!("Logged in as {account}")),
                "{listen} {dialect}: {said:?}"
            );
            let first_meeting = n == 0 && dialect == "secure";
            assert_eq!(said.1.contains("Encrypted from now on"), first_meeting, "{listen}: {said:?}");
            let to_myself = ["--account", &account, "send", "--to", &account, "hi"];
            let said = with(&to_myself, "");
            assert_eq!(said.0, Some(0), "{listen} {dialect}: {said:?}");
            let said = with(&["--account", &account, "recv"], "");
            assert!(said.0 == Some(0) && said.1.contains("hi"), "{listen} {dialect}: {said:?}");
            // What was said with the first is still there when the name leads to the second.
            let first = format!("{dialect}0");
            let said = with(&["--account", &first, "history", &first], "");
            assert!(said.0 == Some(0) && said.1.contains("hi"), "{listen} {dialect}: {said:?}");
        }
        let said = term(&dir.path().join("secure"), "twin:30410", &["why", "twin:30410"], "");
        assert!(said.0 == Some(0) && said.1.contains("known"), "{listen}: {said:?}");
        drop(server);
    }
    // Another server under the name of one that is known is not believed, though its address never was used.
    std::fs::remove_dir_all(&data).expect("removed");
    machine.shell("ip addr add 10.77.0.7/24 dev there");
    name(&["10.77.0.7", "fd77::8"]);
    let _server = serve(&machine, "10.77.0.7:30410", &data);
    until_it_answers("10.77.0.7:30410");
    let said = term(&dir.path().join("secure"), "twin:30410", &["--account", "secure0", "send", "--to", "a", "hi"], "");
    assert_eq!(said.0, Some(9), "{said:?}");
}
