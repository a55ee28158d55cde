//! A display of our own, with a window manager, keys and pictures; and the programs that run on it.

use std::io::Read;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{Process, display_of};

/// How long anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(40);

/// What is said of something that never came: as it is then, and not as it was when it began to be waited for.
pub struct Then<F>(pub F);

impl<F: Fn() -> String> std::fmt::Display for Then<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&(self.0)())
    }
}

/// Waits until something is there; what it was waiting for is said if it never is.
#[track_caller]
pub fn until<T>(what: &(impl std::fmt::Display + ?Sized), mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        thread::sleep(STEP);
    }
}

/// A display.
pub struct Desk {
    pub display: String,
    pictures: PathBuf,
    _manager: Process,
    _server: Process,
}

impl Desk {
    pub fn new() -> Self {
        Self::of("1400x1000")
    }

    /// One with a screen of this size.
    pub fn of(size: &str) -> Self {
        let missing = "please install the packages openbox, xdotool and imagemagick (scripts/test does)";
        let (server, display) = display_of(size);
        // It runs this once it looks after windows. What it says of itself earlier is no sign: a window that asks to
        // be shown between the two is never shown.
        let sign = "xprop -root -f MANAGED 8s -set MANAGED yes";
        let manager = Command::new("openbox")
            .args(["--startup", sign])
            .env("DISPLAY", &display)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect(missing);
        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&pictures).expect("a folder for pictures");
        let desk = Self { display, pictures, _manager: Process(manager), _server: server };
        until("the window manager", || {
            let asked = Command::new("xprop").args(["-root", "MANAGED"]).env("DISPLAY", &desk.display).output();
            String::from_utf8_lossy(&asked.expect(missing).stdout).contains("yes").then_some(())
        });
        desk
    }

    /// A key, a click, a question about windows.
    pub fn xdotool(&self, args: &[&str]) -> Output {
        Command::new("xdotool")
            .args(args)
            .env("DISPLAY", &self.display)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("xdotool runs")
    }

    /// What a window looks like, as bytes.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn looks(&self, window: &str) -> Vec<u8> {
        let taken = Command::new("import").args(["-window", window, "rgb:-"]).env("DISPLAY", &self.display).output();
        let picture = taken.map(|taken| taken.stdout).unwrap_or_default();
        assert!(!picture.is_empty(), "no picture of {window}");
        picture
    }

    /// A picture of the whole display, kept beside the build.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn picture(&self, name: &str) {
        let file = self.pictures.join(format!("{name}.png"));
        let taken = Command::new("import").args(["-window", "root"]).arg(&file).env("DISPLAY", &self.display).status();
        assert!(taken.is_ok_and(|s| s.success()), "no picture {}", file.display());
    }
}

/// The client's windows, as a person at the keyboard has them.
pub struct Person<'a> {
    desk: &'a Desk,
    process: Process,
    log: Arc<Mutex<String>>,
    data: PathBuf,
    pub server: SocketAddr,
}

impl<'a> Person<'a> {
    /// Opens the login window of a new profile.
    pub fn open(desk: &'a Desk, server: SocketAddr, data: &Path, args: &[&str]) -> Self {
        let server_text = server.to_string();
        let args: Vec<&str> = ["--server", &server_text].iter().chain(args).copied().collect();
        Self::open_with(desk, server, data, &args)
    }

