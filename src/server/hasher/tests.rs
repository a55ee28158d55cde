use super::*;

#[test]
fn a_letter_in_pieces_is_the_same_letter() {
    let password = |text| Password::parse(text).expect("valid");
    let (whole, pieces) = (password("Zo\u{eb}"), password("Zoe\u{308}"));
    let mut memory = Vec::new();
    let kept = hash(&pieces).expect("random bytes");
    assert!(is_right(&whole, &kept, &mut memory) && is_right(&pieces, &kept, &mut memory));
    assert!(!is_right(&password("Zoe"), &kept, &mut memory));
    // Kept before this rule.
    let old = derive(&pieces, &[7; 16], &mut memory).map(|hash| Hashed { salt: vec![7; 16], hash }).expect("hashed");
    assert!(is_right(&pieces, &old, &mut memory), "nobody is locked out");
}

#[test]
fn right_and_wrong() {
    let password = Password::parse("secret").expect("valid");
    let hashed = hash(&password).expect("random bytes");
    let (jobs, todo) = crossbeam_channel::bounded(4);
    let (done, outcomes) = crossbeam_channel::unbounded();
    let worker = start(todo, done, || ()).expect("a thread");
    for (job, text) in [(1, "secret"), (2, "Secret")] {
        let password = Password::parse(text).expect("valid");
        jobs.send(Job::Check { job, password, against: hashed.clone() }).expect("alive");
    }
    let got: Vec<_> = outcomes.iter().take(2).collect();
    assert_eq!(got, [Outcome::Checked { job: 1, right: true }, Outcome::Checked { job: 2, right: false }]);
    drop(jobs);
    worker.join().expect("no panic");
}
