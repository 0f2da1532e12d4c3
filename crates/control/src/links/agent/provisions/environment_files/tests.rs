use super::*;

#[test]
fn a_line_is_a_name_and_a_value_and_nothing_is_cut_or_unquoted() {
    let text = "# comment\nA=1\n\nB = two words \r\nC=\"quoted\"\nD=x=y\nnothing\nE=\n=F\nA=again\n";
    let read = parse(text);
    let shown: Vec<String> = read.iter().map(|(name, value)| format!("{name}|{value}")).collect();
    assert_eq!(shown, ["A|1", "B | two words ", "C|\"quoted\"", "D|x=y", "A|again"]);
}

#[test]
fn an_object_lies_below_its_bucket() {
    assert_eq!(path("arn:aws:s3:::config/prod/web.env").unwrap(), "config/prod/web.env");
    for wrong in [
        "arn:aws:s3:::config",
        "arn:aws:s3:::config/../secrets.key",
        "arn:aws:s3:::../x.env",
        "arn:aws:s3:::config//x.env",
        "arn:aws:sqs:::config/x.env",
        "s3://config/x.env",
    ] {
        assert!(path(wrong).is_err(), "{wrong}");
    }
}
