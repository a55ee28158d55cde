//! Two people become friends in their windows, each by what the other one did, and see each other's names.

use super::desk::until;
use super::peers::ByHand;
use super::{Place, say};

#[test]
fn two_who_ask_and_accept_are_friends_and_hear_of_each_others_names() {
    let place = Place::new();
    let _server = place.serve();
    let (sam, tia) = (place.log_in("sam", "en"), place.log_in("tia", "zh"));
    tia.window("鸿雁");
    sam.window("Hongyan");
    sam.keys(&["ctrl+n"]);
    sam.window("Add a friend");
    sam.write("tia");
    sam.keys(&["Tab", "Tab", "Tab"]);
    sam.write("we sit together");
    place.desk.picture("friend-request");
    sam.keys(&["Return"]);
    sam.no_window("Add a friend");
    sam.window("Chatting with tia");
    sam.said("Your request was sent to tia");
    // The request stands at the top; Enter opens what can be done, and the first of it is to accept.
    tia.said("sam 请求加你为好友：“we sit together”");
    tia.window("鸿雁");
    tia.keys(&["ctrl+k", "Down", "Home", "Down"]);
    place.desk.picture("friend-requested");
    let before = tia.titles().len();
    tia.keys(&["Return"]);
    until("the menu", || (tia.titles().len() > before).then_some(()));
    std::thread::sleep(std::time::Duration::from_millis(500));
    tia.keys(&["Return"]);
    sam.said("You and tia are friends now.");
    // A name that one gives oneself is seen by the other at once, over the chat that is open.
    tia.window("鸿雁");
    tia.menu();
    tia.keys(&["Down", "Down", "Return"]);
    tia.window("我的资料");
    tia.keys(&["ctrl+a"]);
    tia.write("Tia T");
    place.desk.picture("profile");
    tia.keys(&["Return"]);
    tia.no_window("我的资料");
    sam.window("Chatting with Tia T");
    say(&sam, "hello");
    tia.has("tia", "sam", "hello", None);
    // Somebody takes no requests, and that is said; they stand in the list all the same.
    ByHand::new(place.at).ask("01#una#secret#secret#");
    let una = place.open("una", "en", &["--account", "una"]);
    una.window("Log in");
    una.write("secret");
    una.keys(&["Return"]);
    una.no_window("Log in");
    una.window("Hongyan");
    una.menu();
    una.keys(&["Down", "Down", "Return"]);
    una.window("My profile");
    una.write("Una");
    // From the name on: the line, thirteen colours, everybody, who answers, nobody.
    una.keys(&["Tab"; 17]);
    una.keys(&["space"]);
    place.desk.picture("profile-nobody");
    una.keys(&["shift+Tab"; 17]);
    una.keys(&["Return"]);
    una.no_window("My profile");
    sam.window("Hongyan");
    sam.keys(&["ctrl+n"]);
    sam.window("Add a friend");
    sam.write("una");
    sam.keys(&["Return"]);
    sam.said("una accepts no friend requests.");
    sam.no_window("Add a friend");
    place.desk.picture("friends");
}
