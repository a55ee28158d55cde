use super::*;

#[test]
fn the_timeout_follows_the_measured_time_and_doubles() {
    let mut rto = Rto::default();
    assert_eq!([1, 2, 3, 4, 5].map(|n| rto.timeout(n).as_millis()), [1_000, 2_000, 4_000, 8_000, 8_000]);
    rto.measure(Duration::from_millis(200));
    assert_eq!(rto.timeout(1).as_millis(), 600);
    for _ in 0..100 {
        rto.measure(Duration::from_millis(10));
    }
    assert_eq!([1, 2].map(|n| rto.timeout(n).as_millis()), [300, 600]);
    assert!(rto.smoothed().is_some_and(|t| t < Duration::from_millis(12)));
}

#[test]
fn a_longer_way_is_learned_though_no_first_try_is_answered() {
    let mut rto = Rto::default();
    for _ in 0..100 {
        rto.measure(Duration::from_millis(10));
    }
    // RFC 6298, 5.5 to 5.7: the doubled timeout stays until something was measured.
    rto.back_off(2);
    assert_eq!([1, 2].map(|n| rto.timeout(n).as_millis()), [1_200, 2_400]);
    rto.measure(Duration::from_millis(700));
    assert!((300..1_200).contains(&rto.timeout(1).as_millis()), "{:?}", rto.timeout(1));
    // A machine that slept between request and answer says nothing of the way.
    rto.measure(Duration::from_secs(30_000));
    for _ in 0..10 {
        rto.measure(Duration::from_millis(10));
    }
    assert!(rto.smoothed().is_some_and(|t| t < Duration::from_secs(1)) && rto.timeout(1) < Duration::from_secs(3));
}

#[test]
fn deadlines_are_spread_over_their_second_half() {
    let mut dice = Dice::new(7);
    let spread: Vec<u128> = (0..1_000).map(|_| dice.spread(Duration::from_millis(100)).as_millis()).collect();
    assert!(spread.iter().all(|ms| (50..=100).contains(ms)));
    assert!(spread.iter().any(|ms| *ms < 55) && spread.iter().any(|ms| *ms > 95));
    assert_eq!(Dice::new(7).roll(), Dice::new(7).roll());
}

#[test]
fn backoff_grows_to_its_last_step() {
    let mut backoff = Backoff::new(Backoff::POLL);
    let steps: Vec<u64> = (0..8).map(|_| backoff.advance().as_secs()).collect();
    assert_eq!(steps, [1, 2, 4, 8, 15, 30, 30, 30]);
    backoff.reset();
    assert_eq!(backoff.advance().as_secs(), 1);
}
