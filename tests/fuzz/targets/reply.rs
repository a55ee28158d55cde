//! What a client reads: any bytes, whatever time format it has learned.
#![no_main]

use hongyan::protocol::wire::{Charset, Learned, Reply, TimeFormat};
use libfuzzer_sys::fuzz_target;

const FORMATS: [TimeFormat; 6] = [
    TimeFormat::Standard,
    TimeFormat::Iso,
    TimeFormat::ClockSeconds,
    TimeFormat::Clock,
    TimeFormat::Ctime,
    TimeFormat::Epoch,
];

fuzz_target!(|datagram: &[u8]| {
    for format in FORMATS {
        let mut learned = Learned::default();
        learned.format = format;
        let reply = Reply::decode(datagram, &mut learned);
        // What was learned from a reply reads that reply the same way.
        assert_eq!(Reply::decode(datagram, &mut learned), reply);
        if let Reply::Take(Some(delivery)) | Reply::TakeAll(Some(delivery)) = &reply {
            let end = datagram.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
            assert!(datagram[..end].ends_with(&delivery.body.raw), "the body is what stands at the end");
        }
        assert_eq!(matches!(reply, Reply::Other(_)), reply.operation().is_none());
        let _ = (reply.encode(Charset::Utf8), reply.encode(Charset::Gb18030));
    }
});
