//! What a server reads: any bytes, in either charset.
#![no_main]

use hongyan::protocol::wire::{Charset, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    for charset in [Charset::Utf8, Charset::Gb18030] {
        let (request, _) = Request::decode(datagram, charset);
        // What was understood can be said, and is understood as the same.
        if let Ok(request) = request {
            let said = request.encode(Charset::Utf8);
            match (Request::decode(&said, Charset::Utf8).0, request) {
                (Ok(Request::Send { to, body }), Request::Send { to: meant, body: text }) => {
                    assert_eq!((to, body.text), (meant, text.text));
                }
                (again, request) => assert_eq!(again, Ok(request)),
            }
        }
    }
});
