//! What both ends of the secure dialect read: any bytes, and each understood frame can be said again.
#![no_main]

use hongyan::protocol::wire::frame::{FromClient, FromServer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = FromClient::decode(bytes) {
        assert_eq!(FromClient::decode(&frame.encode()).ok(), Some(frame));
    }
    if let Ok(frame) = FromServer::decode(bytes) {
        assert_eq!(FromServer::decode(&frame.encode()).ok(), Some(frame));
    }
});
