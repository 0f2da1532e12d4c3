use super::*;

#[test]
fn signals_are_known_by_name_number_and_distance() {
    let cases = [
        (Some("SIGQUIT"), 3),
        (Some("winch"), 28),
        (Some("9"), 9),
        (Some("SIGRTMIN+3"), 37),
        (Some("RTMAX-1"), 63),
        (Some("SIGNONSENSE"), 15),
        (Some("0"), 15),
        (None, 15),
    ];
    for (name, expected) in cases {
        assert_eq!(number(name), expected, "{name:?}");
    }
}
