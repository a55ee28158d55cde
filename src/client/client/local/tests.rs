use super::*;

fn line(key: &[u8]) -> String {
    format!("{} {}\n", HEXLOWER.encode(key), words(key, false))
}

#[test]
fn what_is_damaged_of_the_keys_shows() {
    let (one, two) = (vec![1; KEY], vec![2; KEY]);
    let both = line(&one) + &line(&two);
    let whole = |pins: &[&Vec<u8>]| Keys { pins: pins.iter().map(|pin| (*pin).clone()).collect(), damaged: false };
    for text in [both.clone(), both.replace('\n', "\r\n\n"), both.trim_end().to_owned()] {
        assert_eq!(keys_in(text.as_bytes()), whole(&[&one, &two]), "{text:?}");
    }
    assert_eq!(keys_in(HEXLOWER.encode(&one).as_bytes()), whole(&[&one]), "without words");
    // Cut anywhere, the first key is told or the damage is.
    for cut in 0..line(&one).len() {
        let keys = keys_in(&both.as_bytes()[..cut]);
        assert!(keys.damaged != (keys.pins == [one.clone()]), "{cut}: {keys:?}");
    }
    let cut = keys_in(&both.as_bytes()[..both.len() - 20]);
    assert_eq!(cut, Keys { pins: vec![one.clone()], damaged: true });
    // One digit that is another one, and what disks make of files.
    let digit = line(&one).replacen('1', "2", 1);
    let mut nothing = line(&one).into_bytes();
    nothing.extend([0; 512]);
    for (bytes, pins) in [
        (digit.as_bytes(), vec![]),
        (b"".as_slice(), vec![]),
        (b"\n \n", vec![]),
        (&[0; 512], vec![]),
        (b"\xff\xfe garbage", vec![]),
        (b"01 abandon", vec![]),
        (&nothing, vec![one.clone()]),
    ] {
        assert_eq!(keys_in(bytes), Keys { pins, damaged: true }, "{}", bytes.escape_ascii());
    }
}

#[test]
fn damaged_keys_are_put_aside_when_one_is_trusted() {
    let dir = tempfile::tempdir().expect("a folder");
    let (folder, file) = (dir.path().join("server"), dir.path().join("server").join(KEYS));
    let (one, two, three) = (vec![1; KEY], vec![2; KEY], vec![3; KEY]);
    add_key(&folder, &one).expect("kept");
    add_key(&folder, &two).expect("kept");
    assert_eq!(std::fs::read_to_string(&file).expect("there"), line(&one) + &line(&two));
    let cut = &std::fs::read(&file).expect("there")[..line(&one).len() + 10];
    std::fs::write(&file, cut).expect("cut");
    add_key(&folder, &three).expect("kept");
    assert_eq!(std::fs::read_to_string(&file).expect("there"), line(&one) + &line(&three));
    assert_eq!(std::fs::read(folder.join("keys.damaged")).expect("put aside"), cut);
    let names: Vec<_> = std::fs::read_dir(&folder).expect("there").flatten().map(|file| file.file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_damaged_note_or_file_is_not_a_first_meeting() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path();
    let (first, later) = ("192.0.2.1:9".parse().expect("valid"), "192.0.2.2:9".parse().expect("valid"));
    let key = vec![1; KEY];
    assert_eq!(known(data, "chat.example:9", first), KnownServer::default());
    add_key(&folder_at(data, first), &key).expect("kept");
    let note = note_of(data, "chat.example:9");
    private::folder(note.parent().expect("a folder")).expect("made");
    private::replace(&note, first.to_string()).expect("written");
    let met = KnownServer { pins: vec![key.clone()], secure_only: true, ..KnownServer::default() };
    assert_eq!(known(data, "chat.example:9", later), met);
    for garbage in ["", "192.0.2", "\0\0\0"] {
        std::fs::write(&note, garbage).expect("written");
        let damaged = Some(note.display().to_string());
        let elsewhere = KnownServer { damaged: damaged.clone(), ..KnownServer::default() };
        assert_eq!(known(data, "chat.example:9", later), elsewhere, "{garbage:?}");
        assert_eq!(known(data, "chat.example:9", first), KnownServer { damaged, ..met.clone() }, "{garbage:?}");
    }
    // What cannot be read at all is no first meeting either.
    let file = folder_at(data, first).join(KEYS);
    std::fs::remove_file(&file).expect("removed");
    std::fs::create_dir(&file).expect("a folder");
    let damaged = Some(file.display().to_string());
    assert_eq!(known(data, "192.0.2.1:9", first), KnownServer { secure_only: true, damaged, ..KnownServer::default() });
}