    /// The same with the machine's own server, which is expected there.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn open_local(desk: &'a Desk, data: &Path, args: &[&str]) -> Self {
        Self::open_with(desk, SocketAddr::from(([127, 0, 0, 1], 21568)), data, args)
    }

    fn open_with(desk: &'a Desk, server: SocketAddr, data: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hongyan"));
        command.args(["--log-level", "info", "--data"]).arg(data).args(args);
        let (process, log) = run(command.env("DISPLAY", &desk.display));
        Self { desk, process, log, data: data.to_owned(), server }
    }

    fn windows(&self) -> Vec<(String, String)> {
        let pid = self.process.0.id().to_string();
        let found = self.desk.xdotool(&["search", "--onlyvisible", "--pid", &pid]);
        let ids = String::from_utf8_lossy(&found.stdout).into_owned();
        let name = |id: &str| {
            let name = self.desk.xdotool(&["getwindowname", id]);
            (id.to_owned(), String::from_utf8_lossy(&name.stdout).trim().to_owned())
        };
        ids.lines().map(name).collect()
    }

    /// The titles of all windows.
    pub fn titles(&self) -> Vec<String> {
        self.windows().into_iter().map(|(_, title)| title).collect()
    }

    /// Waits for a window with this in its title and gives it the keyboard.
    #[track_caller]
    pub fn window(&self, title: &str) -> String {
        let find = || self.windows().into_iter().find(|(_, name)| name.contains(title)).map(|(id, _)| id);
        until(&Then(|| format!("a window {title:?} among {:?}; the log says {}", self.titles(), self.log())), find);
        // Looked for each time: the one found first may be closing, as the login window is.
        until(&format!("the keyboard for {title:?}"), || {
            let id = find()?;
            self.desk.xdotool(&["windowactivate", &id]);
            let active = self.desk.xdotool(&["getactivewindow"]);
            (String::from_utf8_lossy(&active.stdout).trim() == id).then_some(id)
        })
    }

    /// The number of the window with this in its title; none has to have the keyboard.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    #[track_caller]
    pub fn window_of(&self, title: &str) -> String {
        let find = || self.windows().into_iter().find(|(_, name)| name.contains(title)).map(|(id, _)| id);
        until(&format!("a window {title:?}"), find)
    }

    /// The titles of all windows, from the one at the back to the one in front.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn stacked(&self) -> Vec<String> {
        let asked = Command::new("xprop")
            .args(["-root", "_NET_CLIENT_LIST_STACKING"])
            .env("DISPLAY", &self.desk.display)
            .output();
        let said = asked.map(|said| String::from_utf8_lossy(&said.stdout).into_owned()).unwrap_or_default();
        let ids = said.split("0x").skip(1).filter_map(|id| {
            let digits: String = id.chars().take_while(char::is_ascii_hexdigit).collect();
            Some(u32::from_str_radix(&digits, 16).ok()?.to_string())
        });
        let windows = self.windows();
        let title = |id: String| windows.iter().find(|(known, _)| *known == id).map(|(_, title)| title.clone());
        ids.filter_map(title).collect()
    }

    /// The title of the window that has the keyboard.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn active(&self) -> String {
        let name = self.desk.xdotool(&["getactivewindow", "getwindowname"]);
        String::from_utf8_lossy(&name.stdout).trim().to_owned()
    }

    /// Where such a window stands with its frame: left, top, right and lower edge, in pixels.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    #[track_caller]
    pub fn edges(&self, title: &str) -> [i32; 4] {
        until(&format!("a window {title:?} and its frame"), || {
            let (id, _) = self.windows().into_iter().find(|(_, name)| name.contains(title))?;
            let said = |program: &str, args: &[&str]| {
                let out = Command::new(program).args(args).env("DISPLAY", &self.desk.display).output().ok()?;
                Some(String::from_utf8_lossy(&out.stdout).into_owned())
            };
            let geometry = said("xwininfo", &["-id", &id])?;
            let figure = |name: &str| {
                geometry.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().parse::<i32>().ok())
            };
            let corner = [figure("Absolute upper-left X:")?, figure("Absolute upper-left Y:")?];
            let size = [figure("Width:")?, figure("Height:")?];
            let frame = said("xprop", &["-id", &id, "_NET_FRAME_EXTENTS"])?;
            let frame: Vec<i32> = frame.split(" = ").nth(1)?.split(',').filter_map(|n| n.trim().parse().ok()).collect();
            let [left, right, top, below] = frame.try_into().ok()?;
            Some([corner[0] - left, corner[1] - top, corner[0] + size[0] + right, corner[1] + size[1] + below])
        })
    }

    /// Whether such a window asks for attention.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn urgent(&self, title: &str) -> bool {
        let Some((id, _)) = self.windows().into_iter().find(|(_, name)| name.contains(title)) else { return false };
        let asked = Command::new("xprop").args(["-id", &id, "WM_HINTS"]).env("DISPLAY", &self.desk.display).output();
        asked.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains("urgency hint bit is set"))
    }

    /// Waits until no window has this in its title.
    #[track_caller]
    pub fn no_window(&self, title: &str) {
        until(&format!("no window {title:?}"), || {
            self.windows().iter().all(|(_, name)| !name.contains(title)).then_some(())
        });
    }

    /// Presses keys, by xdotool's names.
    pub fn keys(&self, keys: &[&str]) {
        for key in keys {
            self.desk.xdotool(&["key", "--clearmodifiers", key]);
        }
    }

    /// Opens the main window's menu by its key: the first entry is chosen.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    #[track_caller]
    pub fn menu(&self) {
        let before = self.titles().len();
        self.keys(&["F10"]);
        until("the menu", || (self.titles().len() > before).then_some(()));
    }

    /// Types a text.
    pub fn write(&self, text: &str) {
        // For each letter no keyboard has, xdotool gives a key another meaning, which a busy machine learns late.
        let delay = if text.is_ascii() { "8" } else { "180" };
        self.desk.xdotool(&["type", "--clearmodifiers", "--delay", delay, text]);
    }

    /// Types into the fields of a window, one after the other, then presses Enter.
    pub fn fill(&self, fields: &[&str]) {
        for (i, field) in fields.iter().enumerate() {
            if i > 0 {
                self.keys(&["Tab"]);
            }
            self.keys(&["ctrl+a", "BackSpace"]);
            self.write(field);
        }
        self.keys(&["Return"]);
    }

    /// Everything the program has logged.
    pub fn log(&self) -> String {
        self.log.lock().expect("not poisoned").clone()
    }

    /// Waits until a window said this, and forgets it.
    #[track_caller]
    pub fn said(&self, text: &str) {
        until(&Then(|| format!("{text:?} in {}", self.log())), || {
            let mut log = self.log.lock().expect("not poisoned");
            let at = log.find(text)?;
            log.replace_range(at..at + text.len(), "");
            Some(())
        });
    }

    /// Waits until the history has this message with this friend, in this state (none for theirs).
    #[track_caller]
    pub fn has(&self, account: &str, peer: &str, text: &str, state: Option<i64>) {
        let end = Instant::now() + PATIENCE;
        loop {
            let all = self.messages(account);
            if all.iter().any(|m| m.0 == peer && m.1.trim_end() == text && m.2 == state) {
                return;
            }
            assert!(Instant::now() < end, "{peer}: {text:?} in state {state:?}; there is {all:?}");
            thread::sleep(STEP);
        }
    }

    /// Peer, text and state of every message of an account, oldest first.
    #[track_caller]
    pub fn messages(&self, account: &str) -> Vec<(String, String, Option<i64>)> {
        self.rows(account, "SELECT peer, text, state FROM messages ORDER BY id", |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
    }

    /// What an account has typed and not sent: to whom, and the text.
    #[track_caller]
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn drafts(&self, account: &str) -> Vec<(String, String)> {
        self.rows(account, "SELECT peer, text FROM drafts ORDER BY peer", |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The file of an account's history.
    pub fn history(&self, account: &str) -> PathBuf {
        let server = self.server.to_string().replace(':', "_3a_").replace('.', "_2e_");
        self.data.join("profiles/default").join(server).join(format!("{account}.sqlite"))
    }

    /// Rows of an account's history, as it is now: none before the program has made its tables.
    ///
    /// # Panics
    /// If they cannot be read; who waits for a row would only learn that it never came.
    #[track_caller]
    fn rows<T>(&self, account: &str, query: &str, read: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        let file = self.history(account);
        let all = || {
            let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
            let database = rusqlite::Connection::open_with_flags(&file, flags)?;
            if database.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? == 0 {
                return Ok(Vec::new());
            }
            let mut query = database.prepare(query)?;
            query.query_map([], read)?.collect::<Result<Vec<_>, _>>()
        };
        match all() {
            Ok(rows) => rows,
            Err(_) if !file.exists() => Vec::new(),
            Err(error) => panic!("{}: {query}: {error}", file.display()),
        }
    }

    /// What the protocol window saves at these keys, into a file of this name.
    #[track_caller]
    pub fn saved_protocol(&self, keys: &str, name: &str) -> String {
        let file = self.data.join(name);
        let _ = std::fs::remove_file(&file);
        let path = file.to_str().expect("plain").to_owned();
        self.window("Protocol ·");
        self.keys(&[keys]);
        // The question's window has the program's name.
        until("the question", || self.titles().iter().any(|t| t == "Hongyan").then_some(()));
        self.keys(&["ctrl+a"]);
        self.write(&path);
        self.keys(&["Return"]);
        until("the saved file", || std::fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n')))
    }

    /// Puts the pointer there.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn point(&self, x: i32, y: i32) {
        self.desk.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    }

    /// The processes it has started and that have not ended.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn children(&self) -> Vec<String> {
        let own = self.process.0.id().to_string();
        let all = std::fs::read_dir("/proc").expect("Linux").flatten().map(|entry| entry.path());
        let started_here = |process: &PathBuf| {
            let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            fields.get(1) == Some(&&*own) && fields.first() != Some(&"Z")
        };
        let name = |process: PathBuf| Some(process.file_name()?.to_str()?.to_owned());
        all.filter(started_here).filter_map(name).collect()
    }

    /// Moves a window.
    pub fn place(&self, window: &str, x: i32, y: i32) {
        self.desk.xdotool(&["windowmove", "--sync", window, &x.to_string(), &y.to_string()]);
    }

    /// The program's number, for what the system knows of it.
    #[allow(dead_code, reason = "the benchmark asks")]
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Waits until the program has ended.
    #[track_caller]
    pub fn ended(mut self) -> bool {
        until("the end of the program", || self.process.0.try_wait().expect("a child")).success()
    }
}

/// Starts a program and collects what it says.
pub fn run(command: &mut Command) -> (Process, Arc<Mutex<String>>) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut said = child.stderr.take().expect("piped");
    let log: Arc<Mutex<String>> = Arc::default();
    let kept = Arc::clone(&log);
    let read = move || {
        let mut buffer = [0; 4096];
        while let Ok(n) = said.read(&mut buffer)
            && n > 0
        {
            kept.lock().expect("not poisoned").push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
    };
    thread::Builder::new().name("log".into()).spawn(read).expect("a thread");
    (Process(child), log)
}

/// The server's own program.
pub fn serve(at: SocketAddr, data: &Path) -> Process {
    serve_with(at, data, &[])
}

/// A server with these options more.
pub fn serve_with(at: SocketAddr, data: &Path, more: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hongyand"));
    let (process, _) = run(command.arg("--listen").arg(at.to_string()).arg("--data").arg(data).args(more));
    until("the server", || {
        let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
        socket.set_read_timeout(Some(STEP)).ok()?;
        socket.send_to(b"08#", at).ok()?;
        socket.recv(&mut [0; 64]).ok()
    });
    process
}
