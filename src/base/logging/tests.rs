use std::cell::Cell;

use super::*;

thread_local! {
    static TODAY: Cell<u32> = const { Cell::new(1) };
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 2, TODAY.get()).expect("a day")
}

fn files(folder: &Path) -> Vec<(String, u64)> {
    let entry = |e: io::Result<fs::DirEntry>| {
        let e = e.expect("readable");
        (e.file_name().to_string_lossy().into_owned(), e.metadata().expect("size").len())
    };
    let mut files: Vec<_> = fs::read_dir(folder).expect("there").map(entry).collect();
    files.sort();
    files
}

#[test]
fn files_are_bounded_in_size_and_number() {
    let dir = tempfile::tempdir().expect("a folder");
    for day in 1..=20 {
        fs::write(dir.path().join(format!("x-2026-01-{day:02}.log")), "old").expect("written");
    }
    for other in ["other.log", "x-server-2026-01-01.log", "x-2026-01-01.log.txt"] {
        fs::write(dir.path().join(other), "not ours").expect("written");
    }
    TODAY.set(1);
    let mut file = DayFile::open(dir.path(), "x", Box::new(today)).expect("open");
    let block = vec![b'.'; 1 << 20];
    for day in 1..=12 {
        TODAY.set(day);
        for _ in 0..12 {
            file.write_all(&block).expect("written");
        }
    }
    let (ours, others): (Vec<_>, Vec<_>) =
        files(dir.path()).into_iter().partition(|(name, _)| name.starts_with("x-2026-02"));
    assert_eq!(others.len(), 3, "{others:?}");
    assert_eq!(ours.len(), FILES, "{ours:?}");
    assert!(ours.iter().all(|(_, size)| *size <= FILE_BYTES + (1 << 20)), "{ours:?}");
    assert_eq!(ours.first().map(|(name, _)| &**name), Some("x-2026-02-09.log"));
    assert_eq!(ours.last().map(|(name, _)| &**name), Some("x-2026-02-12.log.1"));
}

#[test]
fn a_new_day_is_a_new_file() {
    let dir = tempfile::tempdir().expect("a folder");
    TODAY.set(1);
    let mut file = DayFile::open(dir.path(), "x", Box::new(today)).expect("open");
    file.write_all(b"one").expect("written");
    TODAY.set(2);
    file.write_all(b"second").expect("written");
    drop(file);
    DayFile::open(dir.path(), "x", Box::new(today)).expect("open").write_all(b"+").expect("written");
    assert_eq!(files(dir.path()), [("x-2026-02-01.log".into(), 3), ("x-2026-02-02.log".into(), 7)]);
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder");
    TODAY.set(1);
    let path = dir.path().join("x-2026-02-01.log");
    fs::write(&path, "made by another program").expect("written");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("set");
    DayFile::open(dir.path(), "x", Box::new(today)).expect("open");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
}
