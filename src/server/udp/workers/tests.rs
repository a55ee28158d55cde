use std::time::Duration;

use super::*;
use crate::server::hasher::Hashed;
use crate::server::store::{Done, Read, Write};

#[test]
fn what_is_stored_together_is_answered_in_its_order_also_at_the_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let (woken, wakes) = crossbeam_channel::unbounded();
    let wake = move || woken.send(()).unwrap_or_default();
    let mut workers = Workers::start(Store::open(dir.path()).expect("new"), wake, Instant::now).expect("threads");
    let hashed = Hashed { salt: vec![1], hash: vec![2] };
    workers.store_later(Op::Write(Write::Register { job: 1, name: "a".into(), hashed, profile: None, at: 0 }));
    workers.store_later(Op::Read(Read::Offer { job: 2, account: 1, from: None }));
    assert_eq!((workers.to_store(), workers.store(), workers.to_store()), (2, Ok(()), 0));
    let results = workers.stored_by(Instant::now() + Duration::from_secs(60)).expect("answered");
    assert_eq!(results.done.iter().map(Done::job).collect::<Vec<_>>(), [1, 2]);
    assert!(wakes.recv_timeout(Duration::from_secs(60)).is_ok());

    workers.store_later(Op::Read(Read::Offer { job: 3, account: 1, from: None }));
    assert_eq!(workers.store(), Ok(()));
    workers.close();
    workers.join();
    assert!(workers.stored().is_some_and(|results| results.done.iter().map(Done::job).eq([3])));
    assert!(workers.hashed().is_none());
}

#[test]
fn the_timer_wakes_when_it_is_due() {
    let dir = tempfile::tempdir().expect("a folder");
    let (woken, wakes) = crossbeam_channel::unbounded();
    let wake = move || woken.send(()).unwrap_or_default();
    let mut workers = Workers::start(Store::open(dir.path()).expect("new"), wake, Instant::now).expect("threads");
    let now = Instant::now();
    assert!(!workers.is_due(|| now));
    workers.wake_at(now, now + Duration::from_millis(20));
    workers.wake_at(now, now + Duration::from_secs(3600));
    assert!(wakes.recv_timeout(Duration::from_secs(60)).is_ok(), "the earlier one stands");
    assert!(!workers.is_due(|| now) && workers.is_due(Instant::now));
    assert!(!workers.is_due(Instant::now), "once");
}
