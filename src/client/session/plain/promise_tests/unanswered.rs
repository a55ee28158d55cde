//! A message that the server does not answer though it answers others, and a network that loses much.

use super::*;

/// Returns the last state of a message, and how often it was sent.
fn outcome(world: &World<'_>, id: i64) -> (Option<SendState>, usize) {
    (world.state(id), world.count(&format!("03#b#{id}#")))
}

#[test]
fn a_message_without_an_answer_goes_out_twice_and_holds_up_nobody() {
    // Both kinds of servers: one whose disk is full says nothing to 03 either.
    for known in [true, false] {
        let mut world = World::online(Polling::Adaptive, |_, request: &str| match request {
            "03#b#1#" => Vec::new(),
            request if known => ours(request),
            request => plain(request),
        });
        world.run(secs(5));
        for id in 1..=3 {
            world.send(id, "b");
        }
        world.run(secs(30));
        let states = [1, 2, 3].map(|id| outcome(&world, id));
        let once = (Some(SendState::Sent), 1);
        assert_eq!(states, [(Some(SendState::NoAnswer), 2), once, once], "ours: {known}");
        assert!(
            matches!(world.session.link(), ConnectionState::Connected { .. }),
            "the server answers: {:?}",
            world.session.link()
        );
        world.run(secs(600));
        assert_eq!(world.count("03"), 4, "nobody but its writer sends it again");
        world.send(1, "b");
        world.run(secs(30));
        assert_eq!(outcome(&world, 1), (Some(SendState::NoAnswer), 4), "and if they do, the same holds");
    }
}

/// On a slow path the question who is online would come after the first message, and its `00:00` would be taken for
/// that message's.
#[test]
fn what_a_server_says_to_another_question_refuses_no_message() {
    for ms in [0, 50, 350, 700, 1_300] {
        let mut world = World::new(Polling::Adaptive, move |_, request: &str| {
            let answers = if request.starts_with("03") { Vec::new() } else { plain(request) };
            answers.into_iter().map(|(_, reply)| (Duration::from_millis(ms), reply)).collect()
        });
        world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
        world.send(1, "b");
        world.run(secs(60));
        assert_eq!(outcome(&world, 1), (Some(SendState::NoAnswer), 2), "after {ms} ms");
        assert!(world.count("11") > 0, "it was asked");
    }
}

#[test]
fn a_server_that_answers_no_message_gets_each_twice() {
    let mut world =
        World::online(
            Polling::Adaptive,
            |_, request: &str| {
                if request.starts_with("03") { Vec::new() } else { plain(request) }
            },
        );
    for id in 1..=5 {
        world.send(id, "b");
    }
    world.run(secs(120));
    for id in 1..=5 {
        assert_eq!(outcome(&world, id), (Some(SendState::NoAnswer), 2));
    }
}

#[test]
fn an_answer_that_comes_seconds_late_is_that_of_its_message_and_confirms_no_other() {
    // One thread that sleeps before it answers 03; to the second message it says nothing at all.
    for seconds in 1..=7 {
        let mut world = World::online(Polling::Adaptive, |_, request: &str| match request {
            "03#b#2#" => Vec::new(),
            request if request.starts_with("03") => vec![(secs(seconds), "03:01".to_owned())],
            request => plain(request),
        });
        for id in 1..=2 {
            world.send(id, "b");
        }
        world.run(secs(60));
        let (state, copies) = outcome(&world, 1);
        assert!(
            state == Some(SendState::Sent) && copies == 1 || state == Some(SendState::MaybeSentTwice) && copies == 2
        );
        assert_eq!(outcome(&world, 2), (Some(SendState::NoAnswer), 2), "after {seconds} s");
    }
}

#[test]
fn an_answer_after_all_hope_is_told_of_the_message_it_can_only_belong_to() {
    let mut world =
        World::online(
            Polling::Adaptive,
            |_, request: &str| {
                if request.starts_with("03") { Vec::new() } else { plain(request) }
            },
        );
    world.send(1, "b");
    world.run(secs(30));
    assert_eq!(world.state(1), Some(SendState::NoAnswer));
    world.session.handle_datagram(world.now, b"03:01");
    world.drain();
    assert_eq!(world.state(1), Some(SendState::MaybeSentTwice));
    // Of two, nobody knows whose it is.
    for id in 2..=3 {
        world.send(id, "b");
    }
    world.run(secs(60));
    world.session.handle_datagram(world.now, b"03:01");
    world.drain();
    assert_eq!([2, 3].map(|id| world.state(id)), [Some(SendState::NoAnswer); 2]);
}

/// Returns how long 100 messages take on a network that loses this percentage each way, and the most copies of one.
fn under_loss(seed: u64, percent: u64) -> (Duration, usize) {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut lost = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 20) % 100 < percent
    };
    let mut arrived: Vec<String> = Vec::new();
    let server = |time: Duration, request: &str| {
        let faulty = time > Duration::from_millis(100);
        if faulty && lost() {
            return Vec::new();
        }
        if request.starts_with("03") {
            arrived.push(request.to_owned());
        }
        let answers = ours(request);
        if faulty && lost() { Vec::new() } else { answers }
    };
    let mut world = World::online(Polling::Adaptive, server);
    let begin = world.time();
    for id in 1..=100 {
        world.send(id, "b");
    }
    let open = |state| matches!(state, Some(SendState::Waiting | SendState::Sending) | None);
    while (1..=100).any(|id| open(world.state(id))) {
        world.run(Duration::from_millis(100));
        assert!(world.time() < secs(3_600), "seed {seed}");
    }
    let took = world.time() - begin;
    let outcomes: Vec<_> = (1..=100).map(|id| outcome(&world, id)).collect();
    drop(world);
    for (id, (state, copies)) in (1..).zip(&outcomes) {
        let there = arrived.iter().filter(|request| **request == format!("03#b#{id}#")).count();
        let right = match state {
            Some(SendState::Sent) => *copies == 1 && there == 1,
            Some(SendState::MaybeSentTwice) => *copies == 2 && there >= 1,
            Some(SendState::NoAnswer) => *copies == 2,
            _ => false,
        };
        assert!(right, "seed {seed}: {id} is {state:?}, went {copies} times and is there {there} times");
    }
    let mut order: Vec<&String> = arrived.iter().collect();
    order.dedup();
    assert!(order.len() <= 100, "in their order");
    (took, outcomes.iter().map(|(_, copies)| *copies).max().unwrap_or(0))
}

#[test]
fn much_loss_costs_time_in_proportion() {
    #![allow(clippy::print_stdout, reason = "figures are shown with --nocapture")]
    for (percent, most) in [(0, 2), (10, 25), (20, 50), (30, 110)] {
        let took: Vec<_> = (1..=8).map(|seed| under_loss(seed, percent).0).collect();
        let (mean, worst) = (took.iter().sum::<Duration>() / 8, took.iter().max().copied().unwrap_or_default());
        println!("{percent} % lost each way: 100 messages take {mean:.1?} in the mean of 8 runs, {worst:.1?} at worst");
        assert!(worst < secs(most), "{percent} %: {took:?}");
    }
}
