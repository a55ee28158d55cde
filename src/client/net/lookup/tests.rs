use super::*;

fn server(at: &str, answer: &'static [u8]) -> SocketAddr {
    let socket = UdpSocket::bind(at).expect("a socket");
    let address = socket.local_addr().expect("bound");
    thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(answer, from);
        }
    });
    address
}

fn closed(at: &str) -> SocketAddr {
    UdpSocket::bind(at).and_then(|socket| socket.local_addr()).expect("a socket")
}

fn found(addresses: &[SocketAddr], preferred: Option<SocketAddr>) -> (FoundAddress, Duration) {
    let begun = clock::now().instant;
    let found = find("twin:1", |_| Ok(addresses.to_vec()), |at| Some(at) == preferred).expect("addresses");
    (found, clock::now().instant - begun)
}

#[test]
fn the_address_that_answers_is_taken_wherever_it_stands() {
    let plain = server("127.0.0.1:0", b"07:01");
    let other = server("[::1]:0", b"07:01");
    let silent = UdpSocket::bind("[::1]:0").expect("a socket");
    let silent_at = silent.local_addr().expect("bound");
    for dead in [closed("[::1]:0"), silent_at, "[100::1]:9".parse().expect("valid")] {
        for addresses in [[dead, plain], [plain, dead]] {
            let (found, took) = found(&addresses, None);
            assert_eq!(found, FoundAddress { address: plain, sure: true }, "{addresses:?}");
            assert!(took < Duration::from_secs(2), "{addresses:?}: {took:?}");
        }
    }
    // Both answer: the first, unless the other was used before.
    assert_eq!(found(&[other, plain], None).0.address, other);
    assert_eq!(found(&[other, plain], Some(plain)).0.address, plain);
}

#[test]
fn where_none_answers_the_first_is_tried_and_looked_for_again() {
    let echo = server("127.0.0.1:0", b"10#echo");
    let dead = closed("[::1]:0");
    let (found_none, took) = found(&[dead, echo], None);
    assert_eq!(found_none, FoundAddress { address: dead, sure: false }, "an echo is no server");
    assert!(took < Duration::from_secs(8), "{took:?}");
    // With one address there is nothing to choose, so nobody is asked.
    assert_eq!(found(&[dead, dead], None).0, FoundAddress { address: dead, sure: true });
    assert!(find("twin:1", |_| Ok(Vec::new()), |_| false).is_err());
    assert!(find("twin:1", |_| Err(ErrorKind::Other.into()), |_| false).is_err());
}

#[test]
fn an_address_is_asked_what_the_course_has_whatever_is_known_of_it() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let at = socket.local_addr().expect("bound");
    let told = thread::spawn(move || {
        let mut buffer = [0; 64];
        let mut asked = Vec::new();
        // The first is answered late, so that all it is asked meanwhile comes.
        while asked.len() < 4 {
            let (n, from) = socket.recv_from(&mut buffer).expect("a question");
            asked.push((String::from_utf8_lossy(&buffer[..n]).into_owned(), from));
        }
        let _ = socket.send_to(b"07:01", asked[0].1);
        asked.into_iter().map(|(text, _)| text).collect::<Vec<_>>()
    });
    let found = find("twin:1", |_| Ok(vec![at, closed("[::1]:0")]), |_| false);
    assert_eq!(found.expect("addresses"), FoundAddress { address: at, sure: true });
    assert_eq!(told.join().expect("asked"), ["08#"; 4]);
}
