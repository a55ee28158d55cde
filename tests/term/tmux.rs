//! A terminal of our own, with keys and what its screen shows; and the server behind it.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{Process, free_port};

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(30);

/// Waits until something is there; what it was waiting for is said if it never is.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}\n{seen}"),
        }
        thread::sleep(STEP);
    }
}

/// A server on loopback, with its folder.
pub struct Served {
    pub at: SocketAddr,
    pub dir: tempfile::TempDir,
    server: Process,
}

impl Served {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A server with these options more.
    pub fn with(more: &[&str]) -> Self {
        Self::by(|command| command.args(more))
    }

    /// A server whose clock stands in this zone.
    pub fn in_zone(zone: &str) -> Self {
        Self::by(|command| command.env("TZ", zone))
    }

    fn by(set: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let at = free_port();
        let mut command = server(at, dir.path());
        set(&mut command);
        let served = Self { at, server: Process(command.spawn().expect("the server starts")), dir };
        served.wait();
        served
    }

    /// Ends the server, does this with its folder, and starts it again with these options.
    pub fn restart_after(&mut self, more: &[&str], meanwhile: impl FnOnce(&Path)) {
        let pid = self.server.0.id().to_string();
        let ended = Command::new("kill").arg(pid).status().expect("kill runs");
        assert!(ended.success() && self.server.0.wait().expect("it ends").success());
        meanwhile(&self.dir.path().join("server"));
        self.server = start(self.at, self.dir.path(), more);
        self.wait();
    }

    fn wait(&self) {
        until("the server", || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            self.ask_within(Duration::from_secs(1), &socket, "08#").ok_or_else(String::new)
        });
    }

    /// A request by hand from a new address, and the answer.
    pub fn ask(&self, request: &str) -> Option<String> {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        self.ask_from(&socket, request)
    }

    pub fn ask_from(&self, socket: &UdpSocket, request: &str) -> Option<String> {
        self.ask_within(PATIENCE, socket, request)
    }

    /// The answer, if it comes in time; one to an earlier request that was given up is passed over.
    fn ask_within(&self, patience: Duration, socket: &UdpSocket, request: &str) -> Option<String> {
        socket.set_read_timeout(Some(patience)).expect("set");
        socket.send_to(request.as_bytes(), self.at).expect("sent");
        let code = request.get(..2).expect("a code");
        let mut buffer = [0; 2048];
        loop {
            let n = socket.recv(&mut buffer).ok()?;
            let reply = String::from_utf8_lossy(&buffer[..n]).into_owned();
            if reply.starts_with(code) || reply == "07:01" || reply == "00:00" {
                return Some(reply);
            }
        }
    }

    /// A message by hand. It is kept also where the other side is away for a moment, as a client is that a
    /// busy machine lets wait for seconds.
    #[track_caller]
    pub fn tell(&self, from: &UdpSocket, to: &str, text: &str) {
        let reply = self.ask_from(from, &format!("03#{to}#{text}#"));
        assert!(matches!(reply.as_deref(), Some("03:01" | "03:02")), "{reply:?}");
    }

    /// Somebody who is logged in by hand.
    pub fn by_hand(&self, name: &str) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        self.ask_from(&socket, &format!("01#{name}#secret#secret#"));
        assert_eq!(self.ask_from(&socket, &format!("02#{name}#secret#")).as_deref(), Some("02:01"));
        socket
    }

    /// The terminal client for this server, with a folder of its own.
    pub fn client(&self, name: &str) -> Command {
        self.client_in("en", name)
    }

    pub fn client_in(&self, language: &str, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan-term"));
        command.args(["--server", &self.at.to_string(), "--lang", language, "--data"]).arg(self.dir.path().join(name));
        command.env_remove("HONGYAN_PASSWORD").env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }
}

fn server(at: SocketAddr, dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hongyand"));
    command.args(["--log-level", "off", "--listen", &at.to_string(), "--data"]).arg(dir.join("server"));
    command.stdout(Stdio::null());
    command
}

fn start(at: SocketAddr, dir: &Path, more: &[&str]) -> Process {
    Process(server(at, dir).args(more).spawn().expect("the server starts"))
}

/// A window of tmux with the terminal client in it.
pub struct Terminal {
    socket: std::path::PathBuf,
}

impl Terminal {
    /// Opens the client; after it, `left with` its exit code stands on the screen.
    pub fn open(served: &Served, name: &str, options: &[&str]) -> Self {
        Self::open_in("en", served, name, options)
    }

