//! What people and logs read of a datagram: never a password.
#![no_main]

use hongyan::protocol::wire::show;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    for locale in ["en", "zh-CN"] {
        assert!(!show::request(datagram, locale).is_empty() && !show::reply(datagram, locale).is_empty());
    }
    let starred = show::starred(datagram);
    if datagram.starts_with(b"01#") || datagram.starts_with(b"02#") {
        let (fields, shown) = (datagram.split(|b| *b == b'#'), starred.split(|b| *b == b'#'));
        assert_eq!(fields.clone().count(), shown.clone().count());
        for (field, shown) in fields.zip(shown).skip(2) {
            assert!(shown == b"******" || (field.is_empty() && shown.is_empty()));
        }
    } else {
        assert_eq!(starred, datagram);
    }
});
