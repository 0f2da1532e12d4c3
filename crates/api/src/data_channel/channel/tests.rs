use super::*;

/// What a client sends.
fn input(sequence: i64, payload_type: u32, payload: &[u8]) -> Vec<u8> {
    let made = message(MessageType::InputStreamData, random_id(), 1);
    Message { sequence, payload_type, payload: payload.to_vec(), ..made }.encode()
}

fn acknowledgement(sequence: i64) -> Vec<u8> {
    let content = Acknowledged {
        acknowledged_message_type: "output_stream_data".to_owned(),
        acknowledged_message_id: uuid(random_id()),
        acknowledged_message_sequence_number: sequence,
        is_sequential_message: true,
    };
    let made = message(MessageType::Acknowledge, random_id(), 1);
    Message { flags: 3, payload: json_bytes(&content), ..made }.encode()
}

/// A channel whose handshake is over; the client's next message is its second.
fn open() -> Channel {
    let mut channel = Channel::new("ecs-execute-command-1", false);
    channel.ask(1);
    let response = br#"{"ClientVersion":"1.2.0.0","ProcessedClientActions":[],"Errors":null}"#;
    channel.hear(&input(0, payload_type::HANDSHAKE_RESPONSE, response), true, 2).unwrap();
    channel.outgoing();
    channel.hear(&acknowledgement(0), true, 3).unwrap();
    channel.hear(&acknowledgement(1), true, 3).unwrap();
    channel
}

fn said(frames: &[Vec<u8>]) -> Vec<(MessageType, i64, u32)> {
    let decoded = frames.iter().map(|frame| Message::decode(frame).unwrap());
    decoded.map(|message| (message.kind, message.sequence, message.payload_type)).collect()
}

#[test]
fn session_begins_with_a_handshake_and_is_open_when_it_is_answered() {
    let mut channel = Channel::new("s", false);
    let first = Message::decode(&channel.ask(1)).unwrap();
    assert_eq!((first.kind, first.sequence), (MessageType::OutputStreamData, 0));
    assert_eq!(first.payload_type, payload_type::HANDSHAKE_REQUEST);
    let asked: serde_json::Value = serde_json::from_slice(&first.payload).unwrap();
    let action = &asked["RequestedClientActions"][0];
    assert_eq!(action["ActionType"], "SessionType");
    assert_eq!(action["ActionParameters"]["SessionType"], "InteractiveCommands");
    assert!(!channel.is_open());
    assert_eq!(channel.hear(&input(0, payload_type::HANDSHAKE_RESPONSE, b"{}"), true, 2), Ok(vec![]));
    assert!(channel.is_open());
    let expected = [
        (MessageType::Acknowledge, 0, 0),
        (MessageType::OutputStreamData, 1, payload_type::HANDSHAKE_COMPLETE),
    ];
    assert_eq!(said(&channel.outgoing()), expected);
}

#[test]
fn input_is_taken_in_its_order_once_and_acknowledged_each_time() {
    let mut channel = open();
    let keys = |sequence, text: &str| input(sequence, payload_type::OUTPUT, text.as_bytes());
    assert_eq!(channel.hear(&keys(2, "b"), true, 1), Ok(vec![]));
    let both = vec![Heard::Input(b"a".to_vec()), Heard::Input(b"b".to_vec())];
    assert_eq!(channel.hear(&keys(1, "a"), true, 1), Ok(both));
    assert_eq!(channel.hear(&keys(1, "a"), true, 1), Ok(vec![]));
    let acknowledged = channel.outgoing();
    assert_eq!(acknowledged.len(), 3);
    let last: Acknowledged =
        serde_json::from_slice(&Message::decode(&acknowledged[2]).unwrap().payload).unwrap();
    assert_eq!(last.acknowledged_message_sequence_number, 1);
    assert_eq!(last.acknowledged_message_type, "input_stream_data");
}

#[test]
fn size_and_flag_are_understood_and_sizes_are_kept_in_bounds() {
    let mut channel = open();
    let size = input(1, payload_type::SIZE, br#"{"cols":120,"rows":40}"#);
    assert_eq!(channel.hear(&size, true, 1), Ok(vec![Heard::Size { columns: 120, rows: 40 }]));
    let bomb = input(2, payload_type::SIZE, br#"{"cols":4294967295,"rows":0}"#);
    assert_eq!(channel.hear(&bomb, true, 1), Ok(vec![Heard::Size { columns: 10_000, rows: 1 }]));
    assert_eq!(channel.hear(&input(3, payload_type::SIZE, b"huge"), true, 1), Ok(vec![]));
    let flag = input(4, payload_type::FLAG, &payload_type::TERMINATE.to_be_bytes());
    assert_eq!(channel.hear(&flag, true, 1), Ok(vec![Heard::Terminate]));
}

#[test]
fn output_is_sent_again_until_it_is_acknowledged_and_holds_the_command_up_meanwhile() {
    let mut channel = open();
    assert!(channel.is_quiet());
    channel.say(&vec![b'x'; PAYLOAD_BYTES * (WAITING_MAX - 1) + 1], false, 1);
    assert_eq!(channel.outgoing().len(), WAITING_MAX);
    assert!(!channel.has_room());
    assert_eq!(channel.due(Instant::now()), None);
    let later = Instant::now() + PATIENCE;
    let again = Message::decode(&channel.due(later).unwrap()).unwrap();
    assert_eq!(again.sequence, 2);
    assert_eq!(channel.due(later), None);
    channel.hear(&acknowledgement(2), true, 1).unwrap();
    assert!(channel.has_room());
    assert_eq!(Message::decode(&channel.due(later).unwrap()).unwrap().sequence, 3);
}

#[test]
fn exit_code_is_told_only_to_a_client_that_wants_it() {
    let mut channel = open();
    channel.say_exit(Some(3), 1);
    assert!(channel.outgoing().is_empty());
    channel.wants_exit_code = true;
    channel.say_exit(Some(3), 1);
    assert_eq!(Message::decode(&channel.outgoing()[0]).unwrap().payload, b"3");
}

#[test]
fn f84_garbage_and_floods_change_nothing_and_fill_nothing() {
    let mut channel = open();
    assert!(channel.hear(b"garbage", true, 1).is_err());
    for sequence in 0..100_000 {
        channel.hear(&input(sequence * 2 + 2, payload_type::OUTPUT, b"x"), true, 1).unwrap();
        channel.outgoing();
    }
    assert!(channel.early.len() <= EARLY_MAX);
    assert_eq!(channel.hear(&acknowledgement(i64::MAX), true, 1), Ok(vec![]));
    assert_eq!(channel.hear(&input(i64::MIN, payload_type::OUTPUT, b"x"), true, 1), Ok(vec![]));
}

#[test]
fn what_there_is_no_room_for_is_not_acknowledged_and_taken_when_it_comes_again() {
    let mut channel = open();
    let keys = input(1, payload_type::OUTPUT, b"a");
    assert_eq!(channel.hear(&keys, false, 1), Ok(vec![]));
    assert_eq!(channel.outgoing().len(), 0);
    assert_eq!(channel.hear(&keys, true, 1), Ok(vec![Heard::Input(b"a".to_vec())]));
    assert_eq!(channel.outgoing().len(), 1);
}
