//! Two equal messages are two messages; one that the server offers again is marked as such, if that can be proved.

use super::*;

/// The mailbox of our server: a take offers a message, and the next request other than 02 confirms it. Losses are given
/// by the number of the request, from 1.
struct Mailbox {
    waiting: Vec<&'static str>,
    offered: bool,
    asked: usize,
    /// The numbers of the requests and of the replies that do not arrive.
    lost: (Vec<usize>, Vec<usize>),
}

impl Mailbox {
    fn answer(&mut self, request: &str) -> Answers {
        if !matches!(request.get(..2), Some("08" | "09")) {
            if !request.starts_with("02") {
                self.confirm();
            }
            self.offered = false;
            return ours(request);
        }
        self.asked += 1;
        if self.lost.0.contains(&self.asked) {
            return Vec::new();
        }
        self.confirm();
        let reply = match (request, self.waiting.first()) {
            ("08#", _) => format!("08:{}", self.waiting.len()),
            (_, None) => "09:01".to_owned(),
            (_, Some(text)) => {
                self.offered = true;
                format!("09:b:2026-11-21 12:04:58:{text}")
            }
        };
        if self.lost.1.contains(&self.asked) { Vec::new() } else { at_once(&reply) }
    }

    fn confirm(&mut self) {
        if std::mem::take(&mut self.offered) {
            self.waiting.remove(0);
        }
    }
}

fn received(world: &World<'_>) -> Vec<(String, bool)> {
    let came = world.events.iter().filter_map(|(_, e)| match e {
        Event::Received { text, repeat, .. } => Some((text.clone(), *repeat)),
        _ => None,
    });
    came.collect()
}

fn told(world: &World<'_>) -> Vec<u64> {
    let told = world.events.iter().filter_map(|(_, e)| if let Event::Unread(n) = e { Some(*n) } else { None });
    told.collect()
}

#[test]
fn equal_messages_are_messages() {
    for known in [true, false] {
        let mut mailbox =
            Mailbox { waiting: vec!["ha", "ha", "ha"], offered: false, asked: 0, lost: Default::default() };
        let server = move |_: Duration, request: &str| match request.get(..2) {
            Some("11") if !known => at_once("00:00"),
            _ => mailbox.answer(request),
        };
        let mut world = World::new(Polling::Adaptive, server);
        world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
        world.run(secs(60));
        assert_eq!(received(&world), vec![("ha".to_owned(), false); 3], "ours: {known}");
    }
}

#[test]
fn what_is_offered_again_is_marked_and_what_only_looks_so_is_not() {
    // After 08 and the first 09, the second 09 is lost (the first message comes again), or its answer is (it does not).
    let cases = [
        (vec!["ha", "ha"], (vec![3], vec![]), vec![("ha", false), ("ha", true), ("ha", false)]),
        (vec!["ha", "ha"], (vec![], vec![3]), vec![("ha", false), ("ha", false)]),
        (vec!["ha", "ho"], (vec![3], vec![]), vec![("ha", false), ("ha", true), ("ho", false)]),
        (vec!["ha", "ho"], (vec![], vec![3]), vec![("ha", false), ("ho", false)]),
        // The last one: 09 that would have said that there is no more.
        (vec!["ha"], (vec![3], vec![]), vec![("ha", false), ("ha", true)]),
        (vec!["ha"], (vec![], vec![3]), vec![("ha", false)]),
    ];
    for (waiting, lost, expected) in cases {
        let case = format!("{waiting:?} {lost:?}");
        let mut mailbox = Mailbox { waiting, offered: false, asked: 0, lost };
        let mut world = World::new(Polling::Adaptive, move |_, request: &str| mailbox.answer(request));
        world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
        world.run(secs(60));
        let came = received(&world);
        assert_eq!(came.iter().map(|(text, repeat)| (text.as_str(), *repeat)).collect::<Vec<_>>(), expected, "{case}");
        assert!(!world.events.iter().any(|(_, e)| matches!(e, Event::MaybeLost(_))), "{case}");
        assert_eq!(told(&world).last(), Some(&0), "{case}");
    }
}

#[test]
fn a_new_process_knows_what_the_last_one_was_handed() {
    // The last one counted two, took one and ended; the server has heard of that, or not.
    for (confirmed, expected) in [(false, vec![true, false]), (true, vec![false])] {
        let waiting = if confirmed { vec!["ha"] } else { vec!["ha", "ha"] };
        let mut mailbox = Mailbox { waiting, offered: false, asked: 0, lost: Default::default() };
        let mut world = World::new(Polling::Adaptive, move |_, request: &str| mailbox.answer(request));
        world.session.login(world.now, account("a"), Password::parse("x").expect("valid"));
        world.session.set_handed(LastDelivery {
            from: account("b"),
            time: "2026-11-21 12:04:58".to_owned(),
            raw: b"ha".to_vec(),
            left: Some(1),
        });
        world.run(secs(60));
        assert_eq!(received(&world).iter().map(|(_, repeat)| *repeat).collect::<Vec<_>>(), expected);
    }
}