    pub fn open_in(language: &str, served: &Served, name: &str, options: &[&str]) -> Self {
        Self::running(&served.client_in(language, name), served.dir.path(), options)
    }

    /// This client with these options more; what belongs to the terminal itself lies in `folder`.
    pub fn running(command: &Command, folder: &Path, options: &[&str]) -> Self {
        // One that has just been closed may still be about to end.
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let terminal = Self { socket: folder.join(format!("tmux-{number}")) };
        let mut words = vec![quoted(command.get_program().as_ref())];
        words.extend(command.get_args().map(|arg| quoted(arg.as_ref())));
        words.extend(options.iter().map(|option| quoted(option.as_ref())));
        let shell = format!("{}; echo left with $?; stty -a | grep -o -e '-*echo '; sleep 1000", words.join(" "));
        let size = ["-x", "80", "-y", "24"];
        terminal.tmux(&[&["-f", "/dev/null", "-u", "new-session", "-d"], &size[..], &[&shell]].concat());
        terminal
    }

    fn tmux(&self, args: &[&str]) -> Output {
        let missing = "please install the package tmux (scripts/test does)";
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket).args(args);
        command.env("LC_ALL", "C.UTF-8").env_remove("TMUX").env_remove("NO_COLOR").env_remove("HONGYAN_PASSWORD");
        let output = command.output().expect(missing);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Keys as tmux names them.
    pub fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// A text typed all at once.
    pub fn write(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    pub fn line(&self, text: &str) {
        self.write(text);
        self.keys(&["Enter"]);
    }

    /// Pastes, as a terminal does that marks what is pasted, or as one that does not.
    pub fn paste(&self, text: &str, marked: bool) {
        let file = self.socket.with_extension("paste");
        std::fs::write(&file, text).expect("written");
        self.tmux(&["load-buffer", &file.to_string_lossy()]);
        self.tmux(if marked { &["paste-buffer", "-p"] } else { &["paste-buffer", "-r"] });
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// Whether the terminal itself, not tmux alone, is so wide.
    pub fn knows(&self, columns: u16) -> bool {
        let tty = self.tmux(&["display-message", "-p", "#{pane_tty}"]).stdout;
        let tty = String::from_utf8_lossy(&tty).trim().to_owned();
        let said = Command::new("stty").args(["-F", &tty, "size"]).output().expect("stty runs");
        String::from_utf8_lossy(&said.stdout).trim().ends_with(&format!(" {columns}"))
    }

    /// What is on the screen, without empty lines at its end.
    pub fn screen(&self) -> String {
        let shown = self.tmux(&["capture-pane", "-p"]).stdout;
        String::from_utf8_lossy(&shown).trim_end().to_owned()
    }

    /// All that was ever on it, wrapped lines joined.
    pub fn scrolled(&self) -> String {
        let shown = self.tmux(&["capture-pane", "-p", "-J", "-S", "-"]).stdout;
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Waits until this is on the screen.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        until(text, || {
            let screen = self.screen();
            if screen.contains(text) { Ok(()) } else { Err(screen) }
        });
    }

    /// Waits until the last line is this.
    #[track_caller]
    pub fn foot_is(&self, line: &str) {
        until(line, || {
            let screen = self.screen();
            if screen.lines().last() == Some(line) { Ok(()) } else { Err(screen) }
        });
    }

    /// The process that runs in the window's shell.
    pub fn client_pid(&self) -> u32 {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]).stdout;
        let shell = String::from_utf8_lossy(&shell).trim().to_owned();
        until("the client's process", || {
            let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap_or_default();
            children.split_whitespace().next().and_then(|pid| pid.parse().ok()).ok_or(children.clone())
        })
    }

    /// Registers a new account by the client's own commands, which logs it in.
    pub fn register(&self, name: &str) {
        self.register_in("en", name);
    }

    pub fn register_in(&self, language: &str, name: &str) {
        let [new, again] = if language == "en" { ["New password", "Confirm"] } else { ["新密码", "确认"] };
        self.shows("hongyan>");
        self.line(&format!("register {name}"));
        self.shows(new);
        self.line("secret");
        self.shows(again);
        self.line("secret");
        self.foot_is(&format!("{name}>"));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}

fn quoted(word: &Path) -> String {
    format!("'{}'", word.to_string_lossy().replace('\'', "'\\''"))
}
