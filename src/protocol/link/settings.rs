//! The library's settings that decide whether the dialect works. Each was found by measuring; the
//! tests of `link` hold them, so that an update of the library that changes one is noticed.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn_proto::congestion::{Controller, ControllerFactory, NewReno, NewRenoConfig};
use quinn_proto::crypto::rustls::QuicClientConfig;
use quinn_proto::{
    AckFrequencyConfig, ClientConfig, EndpointConfig, HashedConnectionIdGenerator, IdleTimeout, RttEstimator,
    ServerConfig, TransportConfig, VarInt,
};

use super::identity::{Identity, IdentityError};
use super::{MAX_FRAME, tls};

const MTU: u16 = 1_200;
/// The congestion window never closes below this: a chat is never more than a trickle.
pub const LOWEST_WINDOW: u64 = 16 * MTU as u64;
/// Bytes that may wait to be sent to one peer.
pub(super) const MOST_QUEUED: usize = 4 * MAX_FRAME;
/// Silence after which a connection is thought gone.
const IDLE: u32 = 60_000;
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Whether a datagram is of this dialect, by its first bytes alone: below 0x40 is text, of the rest 0x40–0x7f is a
/// short header and from 0xc0 on a long one (version 1).
#[must_use]
pub fn is_packet(bytes: &[u8]) -> bool {
    match bytes {
        [0x40..=0x7f, rest @ ..] => rest.len() >= 20,
        [0xc0..=0xff, 0, 0, 0, 1, ..] => true,
        _ => false,
    }
}

fn transport(server: bool) -> TransportConfig {
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(VarInt::from_u32(0)).max_ack_delay(Some(Duration::from_millis(5)));
    // What one end may make the other keep. Our devices have 64 messages under way, far less than this.
    let window = if server { 64_000 } else { 256_000 };
    let mut config = TransportConfig::default();
    config
        .initial_rtt(Duration::from_millis(100))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE))))
        .keep_alive_interval((!server).then_some(KEEP_ALIVE))
        .initial_mtu(MTU)
        .min_mtu(MTU)
        .mtu_discovery_config(None)
        .ack_frequency_config(Some(acks))
        .congestion_controller_factory(Arc::new(FlooredConfig))
        .send_window(window.into())
        .stream_receive_window(VarInt::from_u32(window))
        .receive_window(VarInt::from_u32(window))
        .max_concurrent_bidi_streams(VarInt::from_u32(u32::from(server)))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(Some(256))
        .datagram_send_buffer_size(256)
        .enable_segmentation_offload(false);
    config
}

fn endpoint(mut config: EndpointConfig, seed: Option<[u8; 32]>) -> EndpointConfig {
    // Half of all datagrams would break the rule of the first byte.
    config.grease_quic_bit(false).rng_seed(seed).supported_versions(vec![1]);
    config
}

pub(super) fn client_endpoint(seed: Option<[u8; 32]>) -> EndpointConfig {
    endpoint(EndpointConfig::default(), seed)
}

pub(super) fn server_endpoint(identity: &Identity, seed: Option<[u8; 32]>) -> EndpointConfig {
    let mut config = EndpointConfig::new(Arc::new(identity.reset_key()));
    let key = identity.connection_id_key();
    config.cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(key)));
    // A restarted server answers everybody's first packet. The default is one a while for all; with one a millisecond,
    // of 1,000 devices that noticed together some needed a fourth try, half a minute later.
    config.min_reset_interval(Duration::from_micros(100));
    endpoint(config, seed)
}

pub(super) fn server(identity: &Identity) -> Result<ServerConfig, IdentityError> {
    let crypto = Arc::new(tls::server(identity.pkcs8())?);
    let mut config = ServerConfig::new(crypto, Arc::new(identity.token_key()));
    config
        .transport_config(Arc::new(transport(true)))
        .max_incoming(256)
        .incoming_buffer_size(16_384)
        .incoming_buffer_size_total(4 << 20);
    config.validation_token.sent(0);
    Ok(config)
}

pub(super) fn client(crypto: QuicClientConfig) -> ClientConfig {
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport(false)));
    config
}

/// NewReno that never goes below [`LOWEST_WINDOW`].
struct FlooredConfig;

impl ControllerFactory for FlooredConfig {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        Box::new(FlooredNewReno(NewReno::new(Arc::new(NewRenoConfig::default()), now, mtu)))
    }
}

#[derive(Clone)]
struct FlooredNewReno(NewReno);

impl Controller for FlooredNewReno {
    fn on_sent(&mut self, now: Instant, bytes: u64, last: u64) {
        self.0.on_sent(now, bytes, last);
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, limited: bool, rtt: &RttEstimator) {
        self.0.on_ack(now, sent, bytes, limited, rtt);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, limited: bool, largest: Option<u64>) {
        self.0.on_end_acks(now, in_flight, limited, largest);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, persistent: bool, lost: u64) {
        self.0.on_congestion_event(now, sent, persistent, lost);
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.0.on_mtu_update(mtu);
    }

