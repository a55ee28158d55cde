use super::*;

const RTT: Duration = Duration::from_millis(40);

/// Asks a server that is a function, at this loss: what was found, after how long and how many datagrams.
fn find(seed: u64, loss: u64, server: impl Fn(&str) -> Option<String>) -> (Option<SpokenDialect>, Duration, usize) {
    let (start, mut dice) = (Instant::now(), Dice::new(seed));
    let (mut now, mut sent) = (start, 0);
    let mut finding = DialectQuery::new(now, &mut dice);
    let mut coming: VecDeque<(Instant, String)> = VecDeque::new();
    while now - start < Duration::from_secs(15) {
        while let Some(transmit) = finding.poll_transmit() {
            sent += 1;
            let text = String::from_utf8(transmit.bytes).expect("text");
            let answer = server(&text);
            assert!(!text.starts_with("10#") || answer.iter().all(|a| a.len() <= text.len()), "{answer:?}");
            if dice.roll() % 100 >= loss && dice.roll() % 100 >= loss {
                coming.extend(answer.map(|answer| (now + RTT, answer)));
            }
        }
        if coming.front().is_some_and(|(at, _)| *at <= finding.poll_timeout())
            && let Some((at, answer)) = coming.pop_front()
        {
            now = at;
            if let Some(found) = finding.handle_text(now, answer.as_bytes()) {
                return (Some(found), now - start, sent);
            }
        } else {
            now = finding.poll_timeout();
            finding.handle_timeout(now);
        }
    }
    (None, now - start, sent)
}

fn ours(request: &str) -> Option<String> {
    match request.split('#').collect::<Vec<_>>()[..] {
        ["10", "Q1", nonce, ..] => Some(format!("10:01:Q1:{nonce}")),
        _ => Some("07:01".into()),
    }
}

#[test]
fn each_kind_of_server_is_told_from_the_others() {
    assert_eq!(find(1, 0, ours), (Some(SpokenDialect::Secure), RTT, 1));
    for answer in ["00:00", "07:01", "what?", "10:02", "10#echo"] {
        assert_eq!(find(1, 0, |_| Some(answer.into())), (Some(SpokenDialect::Plain), RTT, 1), "{answer}");
    }
    let silent = |request: &str| (!request.starts_with("10")).then(|| "07:01".to_owned());
    let (found, took, _) = find(1, 0, silent);
    assert_eq!(found, Some(SpokenDialect::Plain));
    assert!(took < Duration::from_millis(1_300), "{took:?}");
    let (found, _, sent) = find(1, 0, |_| None);
    assert_eq!(found, None, "silence says nothing");
    assert!(sent < 45, "{sent}");
    let liar = |_: &str| Some("10:01:Q1:0".to_owned());
    assert_eq!(find(1, 0, liar).0, None, "an answer to another question");
}

#[test]
fn on_a_bad_network_ours_is_never_taken_for_another() {
    let (mut plain, mut slowest) = (0, Duration::ZERO);
    for seed in 0..20_000 {
        let (found, took, _) = find(seed, 30, ours);
        plain += usize::from(found == Some(SpokenDialect::Plain));
        slowest = slowest.max(took);
        assert!(found.is_some(), "seed {seed}");
    }
    println!("{plain} of 20,000 taken for plain ones, the slowest after {slowest:?}");
    assert!(plain <= 2, "{plain}");
}
