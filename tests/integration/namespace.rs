//! Tests in network and mount namespaces of their own, where they may give this machine addresses and names.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::process::Process;

/// Set inside.
const INSIDE: &str = "HONGYAN_TEST_NAMESPACE";

/// True inside namespaces of this test's own. Outside it runs the test (by its full name) there, and the caller has
/// nothing more to do.
pub fn alone(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let made = |user: &[&str]| {
        let made =
            Command::new("unshare").args(user).args(["--net", "--mount", "ip", "link", "set", "lo", "up"]).output();
        made.is_ok_and(|made| made.status.success())
    };
    let Some(user) = [&[][..], &["--map-root-user"]].into_iter().find(|user| made(user)) else {
        assert!(std::env::var_os("CI").is_none(), "a machine for tests can make namespaces");
        println!("SKIPPED {test}: this machine or user makes no network namespaces (unshare --net, ip)");
        return false;
    };
    let output = Command::new("unshare")
        .args(user)
        .args(["--net", "--mount"])
        .arg(std::env::current_exe().expect("a program"))
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("it runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// Runs a script as this namespace's owner.
#[track_caller]
pub fn shell(script: &str) {
    let output = Command::new("bash").args(["-ec", script]).output().expect("bash");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Another machine, joined to this one by a cable: `here` is this one's end of it, `there` the other's.
pub struct Machine(Process);

impl Machine {
    pub fn joined() -> Self {
        shell("ip link set lo up");
        let asleep = Command::new("unshare").args(["--net", "sleep", "900"]).stdin(Stdio::null()).spawn();
        let machine = Self(Process(asleep.expect("it runs")));
        let network = |pid: &str| std::fs::read_link(Path::new("/proc").join(pid).join("ns/net")).ok();
        let end = Instant::now() + Duration::from_secs(20);
        while network(&machine.id()).is_none_or(|its| Some(its) == network("self")) {
            assert!(Instant::now() < end, "a namespace");
            std::thread::sleep(Duration::from_millis(2));
        }
        shell(&format!("ip link add here type veth peer name there netns {}; ip link set here up", machine.id()));
        machine.shell("ip link set lo up; ip link set there up");
        machine
    }

    fn id(&self) -> String {
        self.0.0.id().to_string()
    }

    /// A command that will run there.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &self.id(), program]);
        command
    }

    /// Runs a script there.
    #[track_caller]
    pub fn shell(&self, script: &str) {
        let output = self.command("bash").args(["-ec", script]).output().expect("bash");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
