//! What writers of clients are told: it agrees with the decoder, can be printed, and shows no password.
#![no_main]

use hongyan::protocol::wire::explain::{Colour, explain};
use hongyan::protocol::wire::{Charset, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    for charset in [Charset::Utf8, Charset::Gb18030] {
        let explained = explain(datagram, charset);
        let (decoded, seen) = Request::decode(datagram, charset);
        assert_eq!(explained.is_request(), decoded.is_ok(), "{decoded:?} {:?}", explained.findings);
        if let Ok(request) = decoded {
            assert_eq!((explained.operation, explained.charset), (Some(request.operation()), seen));
        }
        for finding in &explained.findings {
            assert!(finding.bytes.start <= finding.bytes.end && finding.bytes.end <= datagram.len());
        }
        for locale in ["en", "zh-CN"] {
            let lines = explained.lines(locale, Colour::None);
            assert!(lines.iter().all(|line| !line.chars().any(char::is_control)), "{lines:?}");
            assert!(explained.json(locale).is_object());
        }
        if datagram.starts_with(b"01#") || datagram.starts_with(b"02#") {
            let shown = explained.shown();
            let account = datagram.split(|b| *b == b'#').nth(1).unwrap_or_default();
            for secret in datagram.split(|b| *b == b'#').skip(2).filter(|s| s.len() >= 8) {
                let within = account.windows(secret.len()).any(|w| w == secret);
                assert!(within || !shown.as_bytes().windows(secret.len()).any(|w| w == secret), "{shown}");
            }
        }
    }
});
