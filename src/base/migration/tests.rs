use super::*;

const FIRST: &str = "CREATE TABLE people (name TEXT NOT NULL);";
const SECOND: &str = "ALTER TABLE people ADD COLUMN nickname TEXT; UPDATE people SET nickname = name || '!';";

fn form(steps: &'static [&'static str]) -> Form {
    Form { what: "test", pragmas: "PRAGMA journal_mode = WAL;", steps }
}

fn one(connection: &Connection, query: &str) -> String {
    connection.query_row(query, [], |row| row.get(0)).expect("a row")
}

#[test]
fn an_older_file_is_copied_before_it_changes() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("people.sqlite");
    let (copied, left) = (dir.path().join("people.v1.sqlite"), dir.path().join("people.v1.new"));
    let connection = Connection::open(&path).expect("a new file");
    form(&[FIRST]).bring_up_to_date(&connection, &path).expect("new");
    assert!(!copied.exists(), "a new file is not copied");
    connection.execute("INSERT INTO people VALUES ('a')", []).expect("stored");
    // What an attempt left that was cut off.
    fs::write(&left, "half a copy").expect("written");

    form(&[FIRST, SECOND, "nonsense"]).bring_up_to_date(&connection, &path).expect_err("no step of ours");
    assert_eq!((version(&connection), one(&connection, "SELECT name FROM people")), (Ok(1), "a".into()));
    assert!(connection.prepare("SELECT nickname FROM people").is_err(), "no step alone");
    connection.execute("UPDATE people SET name = 'b'", []).expect("it goes on as it was");

    for _ in 0..2 {
        form(&[FIRST, SECOND]).bring_up_to_date(&connection, &path).expect("up to date");
        assert_eq!((version(&connection), one(&connection, "SELECT nickname FROM people")), (Ok(2), "b!".into()));
        let copy = Connection::open(&copied).expect("beside it");
        assert_eq!((version(&copy), one(&copy, "SELECT name FROM people")), (Ok(1), "b".into()));
        assert!(!left.exists());
    }
}

#[test]
fn of_a_newer_file_nothing_changes() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("people.sqlite");
    let connection = Connection::open(&path).expect("a new file");
    connection.execute_batch(&[FIRST, "PRAGMA user_version = 3;"].concat()).expect("as a later program left it");
    let before = fs::read(&path).expect("there");
    let refused = form(&[FIRST, SECOND]).bring_up_to_date(&connection, &path);
    assert!(matches!(refused, Err(MigrationError::Newer { found: 3, known: 2 })), "{refused:?}");
    drop(connection);
    assert_eq!(fs::read(&path).expect("there"), before);
    assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 1, "nothing beside it");
}

#[test]
fn what_cannot_be_copied_is_not_changed() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("people.sqlite");
    let connection = Connection::open(&path).expect("a new file");
    form(&[FIRST]).bring_up_to_date(&connection, &path).expect("new");
    fs::create_dir(dir.path().join("people.v1.sqlite")).expect("something in the way");
    let refused = form(&[FIRST, SECOND]).bring_up_to_date(&connection, &path);
    assert!(
        matches!(refused, Err(MigrationError::Copy { path, .. }) if path == copy_of(&dir.path().join("people.sqlite"), 1))
    );
    assert_eq!(version(&connection), Ok(1));
}

#[test]
fn a_form_of_before_ends_with_its_version() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("people.sqlite");
    let newest = form(&[FIRST, SECOND]);
    let connection = Connection::open(&path).expect("a new file");
    newest.of_version(1).bring_up_to_date(&connection, &path).expect("new");
    assert_eq!(version(&connection), Ok(1));
    assert_eq!([-1, 0, 1, 2, 3].map(|n| newest.of_version(n).version()), [0, 0, 1, 2, 2]);
}
