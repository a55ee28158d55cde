use super::*;

#[test]
fn each_dialect_shows_what_it_knows() {
    let at: SocketAddr = "192.0.2.1:9".parse().expect("valid");
    let mut connection = Connection {
        server: at,
        own: None,
        link: ConnectionState::Offline,
        speaks: None,
        encrypted: None,
        rtt: None,
        deviation: None,
        sent: 0,
        again: 0,
        received: 7,
        dropped: 0,
        foreign: 0,
        elsewhere: None,
        waiting: 1,
        asking: 2,
        unsent: 3,
        not_storing: false,
        error: None,
    };
    let now = Instant::now();
    for locale in ["en", "zh-CN"] {
        let text = connection.text(now, locale);
        assert!(!text.contains("connection.") && !text.contains("%{") && text.contains("192.0.2.1:9"), "{text}");
    }
    assert_eq!(connection.rows(now, "en").len(), 10);
    connection.elsewhere = Some("192.0.2.1:10".parse().expect("valid"));
    assert!(!connection.text(now, "en").contains("192.0.2.1:10"), "the server itself answers");
    connection.received = 0;
    for (locale, port, address) in [("en", "another port", "another address"), ("zh-CN", "另一个端口", "另一个地址")]
    {
        connection.elsewhere = Some("192.0.2.1:10".parse().expect("valid"));
        let state = connection.state(now, locale);
        assert!(state.contains(port) && state.contains("192.0.2.1:10"), "{state}");
        connection.elsewhere = Some("192.0.2.2:9".parse().expect("valid"));
        let state = connection.state(now, locale);
        assert!(state.contains(address) && state.contains("192.0.2.2:9"), "{state}");
    }
    connection.received = 7;
    connection.speaks = Some(SpokenDialect::Secure);
    connection.encrypted =
        Some(Encrypted { key: vec![1; 44], least_rtt: Duration::from_millis(40), window: 19_200, queued: 0, moves: 2 });
    (connection.rtt, connection.deviation) = (Some(Duration::from_millis(50)), Some(Duration::from_millis(3)));
    (connection.sent, connection.again) = (200, 3);
    connection.error = Some((0, "no way there".into()));
    let text = connection.text(now, "en");
    for part in ["50.00 ms ± 3.00 ms, at least 40.00 ms", "3 of 200 (1.5 %)", &words(&[1; 44], false), "no way there"]
    {
        assert!(text.contains(part), "{part} {text}");
    }
    assert_eq!(connection.rows(now, "zh-CN").len(), 13);
    assert!(!text.contains("cannot store"), "{text}");
    connection.not_storing = true;
    assert!(connection.text(now, "en").contains("The server cannot store messages at the moment"));
    assert!(connection.text(now, "zh-CN").contains("服务器暂时无法保存消息"));
}
