//! One of the examples, running, with what it prints.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use hongyan::server::udp::{Config, Server};

use crate::process::Process;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// It ends with its owner.
pub struct Program {
    process: Process,
    typed: Option<ChildStdin>,
    lines: Receiver<String>,
    said: RefCell<Vec<String>>,
}

impl Program {
    /// Starts an example, with a display if it has windows; or, for `07_…`, what `EXAMPLE_07` names.
    pub fn start<A: AsRef<OsStr>>(name: &str, args: &[A], display: Option<&str>) -> Self {
        let own = std::env::var_os(format!("EXAMPLE_{}", &name[..2]));
        let mut command = Command::new(own.map_or_else(|| folder().join(name), PathBuf::from));
        command.args(args).env("LC_ALL", "C.UTF-8").env_remove("DISPLAY").envs(display.map(|d| ("DISPLAY", d)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let (line, lines) = crossbeam_channel::unbounded();
        collect(process.stdout.take().expect("piped"), line.clone());
        collect(process.stderr.take().expect("piped"), line);
        Self { typed: process.stdin.take(), process: Process(process), lines, said: RefCell::default() }
    }

    /// Types a line at the terminal.
    pub fn types(&mut self, line: &str) {
        writeln!(self.typed.as_mut().expect("not ended"), "{line}").expect("it reads");
    }

    /// Ctrl+D.
    pub fn ends_input(&mut self) {
        self.typed = None;
    }

    /// Waits for the next line with this in it, skipping others.
    #[track_caller]
    pub fn says(&self, wanted: &str) -> String {
        let end = Instant::now() + PATIENCE;
        while let Ok(line) = self.lines.recv_deadline(end) {
            self.said.borrow_mut().push(line.clone());
            if line.contains(wanted) {
                return line;
            }
        }
        panic!("{wanted:?} is not in {:#?}", self.said.borrow());
    }

    /// Everything printed so far.
    pub fn said(&self) -> Vec<String> {
        self.said.borrow_mut().extend(self.lines.try_iter());
        self.said.borrow().clone()
    }

    /// As the system knows it.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Waits until it has ended, and well.
    #[track_caller]
    pub fn ended(&mut self) {
        self.ends_input();
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.0.try_wait().expect("a child") {
                assert!(status.success(), "{status}: {:#?}", self.said());
                return;
            }
            assert!(Instant::now() < end, "it goes on: {:#?}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn collect(from: impl Read + Send + 'static, line: Sender<String>) {
    let read = move || {
        for text in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = line.send(text);
        }
    };
    thread::Builder::new().name("lines".into()).spawn(read).expect("a thread");
}

/// Where cargo puts the examples. `cargo test --test examples` alone does not build them: that is asked
/// for here, if one is older than its text.
fn folder() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let find = || {
        let program = std::env::current_exe().expect("this program");
        let profile = program.ancestors().nth(2).expect("below the build folder");
        if !cfg!(feature = "gui") || !built(&profile.join("examples")) {
            build(profile);
        }
        profile.join("examples")
    };
    BUILT.get_or_init(find).clone()
}

fn built(folder: &Path) -> bool {
    let texts = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).expect("examples");
    let changed = |path: PathBuf| path.metadata().and_then(|file| file.modified()).ok();
    texts.map(|text| text.expect("readable").path()).all(|text| {
        let name = text.file_stem().expect("a name");
        changed(folder.join(name)).is_some_and(|built| Some(built) > changed(text.clone()))
    })
}

fn build(profile: &Path) {
    let name = profile.file_name().and_then(OsStr::to_str).expect("plain");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "--examples", "--profile", if name == "debug" { "dev" } else { name }]);
    cargo.arg("--target-dir").arg(profile.parent().expect("the build folder"));
    cargo.args((!cfg!(feature = "gui")).then_some("--no-default-features"));
    // What cargo says to its tests alone, other packages' build scripts would take for a change.
    for (key, _) in std::env::vars_os() {
        let key = key.to_string_lossy();
        if key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_") || key == "LD_LIBRARY_PATH" {
            cargo.env_remove(&*key);
        }
    }
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).status();
    assert!(status.is_ok_and(|s| s.success()), "the examples were not built");
}

/// Our server, with a folder of its own.
pub struct Served {
    pub at: SocketAddr,
    _server: Server,
    _data: tempfile::TempDir,
}

impl Served {
    pub fn new() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let server = Server::start(Config::new("127.0.0.1:0".parse().expect("valid"), data.path().to_owned()));
        let server = server.expect("started");
        Self { at: server.address(), _server: server, _data: data }
    }
}
