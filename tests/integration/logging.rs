//! Logs of the programs: one zone for the file's day and its lines, and no colours where nobody looks on.

use std::io::Write;
use std::process::{Command, Stdio};

#[cfg(unix)]
#[test]
fn a_log_is_in_one_zone_and_without_colours() {
    let dir = tempfile::tempdir().expect("a folder");
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let programs: [(&str, &str, Vec<String>); 2] = [
        (env!("CARGO_BIN_EXE_hongyand"), "hongyand", vec!["--listen".into(), nobody.to_string()]),
        (env!("CARGO_BIN_EXE_hongyan-term"), "hongyan-term", vec!["--server".into(), nobody.to_string()]),
    ];
    // Noon here is another day in one of them.
    for (zone, offset) in [("AAA-14", "+14:00"), ("BBB11", "-11:00")] {
        for (program, name, args) in &programs {
            let data = dir.path().join(format!("{name}{offset}"));
            // From a build folder the checkout's own folder of logs is taken.
            let installed = dir.path().join(name);
            if !installed.exists() {
                std::fs::copy(program, &installed).expect("copied");
            }
            let mut command = Command::new(&installed);
            command
                .args(args)
                .args(["--log-level", "info", "--data"])
                .arg(&data)
                .env("TZ", zone)
                .env_remove("NO_COLOR");
            command.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
            let mut child = command.spawn().expect("it starts");
            // What it says of that is logged.
            child.stdin.take().expect("piped").write_all(b"login a#b\n").expect("read");
            std::thread::sleep(std::time::Duration::from_millis(700));
            let _ = Command::new("kill").arg(child.id().to_string()).stderr(Stdio::null()).status();
            let said = child.wait_with_output().expect("it ends").stderr;
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(!said.contains('\x1b'), "{name}: {said:?}");
            let mut files: Vec<std::path::PathBuf> = Vec::new();
            let mut folders = vec![data.clone()];
            while let Some(folder) = folders.pop() {
                for entry in std::fs::read_dir(folder).expect("a folder") {
                    let path = entry.expect("readable").path();
                    if path.is_dir() {
                        folders.push(path);
                    } else if path.extension().is_some_and(|kind| kind == "log") {
                        files.push(path);
                    }
                }
            }
            let file = files.first().expect("a log");
            let day =
                file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_prefix(&format!("{name}-")));
            let text = std::fs::read_to_string(file).expect("a log");
            assert!(!text.contains('\x1b') && !text.is_empty(), "{name}: {text:?}");
            for line in text.lines().filter(|line| line.contains(" [")) {
                let time = line.split(' ').next().unwrap_or_default();
                assert!(time.ends_with(offset) && day.is_some_and(|day| time.starts_with(day)), "{day:?}: {line}");
            }
        }
    }
}
