//! Steps 01 to 03: the terminal.

use crate::program::{Program, Served};

#[test]
fn s01_an_echo_pair_takes_turns() {
    let serving = Program::start("01_echo", &["serve", "127.0.0.1:0"], None);
    let address = serving.says("listening on ").replace("listening on ", "");
    let mut talking = Program::start("01_echo", &[&address], None);
    for line in ["hello", "你好", "a#b:c"] {
        talking.types(line);
        assert_eq!(talking.says(""), line);
        assert!(serving.says("says").ends_with(&format!(" says {line}")));
    }
    talking.ended();
}

/// The whole table, every error included, as the assignment's test document.
#[test]
fn s02_every_answer_can_be_had_by_hand() {
    let server = Served::new();
    let at = [server.at.to_string()];
    let (mut a, mut b) = (Program::start("02_by_hand", &at, None), Program::start("02_by_hand", &at, None));
    a.says("|---|");
    b.says("|---|");
    #[rustfmt::skip]
    let turns = [
        ('a', "08#", "07:01", "not logged in"),
        ('a', "06#", "06:02", "offline already"),
        ('a', "01#a#x#y#", "01:02", "passwords differ"),
        ('a', "01#a#x#x#", "01:01", "registered"),
        ('a', "01#a#x#x#", "01:03", "exists"),
        ('a', "02#nobody#x#", "02:03", "no such account"),
        ('a', "02#a#wrong#", "02:02", "wrong password"),
        ('a', "02#a#x#", "02:01", "logged in"),
        ('a', "02#a#x#", "02:04", "already"),
        ('b', "01#b#x#x#", "01:01", "registered"),
        ('a', "03#b#在吗#", "03:02", "offline"),
        ('b', "02#b#x#", "02:01", "logged in"),
        ('a', "03#b#12:30 见#", "03:01", "delivered"),
        ('b', "08#", "08:2", "unread from everybody"),
        ('b', "04#a#", "04:2", "this friend"),
        ('b', "05#a#", ":在吗", "sender : time : message"),
        ('b', "09#", ":12:30 见", "sender : time : message"),
        ('b', "05#a#", "05:01", "nothing unread"),
        ('b', "09#", "09:01", "nothing unread"),
        ('b', "03#a#unclosed", "00:00", "malformed"),
        ('b', "06#", "06:01", "gone offline"),
    ];
    for (who, request, reply, meaning) in turns {
        let program = if who == 'a' { &mut a } else { &mut b };
        program.types(request);
        let row = program.says("");
        let cells: Vec<&str> = row.split(" | ").collect();
        assert!(cells.len() == 3 && cells[0] == format!("| `{request}`"), "{row}");
        assert!(cells[1].ends_with(&format!("{reply}`")) && cells[2].contains(meaning), "{row}");
    }
    a.ended();
    b.ended();
}

#[test]
fn s02_silence_is_said() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let mut hand = Program::start("02_by_hand", &[silent.local_addr().expect("bound").to_string()], None);
    hand.types("08#");
    hand.says("no answer");
    hand.ended();
}

#[test]
fn s03_registers_and_logs_in() {
    let server = Served::new();
    let at = [server.at.to_string()];
    let mut new = Program::start("03_login", &at, None);
    let lines = ["20170001", "pass#word", "20170001", "secret", "other", "20170001", "secret", "secret"];
    for line in lines {
        new.types(line);
    }
    new.says("a # cannot be in a field");
    new.says("the passwords differ");
    new.says("registered");
    for line in ["20170001", "wrong", "20170001", "secret"] {
        new.types(line);
    }
    new.says("wrong password");
    new.says("20170001 is online");
    // From another address while the first is there: the session moves.
    let mut second = Program::start("03_login", &at, None);
    for line in ["20170001", "secret"] {
        second.types(line);
    }
    second.says("20170001 is online");
    new.types("");
    new.says("06:02");
    new.ended();
    second.types("");
    second.says("06:01");
    second.ended();
}
