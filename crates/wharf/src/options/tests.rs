use super::*;
use clap::Parser;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn parse(args: &[&str]) -> Options {
    Line::try_parse_from(["wharf"].iter().chain(args)).unwrap().options
}

#[test]
fn options_passed_on_as_arguments_read_back_the_same() {
    let given = parse(&[
        "--state-dir=/tmp/s",
        "--endpoint=127.0.0.1:5000",
        "--auth=off",
        "--ephemeral",
        "--host-address=127.0.0.1",
        "--host-address=127.0.0.2",
        "--healthy-after=3",
        "--image-cache-max=20G",
        "--image-disk-free=5",
        "--no-hosts-file",
    ]);
    let args = given.to_args();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    assert_eq!(parse(&args), given);
    assert_eq!(parse(&[]).to_args().len(), 10, "every option with a value has one");
}

#[test]
fn what_cannot_be_served_is_named() {
    let refused = |args: &[&str]| parse(args).check().unwrap_err().to_string();
    assert!(parse(&[]).check().is_ok());
    assert!(refused(&["--endpoint=0.0.0.0:4566", "--auth=off"]).contains("0.0.0.0:4566"));
    assert!(parse(&["--vpc-cidr=10.0.0.0/16"]).check().is_ok());
    assert!(parse(&["--vpc-cidr=10.0.0.64/26"]).check().is_ok());
    assert!(refused(&["--vpc-cidr=10.0.0.0/15"]).contains("10.0.0.0/15"));
    assert!(refused(&["--vpc-cidr=10.0.0.0/27"]).contains("10.0.0.0/27"));
    assert!(refused(&["--public-cidr=172.31.5.0/24"]).contains("172.31.5.0/24"));
    assert!(refused(&["--state-dir=/"]).contains("'/'"));
    assert!(refused(&["--region=Ost"]).contains("Ost"));
}

#[test]
fn a_test_suite_does_not_wait_forty_seconds_for_health() {
    assert_eq!(parse(&[]).healthy_after_secs(), 40);
    assert_eq!(parse(&["--ephemeral"]).healthy_after_secs(), 2);
    assert_eq!(parse(&["--ephemeral", "--healthy-after=7"]).healthy_after_secs(), 7);
}

#[test]
fn sizes_have_units() {
    let max = |given: &str| parse(&[&format!("--image-cache-max={given}")]).image_cache_max;
    assert_eq!(["1", "2k", "3MiB", "20GB"].map(max), [1, 2 << 10, 3 << 20, 20 << 30].map(Some));
    for wrong in ["", "many", "1X", "99999999999T", "-1"] {
        assert!(super::parse_size(wrong).is_err(), "{wrong}");
    }
}
