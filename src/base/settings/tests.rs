use super::*;

#[test]
fn what_was_chosen_is_there_again_and_so_is_what_others_wrote() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("profiles/x/settings.toml");
    let (mut settings, complaint) = Settings::load(&path);
    assert_eq!((settings.remember, complaint), (true, None));
    settings.server = "example:1".into();
    settings.polling = PollingChoice::StrictPerFriend;
    settings.windows.insert("main".into(), [1, -2, 300, 720]);
    settings.zoom.insert("1920x1080 100%".into(), 150);
    settings.other.insert("later".into(), toml::Value::Boolean(true));
    let saver = Saver::start(path.clone()).expect("a thread");
    saver.save(&settings);
    drop(saver);
    assert_eq!(Settings::load(&path), (settings, None));
}

/// What is in the file; the server and the account that are read from it; how many complaints there are.
#[test]
fn what_cannot_be_used_is_kept_and_said() {
    let cases: [(&[u8], &str, &str, &[&str]); 6] = [
        (b"server = [", "", "", &["settings.toml", "settings.toml.damaged"]),
        (b"server = \"a:1\xff\"", "", "", &["settings.toml.damaged"]),
        (b"server = 7\naccount = \"me\"", "", "me", &["server", "settings.toml.damaged"]),
        (b"language = \"tlh\"\nserver = \"a:1\"", "a:1", "", &["language"]),
        (b"[windows]\nmain = [1, 2]\n[nicknames]\nme = 3", "", "", &["windows", "nicknames"]),
        (b"server = \"a:1\"\naccount = \"me\"", "a:1", "me", &[]),
    ];
    for (bytes, server, account, said) in cases {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("settings.toml");
        fs::write(&path, bytes).expect("written");
        let (settings, complaint) = Settings::load(&path);
        let shown = bytes.escape_ascii();
        assert_eq!((&*settings.server, &*settings.account), (server, account), "{shown}");
        assert!(settings.remember, "{shown}");
        let complaint = complaint.map(|c| c.to_string());
        assert_eq!(complaint.is_some(), !said.is_empty(), "{shown}: {complaint:?}");
        let complaint = complaint.unwrap_or_default();
        assert!(said.iter().all(|word| complaint.contains(word)), "{shown}: {complaint}");
        settings.save(&path).expect("saved");
        if !said.is_empty() {
            assert_eq!(fs::read(path.with_extension("toml.damaged")).expect("kept"), bytes);
        }
        assert_eq!(Settings::load(&path), (settings, None), "{shown}");
    }
}

#[test]
fn a_second_damage_does_not_replace_the_first() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("settings.toml");
    for text in ["=1", "=2"] {
        fs::write(&path, text).expect("written");
        assert!(Settings::load(&path).1.is_some());
    }
    let kept = |name| fs::read_to_string(dir.path().join(name)).expect("kept");
    assert_eq!((kept("settings.toml.damaged"), kept("settings.toml.damaged-2")), ("=1".into(), "=2".into()));
}

#[test]
fn windows_beyond_all_screens_are_forgotten() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("settings.toml");
    fs::write(&path, "[windows]\na = [2147483647, 0, 9, 9]\nb = [0, 0, 0, 9]\nc = [-1920, 5, 300, 720]")
        .expect("written");
    let (settings, complaint) = Settings::load(&path);
    assert_eq!(settings.windows.into_keys().collect::<Vec<_>>(), ["c"]);
    assert_eq!(complaint, None);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let dir = tempfile::tempdir().expect("a folder");
    let (path, real) = (dir.path().join("settings.toml"), dir.path().join("elsewhere.toml"));
    fs::write(&real, "").expect("written");
    std::os::unix::fs::symlink(&real, &path).expect("a link");
    let settings = Settings { account: "me".into(), ..Settings::default() };
    settings.save(&path).expect("saved");
    assert!(path.is_symlink());
    assert_eq!(Settings::load(&real).0.account, "me");
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 2, "nothing else is left");
}

#[test]
fn profiles_are_folder_names() {
    assert!(Paths::new(Some(Path::new("d")), "../x").is_err());
    let paths = Paths::new(Some(Path::new("d")), "x").expect("good");
    assert_eq!(paths.settings, Path::new("d/profiles/x/settings.toml"));
}
