use super::*;

/// A question as a client sends it.
pub(crate) fn ask(name: &str, kind: u16) -> Vec<u8> {
    let mut out = vec![0xab, 0xcd, RECURSION_DESIRED, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    out.extend(encoded(name));
    out.extend(kind.to_be_bytes());
    out.extend(CLASS_INTERNET.to_be_bytes());
    out
}

fn asked(message: &[u8]) -> Question {
    match read(message) {
        Heard::Question(question) => question,
        other => panic!("not a question: {other:?}"),
    }
}

#[test]
fn a_question_is_read_in_lower_case() {
    let question = asked(&ask("Web.Example.COM", 1));
    assert_eq!((question.name.as_str(), question.kind), ("web.example.com", Kind::A));
    assert_eq!(asked(&ask("", 2)).name, "");
}

#[test]
fn an_answer_keeps_the_questions_letters_and_its_id() {
    let message = ask("WeB.example", 1);
    let answer = answer(&message, &asked(&message), Code::Success, &[Record::A(Ipv4Addr::new(10, 0, 0, 1))]);
    assert_eq!(answer[..2], message[..2]);
    assert_eq!(answer[2..8], [RESPONSE | RECURSION_DESIRED, RECURSION_AVAILABLE, 0, 1, 0, 1]);
    assert_eq!(answer[12..message.len()], message[12..]);
    assert_eq!(answer[answer.len() - 6..], [0, 4, 10, 0, 0, 1]);
}

#[test]
fn what_is_passed_on_is_believed_only_with_its_id_and_its_question() {
    let message = with_id(&ask("web.example", 1), [1, 2]);
    let question = asked(&message);
    let good = answer(&message, &question, Code::NoName, &[]);
    assert!(answers(&good, &message, &question));
    assert!(!answers(&with_id(&good, [1, 3]), &message, &question), "another id");
    assert!(!answers(&message, &message, &question), "a question");
    let other = with_id(&ask("wEb.example", 1), [1, 2]);
    assert!(
        !answers(&answer(&other, &asked(&other), Code::Success, &[]), &message, &question),
        "other letters"
    );
    assert!(answers(&refusal(&message, Code::Failure), &message, &question));
    assert!(!answers(&refusal(&message, Code::Success), &message, &question));
}

#[test]
fn f72_garbage_is_answered_as_such_or_not_at_all() {
    assert_eq!(read(&[0; 11]), Heard::Noise);
    let mut message = ask("web.example", 1);
    message[2] |= RESPONSE;
    assert_eq!(read(&message), Heard::Noise, "two resolvers never talk for ever");
    message[2] = 0x28;
    assert_eq!(read(&message), Heard::Answerable(Code::NotImplemented));
    let mut many = ask("web.example", 1);
    many[4..6].fill(0xff);
    assert_eq!(read(&many), Heard::Answerable(Code::Malformed), "65,535 questions");
    let mut pointer = ask("", 1);
    pointer.splice(12..13, [0xc0, 0x0c]);
    assert_eq!(read(&pointer), Heard::Answerable(Code::Malformed), "a name that leads to itself");
    let long = vec!["a".repeat(63); 5].join(".");
    assert_eq!(read(&ask(&long, 1)), Heard::Answerable(Code::Malformed), "too long a name");
    let dotted = asked(&{
        let mut message = ask("a", 1);
        message[13] = b'.';
        message
    });
    assert_eq!(dotted.name, "\u{fffd}");
}

#[test]
fn f72_no_message_whatever_makes_it_fail() {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 56).unwrap()
    };
    for round in 0..50_000 {
        let mut message = if round % 2 == 0 { ask("web.eu.example", 1) } else { Vec::new() };
        let length = usize::from(random()) / 2;
        message.resize_with(length, &mut random);
        for _ in 0..3 {
            let (place, byte) = (usize::from(random()), random());
            if let Some(found) = message.get_mut(place) {
                *found = byte;
            }
        }
        match read(&message) {
            Heard::Question(question) => drop(answer(&message, &question, Code::Success, &[])),
            Heard::Answerable(code) => drop(refusal(&message, code)),
            Heard::Noise => {}
        }
    }
}
