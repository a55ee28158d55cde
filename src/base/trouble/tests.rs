use super::*;

const KINDS: [ErrorKind; 24] = [
    ErrorKind::NotFound,
    ErrorKind::PermissionDenied,
    ErrorKind::ReadOnlyFilesystem,
    ErrorKind::StorageFull,
    ErrorKind::FileTooLarge,
    ErrorKind::AlreadyExists,
    ErrorKind::NotADirectory,
    ErrorKind::IsADirectory,
    ErrorKind::DirectoryNotEmpty,
    ErrorKind::InvalidFilename,
    ErrorKind::InvalidData,
    ErrorKind::UnexpectedEof,
    ErrorKind::ResourceBusy,
    ErrorKind::ConnectionRefused,
    ErrorKind::ConnectionReset,
    ErrorKind::HostUnreachable,
    ErrorKind::NetworkUnreachable,
    ErrorKind::NetworkDown,
    ErrorKind::NotConnected,
    ErrorKind::AddrInUse,
    ErrorKind::AddrNotAvailable,
    ErrorKind::BrokenPipe,
    ErrorKind::TimedOut,
    ErrorKind::OutOfMemory,
];

fn in_both(error: &io::Error) -> [String; 2] {
    let key = key(error).unwrap_or_else(|| panic!("{error:?} has no text"));
    ["en", "zh-CN"].map(|locale| t!(key, locale = locale).into_owned())
}

#[track_caller]
fn is_translated(error: &io::Error) {
    let [en, zh] = in_both(error);
    assert!(en.is_ascii() && !en.contains("error."), "{error:?}: {en}");
    assert!(!zh.is_ascii() && zh != en, "{error:?}: {zh}");
    for said in [en, zh] {
        assert!(!said.contains("os error") && said != error.to_string(), "{error:?}: {said}");
    }
}

#[test]
fn every_kind_a_person_may_meet_is_said_in_both_languages() {
    for kind in KINDS {
        is_translated(&kind.into());
    }
}

/// As the system itself makes them.
#[test]
#[cfg(target_os = "linux")]
fn what_the_system_says_is_translated() {
    let numbers =
        [2, 1, 5, 13, 17, 20, 21, 23, 24, 27, 28, 30, 32, 36, 39, 90, 97, 98, 99, 100, 101, 104, 105, 110, 111, 113];
    for number in numbers {
        is_translated(&io::Error::from_raw_os_error(number));
    }
    is_translated(&std::fs::read("/there/is/no/such/file").expect_err("no file"));
    is_translated(&std::fs::read("/").expect_err("a folder"));
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("latin1");
    std::fs::write(&file, b"\xe9\xff").expect("written");
    is_translated(&std::fs::read_to_string(&file).expect_err("no text"));
}

#[test]
fn a_resolvers_words_are_translated() {
    for (words, text) in [
        ("Temporary failure in name resolution", "error.no_name_server"),
        ("Name or service not known", "error.no_such_name"),
        ("nodename nor servname provided, or not known", "error.no_such_name"),
        ("No address associated with hostname", "error.no_such_name"),
        ("Non-recoverable failure in name resolution", "error.name_failed"),
        ("什么也没有", "error.name_failed"),
    ] {
        let error = io::Error::other(format!("{RESOLVER}: {words}"));
        assert_eq!(key(&error), Some(text), "{words}");
        is_translated(&error);
    }
}

/// The real resolver's, whatever it is: a name that never is one.
#[test]
#[cfg(unix)]
fn the_real_resolvers_error_is_known() {
    use std::net::ToSocketAddrs;
    let error = ("no-such-name.invalid", 9).to_socket_addrs().map(drop).expect_err("never a name");
    is_translated(&error);
}

#[test]
fn what_has_words_of_its_own_keeps_them() {
    let own = io::Error::new(ErrorKind::InvalidInput, "its name is not UTF-8");
    assert_eq!(words(&own), "its name is not UTF-8");
    assert!(words(&io::Error::from_raw_os_error(71)).contains("71"), "unknown: as the system says it");
}
