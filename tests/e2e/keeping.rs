//! What is typed and not sent, and messages of several days.

use std::time::{Duration, Instant};

use super::desk::until;
use super::peers::ByHand;
use super::{Place, chat_with, say};

/// The other side is away, and the server keeps it.
const KEPT: Option<i64> = Some(8);

#[test]
fn what_is_typed_survives_any_end_of_the_program() {
    let place = Place::new();
    let _server = place.serve();
    ByHand::new(place.at).ask("01#bob#secret#secret#");
    let sam = place.log_in("sam", "en");
    chat_with(&sam, "Hongyan", "bob", "bob");
    say(&sam, "sent before");
    sam.has("sam", "bob", "sent before", KEPT);
    sam.write("half a thought");
    let typed = Instant::now();
    until("it is on disk", || (sam.drafts("sam") == [("bob".to_owned(), "half a thought".to_owned())]).then_some(()));
    assert!(typed.elapsed() < Duration::from_secs(5), "{:?}", typed.elapsed());
    // As by kill -9.
    drop(sam);
    for (lang, login) in [("en", "Log in"), ("zh", "登录")] {
        let sam = place.open("sam", lang, &["--account", "sam"]);
        sam.window(login);
        sam.write("secret");
        sam.keys(&["Return"]);
        sam.no_window(login);
        sam.window(if lang == "zh" { "鸿雁" } else { "Hongyan" });
        place.desk.picture(&format!("draft-in-the-list-{lang}"));
        if lang == "en" {
            sam.keys(&["ctrl+q"]);
            assert!(sam.ended());
            continue;
        }
        chat_with(&sam, "鸿雁", "bob", "bob");
        sam.keys(&["Return"]);
        sam.has("sam", "bob", "half a thought", KEPT);
        until("it is a draft no more", || sam.drafts("sam").is_empty().then_some(()));
        sam.keys(&["ctrl+q"]);
        assert!(sam.ended());
    }
}
