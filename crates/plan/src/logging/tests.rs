use super::*;
use wharf_model::Timestamp;

fn configuration(driver: LogDriver, options: &str) -> LogConfiguration {
    let pairs = options.split(';').filter(|pair| !pair.is_empty());
    let options = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    });
    LogConfiguration { driver, options: options.collect(), secret_options: Vec::new() }
}

const GROUP: &str = "awslogs-group=/web;awslogs-region=us-east-1;";

#[track_caller]
fn group_of(options: &str) -> Group {
    match read(&configuration(LogDriver::Awslogs, &format!("{GROUP}{options}"))).unwrap() {
        Logging::Group(group) => group,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(driver: LogDriver, options: &str, why: &str) {
    let error = read(&configuration(driver, options)).unwrap_err();
    assert!(error.contains(why), "{error}");
}

fn files_of(options: &str) -> u64 {
    match read(&configuration(LogDriver::JsonFile, options)).unwrap() {
        Logging::Files { bytes_max } => bytes_max,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_dropped_unless_that_is_asked_for() {
    assert_eq!(group_of("").buffer_max, None);
    assert_eq!(group_of("mode=blocking").buffer_max, None);
    assert_eq!(group_of("mode=non-blocking").buffer_max, Some(10 << 20));
    assert_eq!(group_of("mode=non-blocking;max-buffer-size=25m").buffer_max, Some(25 << 20));
    assert_eq!(group_of("max-buffer-size=1GB").buffer_max, Some(1 << 30));
    let blocking = format!("{GROUP}mode=blocking;max-buffer-size=1m");
    refused(LogDriver::Awslogs, &blocking, "only for mode 'non-blocking'");
    refused(LogDriver::Awslogs, &format!("{GROUP}mode=maybe"), "'mode'");
    refused(LogDriver::Awslogs, &format!("{GROUP}max-buffer-size=much"), "'max-buffer-size'");
}

#[test]
fn options_that_nobody_knows_are_named() {
    refused(LogDriver::Awslogs, &format!("{GROUP}awslogs-endpoint=x"), "'awslogs-endpoint'");
    refused(LogDriver::JsonFile, "compress=true", "'compress'");
    refused(LogDriver::None, "max-size=1m", "'max-size'");
    refused(LogDriver::Syslog, "syslog-tls-cert=x", "'syslog-tls-cert'");
    refused(LogDriver::Awslogs, "awslogs-group=/web", "'awslogs-region'");
    refused(LogDriver::Awslogs, &format!("{GROUP}awslogs-create-group=yes"), "'awslogs-create-group'");
}

#[test]
fn files_are_kept_up_to_their_number_and_size() {
    assert_eq!(files_of(""), 256 << 20);
    assert_eq!(files_of("max-size=10m"), 10 << 20);
    assert_eq!(files_of("max-size=10m;max-file=3"), 30 << 20);
    refused(LogDriver::JsonFile, "max-file=3", "needs max-size");
    refused(LogDriver::JsonFile, "max-size=1m;max-file=0", "'max-file'");
}

#[test]
fn a_pattern_or_a_time_says_where_events_begin() {
    let starts = |options: &str, line: &str| group_of(options).event_start.unwrap().is_match(line);
    assert!(starts("awslogs-multiline-pattern=^(INFO|WARN)", "INFO x"));
    assert!(!starts("awslogs-multiline-pattern=^(INFO|WARN)", "  at x"));
    let format = "awslogs-datetime-format=\\[%b %d, %Y %H:%M:%S\\]";
    assert!(starts(format, "[May 01, 2017 19:00:01] A message"));
    assert!(!starts(format, "and its second line"));
    assert!(starts("awslogs-datetime-format=%Y-%m-%dT%H:%M:%S%L%z", "2026-11-21T17:00:00.123+0000 x"));
    assert!(starts("awslogs-datetime-format=%A %j %p %I %y %%", "Monday 325 PM 07 26 %"));
    let both = format!("{GROUP}awslogs-datetime-format=%Y;awslogs-multiline-pattern=x");
    refused(LogDriver::Awslogs, &both, "cannot be given together");
    refused(LogDriver::Awslogs, &format!("{GROUP}awslogs-datetime-format=%Q"), "'%Q'");
    refused(LogDriver::Awslogs, &format!("{GROUP}awslogs-multiline-pattern=("), "regular expression");
}

fn syslog_of(options: &str) -> Syslog {
    match read(&configuration(LogDriver::Syslog, options)).unwrap() {
        Logging::Syslog(syslog) => syslog,
        other => panic!("{other:?}"),
    }
}

#[test]
fn syslog_is_found_by_its_address() {
    let address = |given: &str| syslog_of(&format!("syslog-address={given}")).address;
    assert_eq!(syslog_of("").address, Address::Host);
    assert_eq!(address("udp://10.0.0.1"), Address::Udp("10.0.0.1:514".to_owned()));
    assert_eq!(address("tcp://logs.example:601"), Address::Tcp("logs.example:601".to_owned()));
    assert_eq!(address("unixgram:///run/log"), Address::UnixDatagram("/run/log".to_owned()));
    for (wrong, why) in [
        ("10.0.0.1:514", "scheme"),
        ("unix://run/log", "slash"),
        ("tcp://host:port", "port"),
        ("tcp+tls://host:6514", "tcp+tls"),
        ("http://host", "'http'"),
        ("udp://:514", "host"),
    ] {
        refused(LogDriver::Syslog, &format!("syslog-address={wrong}"), why);
    }
    refused(LogDriver::Syslog, "syslog-facility=none", "'syslog-facility'");
    refused(LogDriver::Syslog, "syslog-format=rfc1", "'syslog-format'");
    refused(LogDriver::Syslog, "tag={{.ImageFullID}}", "ImageFullID");
}

#[test]
fn messages_have_the_form_that_was_asked_for() {
    let line = Line {
        at: Timestamp(1_763_700_005_678),
        is_error: false,
        tag: "web",
        host: "box",
        process: 7,
        text: "hello",
    };
    let check = |options: &str, line: Line<'_>, expected: &str| {
        assert_eq!(syslog_of(options).message(&line), expected);
    };
    check("", line, "<30>Nov 21 04:40:05 web[7]: hello");
    check("", Line { is_error: true, ..line }, "<27>Nov 21 04:40:05 web[7]: hello");
    let udp = "syslog-address=udp://h;syslog-facility=local0";
    check(udp, line, "<134>Nov 21 04:40:05 box web[7]: hello");
    check("syslog-format=rfc5424", line, "<30>1 2025-11-21T04:40:05Z box web 7 web - hello");
    check("syslog-format=rfc5424micro", line, "<30>1 2025-11-21T04:40:05.678000Z box web 7 web - hello");
    let parts =
        [TagPart::Text("a/".to_owned()), TagPart::Name, TagPart::Text("-".to_owned()), TagPart::FullId];
    assert_eq!(syslog_of("tag=a/{{.Name}}-{{ .FullID }}").tag, parts);
}
