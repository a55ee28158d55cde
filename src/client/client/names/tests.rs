use super::*;

fn account(name: &str) -> Account {
    Account::person(name).expect("valid")
}

fn called(name: &str) -> Profile {
    Profile { name: name.into(), ..Profile::default() }
}

#[test]
fn everybody_is_asked_about_once_a_login_and_again_when_they_come() {
    let mut names = Names::default();
    names.read(&[(account("b"), called("B")), (account("c"), called("C"))]);
    names.want([account("b"), account("c"), account("d"), Account::lobby()]);
    let asked = names.next().expect("some");
    assert_eq!(asked, [account("b"), account("c"), account("d")]);
    names.want([account("b"), account("e")]);
    assert_eq!(names.next(), None, "one question at a time");
    let answer = vec![(account("b"), called("B")), (account("d"), called("D"))];
    let new = names.answered(asked, Some(answer));
    assert_eq!(new, [(account("c"), Profile::default()), (account("d"), called("D"))], "what is new of it");
    assert_eq!(names.next(), Some(vec![account("e")]));
    assert_eq!(names.answered(vec![account("e")], Some(Vec::new())), []);
    names.want([account("b")]);
    assert_eq!(names.next(), None);
    names.came(&account("b"));
    names.want([account("b")]);
    assert_eq!(names.next(), Some(vec![account("b")]));
    // A server that does not answer is not asked again in this login.
    assert_eq!(names.answered(vec![account("b")], None), []);
    names.want([account("f")]);
    assert_eq!(names.next(), None);
    names.begin();
    names.want([account("f"), account("b")]);
    assert_eq!(names.next(), Some(vec![account("b"), account("f")]));
}

#[test]
fn of_a_crowd_only_the_first_are_asked_about_few_at_a_time() {
    let mut names = Names::default();
    let mut times = 0;
    names.want((0..5_000).map(|n| account(&format!("{n:04}"))));
    while let Some(asked) = names.next() {
        assert!(asked.len() <= PEOPLE);
        names.answered(asked, Some(Vec::new()));
        times += 1;
    }
    assert_eq!(times, MOST / PEOPLE);
}