    fn window(&self) -> u64 {
        self.0.window().max(LOWEST_WINDOW)
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.0.initial_window().max(LOWEST_WINDOW)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use bytes::BytesMut;
    use quinn_proto::{ConnectionIdGenerator, DatagramEvent, Endpoint};

    use super::*;

    /// Everything the library says of a configuration, its own choices included: an update that changes one, or
    /// adds one, is to be looked at.
    #[track_caller]
    fn says(config: &impl std::fmt::Debug, wanted: &str) {
        assert_eq!(format!("{config:?}"), wanted);
    }

    fn whole_transport(bidi: u8, window: u32, keep_alive: &str) -> String {
        format!(
            "TransportConfig {{ max_concurrent_bidi_streams: {bidi}, max_concurrent_uni_streams: 0, \
             max_idle_timeout: Some(60000), stream_receive_window: {window}, receive_window: {window}, \
             send_window: {window}, send_fairness: true, packet_threshold: 3, time_threshold: 1.125, \
             initial_rtt: 100ms, initial_mtu: 1200, min_mtu: 1200, mtu_discovery_config: None, pad_to_mtu: false, \
             ack_frequency_config: Some(AckFrequencyConfig {{ ack_eliciting_threshold: 0, max_ack_delay: Some(5ms), \
             reordering_threshold: 2 }}), persistent_congestion_threshold: 3, keep_alive_interval: {keep_alive}, \
             crypto_buffer_size: 16384, allow_spin: true, datagram_receive_buffer_size: Some(256), \
             datagram_send_buffer_size: 256, enable_segmentation_offload: false, .. }}"
        )
    }

    #[test]
    fn what_was_found_by_measuring_is_set_and_the_rest_is_as_it_was_measured_with() {
        let identity = Identity::generate().expect("random bytes");
        let at_server = whole_transport(1, 64_000, "None");
        says(&transport(true), &at_server);
        says(&transport(false), &whole_transport(0, 256_000, "Some(15s)"));
        let server = server(&identity).expect("a key");
        says(
            &server,
            &format!(
                "ServerConfig {{ transport: {at_server}, retry_token_lifetime: 15s, validation_token: \
                 ServerValidationTokenConfig {{ lifetime: 1209600s, sent: 0, .. }}, migration: true, \
                 preferred_address_v4: None, preferred_address_v6: None, max_incoming: 256, \
                 incoming_buffer_size: 16384, incoming_buffer_size_total: 4194304, .. }}"
            ),
        );
        let both = "EndpointConfig { max_udp_payload_size: 1472, supported_versions: [1], grease_quic_bit: false, \
                    rng_seed: None, .. }";
        says(&client_endpoint(None), both);
        says(&server_endpoint(&identity, None), both);
    }

    #[test]
    fn the_congestion_window_has_a_floor() {
        let now = Instant::now();
        let mut floored = FlooredNewReno(NewReno::new(Arc::new(NewRenoConfig::default()), now, MTU));
        for n in 1..20 {
            floored.on_congestion_event(now + Duration::from_secs(n), now + Duration::from_secs(n), true, 1_200);
        }
        assert_eq!((floored.window(), floored.0.window()), (19_200, 2 * u64::from(MTU)), "the library's own is lower");
        assert_eq!(Arc::new(FlooredConfig).build(now, MTU).initial_window(), 19_200);
    }

    /// As many as notice a restart within a tenth of a second are all told at once. The library's own choice is one
    /// each 20 ms.
    #[test]
    fn a_restarted_server_resets_whoever_speaks() {
        let identity = Identity::generate().expect("random bytes");
        let server_config = Arc::new(server(&identity).expect("a key"));
        let config = Arc::new(server_endpoint(&identity, Some([7; 32])));
        let mut endpoint = Endpoint::new(config, Some(server_config), false, None);
        let mut ids = HashedConnectionIdGenerator::from_key(identity.connection_id_key());
        let begun = Instant::now();
        for n in 1..=1_000 {
            let mut packet = BytesMut::from(&[0x40][..]);
            packet.extend_from_slice(&ids.generate_cid());
            packet.extend_from_slice(&[5; 60]);
            let from = SocketAddr::from(([127, 0, 0, 1], 1_000 + n));
            let now = begun + Duration::from_micros(100) * u32::from(n);
            let answer = endpoint.handle(now, from, None, None, packet, &mut Vec::new());
            assert!(matches!(answer, Some(DatagramEvent::Response(_))), "number {n}");
        }
    }
}
