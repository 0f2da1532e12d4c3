use super::*;
use proptest::prelude::*;

fn check(line: &str, expected: &[&str]) {
    assert_eq!(words(line).unwrap(), expected, "{line}");
}

#[test]
fn words_are_parted_by_space_and_held_together_by_quotes() {
    check("/bin/sh", &["/bin/sh"]);
    check("  ls   -la\t/tmp ", &["ls", "-la", "/tmp"]);
    check(r#"sh -c 'echo "a b"; exit 3'"#, &["sh", "-c", r#"echo "a b"; exit 3"#]);
    check(r#"echo "it's \"so\" \n" a\ b"#, &["echo", r#"it's "so" \n"#, "a b"]);
    check("echo '' x''y", &["echo", "", "xy"]);
    check("", &[]);
}

#[test]
fn line_that_does_not_end_what_it_began_has_no_words() {
    for line in ["echo 'a", "echo \"a", "echo a\\", "'"] {
        assert_eq!(words(line), None, "{line}");
    }
}

proptest! {
    #[test]
    fn words_of_a_line_made_from_words_are_these_words(given in proptest::collection::vec(".*", 0..5)) {
        prop_assert_eq!(words(&line(&given)), Some(given));
    }
}
