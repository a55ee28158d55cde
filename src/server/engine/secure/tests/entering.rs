//! Logins: tries of passwords, and which sessions they end.

use super::*;

#[test]
fn a_try_counts_though_its_connection_ends_before_the_answer() {
    let mut world = World::new();
    for n in 0..6 {
        let peer = PeerId(10 + n);
        world.connect(peer.0);
        let password = Secret("guess".into());
        let login =
            FromClient::Login { id: 1, account: "a".into(), password, device: name(1), cursor: None, made: None };
        world.engine.frame(world.now, peer, &login.encode());
        let Some(Effect::Hash(Job::Check { job, .. })) = world.next() else { panic!("it is looked at") };
        world.engine.moved(peer, SocketAddr::from(([192, 0, 2, 1], 1)));
        world.engine.lost(world.now, peer);
        world.engine.hashed(world.now, Outcome::Checked { job, right: false });
        world.work();
    }
    // The sixth closes the door for a second, and no longer.
    assert_eq!(world.plainly(1, "02#a#a#"), [""; 0]);
    world.pass(Duration::from_secs(1));
    assert_eq!(std::mem::take(&mut world.plain), ["1 02:01"]);
}

#[test]
fn rebind_takes_a_devices_place_too() {
    let mut world = World::with(OnSecondLogin::Rebind);
    world.login(1, "a", 1, None);
    world.login(2, "b", 2, None);
    assert_eq!(world.plainly(7, "02#a#a#"), ["7 02:04"]);
    assert_eq!(world.heard(), [r#"1 {"t":"kicked","address":"127.0.0.1:7","at":1000}"#]);
    assert_eq!(world.plainly(7, "11#0#"), ["7 11:2:0:a:b"]);
    assert_eq!(world.say(2, &send(1, "@lobby", "hi")), [accepted(2, 1, 1, true)]);
    assert_eq!(world.plainly(7, "08#"), ["7 08:1"]);
}
