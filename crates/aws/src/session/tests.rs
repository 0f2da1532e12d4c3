use super::*;

fn message() -> Message {
    Message {
        kind: MessageType::InputStreamData,
        created_ms: 1_700_000_000_123,
        sequence: 7,
        flags: 3,
        id: *b"0123456789abcdef",
        payload_type: payload_type::OUTPUT,
        payload: b"ls\n".to_vec(),
    }
}

#[test]
fn message_lies_in_its_bytes_as_the_protocol_says() {
    let bytes = message().encode();
    assert_eq!(bytes.len(), 120 + 3);
    assert_eq!(bytes[..4], [0, 0, 0, 116]);
    assert_eq!(&bytes[4..36], b"input_stream_data               ");
    assert_eq!(bytes[36..40], [0, 0, 0, 1]);
    assert_eq!(bytes[48..56], [0, 0, 0, 0, 0, 0, 0, 7]);
    assert_eq!(&bytes[64..80], b"89abcdef01234567", "the id's second half comes first");
    assert_eq!(hex::encode(&bytes[80..112]), mac::sha256_hex(b"ls\n"));
    assert_eq!(bytes[112..120], [0, 0, 0, 1, 0, 0, 0, 3]);
    assert_eq!(Message::decode(&bytes), Ok(message()));
}

#[test]
fn garbage_is_refused_for_what_is_wrong_with_it() {
    let good = message().encode();
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        Message::decode(&bytes)
    };
    assert_eq!(Message::decode(b""), Err(Malformed::Header));
    assert_eq!(Message::decode(&good[..100]), Err(Malformed::Header));
    assert_eq!(with(0, 255), Err(Malformed::Header));
    assert_eq!(with(3, 20), Err(Malformed::Header));
    assert_eq!(with(4, b'x'), Err(Malformed::Type));
    assert_eq!(with(119, 4), Err(Malformed::Length));
    assert_eq!(Message::decode(&good[..good.len() - 1]), Err(Malformed::Length));
    assert_eq!(with(120, b'r'), Err(Malformed::Digest));
}

#[test]
fn no_bytes_whatever_break_the_reader() {
    let mut seed = 1_u64;
    for round in 0..20_000_usize {
        let mut bytes = message().encode();
        for _ in 0..=(round % 5) {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(seed >> 33).unwrap() % bytes.len();
            bytes[at] = seed.to_be_bytes()[0];
        }
        bytes.truncate(bytes.len() - round % 7);
        let _either = Message::decode(&bytes);
    }
}
