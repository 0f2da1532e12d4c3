use super::*;
use wharf_model::network::{FlowFormat, FlowLogResource};

const LIFE: Duration = Duration::from_secs(60);
const WEB: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 20);
const DB: Ipv4Addr = Ipv4Addr::new(172, 31, 0, 21);

fn log(traffic: TrafficType) -> FlowLog {
    FlowLog {
        id: "fl-0123456789abcdef0".parse().unwrap(),
        resource: FlowLogResource::Vpc("vpc-00000001".parse().unwrap()),
        traffic,
        group: "flows".to_owned(),
        role: "arn:aws:iam::123456789012:role/flows".parse().unwrap(),
        interval_secs: 60,
        format: FlowFormat::default(),
        created_at: Timestamp(0),
        tags: Vec::new(),
    }
}

fn web() -> EniId {
    "eni-0000000a".parse().unwrap()
}

fn watched_web(traffic: TrafficType) -> Vec<Watched> {
    vec![Watched { log: log(traffic), interface: web(), ip: WEB }]
}

fn secs(secs: i64) -> Timestamp {
    Timestamp(secs * 1000)
}

/// Packets of 100 bytes that WEB sends to port 80 of DB, the last of them at a time.
fn sent(point: Point, packets: u64, last: i64) -> Counter {
    let flow = Flow { from: WEB, to: DB, protocol: 6, from_port: 4000, to_port: 80 };
    Counter { side: Side::Sender, point, flow, packets, bytes: packets * 100, last: secs(last) }
}

/// The same of packets that WEB receives.
fn received(point: Point, packets: u64, last: i64) -> Counter {
    let flow = Flow { from: DB, to: WEB, protocol: 6, from_port: 80, to_port: 4000 };
    Counter { side: Side::Receiver, flow, ..sent(point, packets, last) }
}

fn sample(counters: &[Counter]) -> Sample {
    Sample { counters: counters.to_vec(), lost: Vec::new() }
}

/// A ledger that began at second 1000, with readings at these seconds; returns every line without what all have alike.
fn lines_of(traffic: TrafficType, readings: &[(i64, Sample)]) -> Vec<String> {
    let mut ledger = Ledger::new("123456789012", LIFE, secs(1000), false);
    assert_eq!(ledger.take(watched_web(traffic), &Sample::default(), secs(1000)), []);
    let batches = readings
        .iter()
        .flat_map(|(at, sample)| ledger.take(watched_web(traffic), sample, secs(*at)))
        .collect::<Vec<_>>();
    texts(&batches)
}

fn texts(batches: &[Batch]) -> Vec<String> {
    let events = batches.iter().flat_map(|batch| &batch.events);
    let short =
        |event: &LogEvent| event.message.strip_prefix("2 123456789012 eni-0000000a ").unwrap().to_owned();
    events.map(short).collect()
}

#[test]
fn each_direction_of_a_connection_is_a_line_of_its_own() {
    let readings = [
        (1010, sample(&[sent(Point::Tried, 1, 1004), sent(Point::Passed, 1, 1004)])),
        (
            1020,
            sample(&[
                sent(Point::Tried, 1, 1004),
                sent(Point::Passed, 1, 1004),
                sent(Point::Kept, 4, 1018),
                received(Point::Kept, 3, 1017),
            ]),
        ),
    ];
    // The interval ends at a multiple of itself.
    assert_eq!(
        lines_of(TrafficType::All, &readings),
        [
            "172.31.0.20 172.31.0.21 4000 80 6 5 500 1004 1018 ACCEPT OK",
            "172.31.0.21 172.31.0.20 80 4000 6 3 300 1010 1017 ACCEPT OK",
        ]
    );
}

#[test]
fn what_was_tried_and_has_not_passed_was_refused() {
    let readings = [(
        1025,
        sample(&[
            sent(Point::Tried, 3, 1011),
            received(Point::Tried, 5, 1012),
            received(Point::Passed, 4, 1012),
            received(Point::Kept, 4, 1012),
        ]),
    )];
    let (refused, accepted, last) = (
        "172.31.0.20 172.31.0.21 4000 80 6 3 300 1000 1011 REJECT OK",
        "172.31.0.21 172.31.0.20 80 4000 6 4 400 1000 1012 ACCEPT OK",
        "172.31.0.21 172.31.0.20 80 4000 6 1 100 1012 1012 REJECT OK",
    );
    assert_eq!(lines_of(TrafficType::All, &readings), [refused, accepted, last]);
    assert_eq!(lines_of(TrafficType::Accept, &readings), [accepted]);
    assert_eq!(lines_of(TrafficType::Reject, &readings), [refused, last]);
}

#[test]
fn a_packet_under_way_between_two_counters_is_never_refused() {
    let readings = [
        (1005, sample(&[sent(Point::Tried, 1, 1004), sent(Point::Passed, 2, 1005)])),
        (1010, sample(&[sent(Point::Tried, 2, 1005), sent(Point::Passed, 2, 1005)])),
        (1020, sample(&[sent(Point::Tried, 3, 1015), sent(Point::Passed, 2, 1005)])),
    ];
    assert_eq!(
        lines_of(TrafficType::All, &readings),
        [
            "172.31.0.20 172.31.0.21 4000 80 6 2 200 1000 1005 ACCEPT OK",
            "172.31.0.20 172.31.0.21 4000 80 6 1 100 1015 1015 REJECT OK",
        ]
    );
}

#[test]
fn lines_begin_with_the_first_traffic_and_later_an_interval_without_any_says_so() {
    let readings = [
        (1020, Sample::default()),
        (1080, Sample::default()),
        (1140, sample(&[sent(Point::Kept, 1, 1130)])),
        (1200, sample(&[sent(Point::Kept, 1, 1130)])),
    ];
    assert_eq!(
        lines_of(TrafficType::All, &readings),
        ["172.31.0.20 172.31.0.21 4000 80 6 1 100 1130 1130 ACCEPT OK", "- - - - - - - 1140 1200 - NODATA"]
    );
    // Other traffic than the log is about is traffic.
    assert_eq!(
        lines_of(TrafficType::Reject, &readings),
        ["- - - - - - - 1080 1140 - NODATA", "- - - - - - - 1140 1200 - NODATA"]
    );
}

#[test]
fn flows_that_found_no_counter_are_said_to_be_missing() {
    let full =
        |packets| Sample { lost: vec![(WEB, packets), (DB, 7)], ..sample(&[sent(Point::Kept, 2, 1005)]) };
    let readings = [(1010, full(3)), (1020, full(3)), (1080, full(3)), (1140, full(4))];
    assert_eq!(
        lines_of(TrafficType::All, &readings),
        [
            "172.31.0.20 172.31.0.21 4000 80 6 2 200 1000 1005 ACCEPT OK",
            "- - - - - - - 1000 1020 - SKIPDATA",
            "- - - - - - - 1020 1080 - NODATA",
            "- - - - - - - 1080 1140 - SKIPDATA",
        ]
    );
}

#[test]
fn counters_that_were_read_too_late_are_said_to_be_missing() {
    let readings = [(1020, sample(&[sent(Point::Kept, 1, 1005)])), (1081, Sample::default())];
    assert_eq!(
        lines_of(TrafficType::All, &readings),
        ["172.31.0.20 172.31.0.21 4000 80 6 1 100 1005 1005 ACCEPT OK", "- - - - - - - 1020 1081 - SKIPDATA"]
    );
}

#[test]
fn what_was_counted_for_somebody_before_is_said_to_be_missing() {
    let mut ledger = Ledger::new("123456789012", LIFE, secs(1000), true);
    ledger.take(watched_web(TrafficType::All), &Sample::default(), secs(1000));
    let first = ledger.take(watched_web(TrafficType::All), &Sample::default(), secs(1020));
    assert_eq!(texts(&first), ["- - - - - - - 1000 1020 - SKIPDATA"]);
    ledger.skip(&log(TrafficType::All).id, &web());
    let second = ledger.take(watched_web(TrafficType::All), &Sample::default(), secs(1080));
    assert_eq!(texts(&second), ["- - - - - - - 1020 1080 - SKIPDATA"]);
}

#[test]
fn a_counter_that_went_and_came_again_begins_at_zero() {
    let readings = [
        (1010, sample(&[sent(Point::Kept, 1, 1005)])),
        (1060, sample(&[sent(Point::Kept, 1, 1005)])),
        // As many packets as before, and the last one is another.
        (1070, sample(&[sent(Point::Kept, 1, 1069)])),
        (1080, sample(&[])),
        (1135, sample(&[sent(Point::Kept, 3, 1134)])),
        (1140, sample(&[sent(Point::Kept, 5, 1139)])),
    ];
    assert_eq!(
        lines_of(TrafficType::All, &readings),
        [
            "172.31.0.20 172.31.0.21 4000 80 6 1 100 1005 1005 ACCEPT OK",
            "172.31.0.20 172.31.0.21 4000 80 6 1 100 1069 1069 ACCEPT OK",
            "172.31.0.20 172.31.0.21 4000 80 6 5 500 1080 1139 ACCEPT OK",
        ]
        .map(str::to_owned)
        .to_vec()
    );
}

#[test]
fn an_interface_that_goes_has_its_last_lines_at_once() {
    let mut ledger = Ledger::new("123456789012", LIFE, secs(1000), false);
    ledger.take(watched_web(TrafficType::All), &Sample::default(), secs(1000));
    let last = ledger.take(Vec::new(), &sample(&[sent(Point::Kept, 2, 1005)]), secs(1010));
    assert_eq!((last[0].group.as_str(), last[0].stream.as_str()), ("flows", "eni-0000000a-all"));
    assert_eq!(texts(&last), ["172.31.0.20 172.31.0.21 4000 80 6 2 200 1000 1005 ACCEPT OK"]);
    assert_eq!(ledger.take(Vec::new(), &Sample::default(), secs(1020)), []);
}

#[test]
fn a_log_is_about_the_interfaces_of_its_vpc_its_subnet_or_itself() {
    let interface = |last: u32, ip| Interface {
        id: format!("eni-0000000{last}").parse().unwrap(),
        subnet: format!("subnet-0000000{last}").parse().unwrap(),
        vpc: "vpc-00000001".parse().unwrap(),
        ip,
    };
    let about = |resource| {
        let logs = [FlowLog { resource, ..log(TrafficType::All) }];
        let both = [interface(1, WEB), interface(2, DB)];
        watched(&logs, both.into_iter()).map(|watched| watched.ip).collect::<Vec<_>>()
    };
    assert_eq!(about(FlowLogResource::Vpc("vpc-00000001".parse().unwrap())), [WEB, DB]);
    assert_eq!(about(FlowLogResource::Vpc("vpc-00000002".parse().unwrap())), [] as [Ipv4Addr; 0]);
    assert_eq!(about(FlowLogResource::Subnet("subnet-00000002".parse().unwrap())), [DB]);
    assert_eq!(about(FlowLogResource::Interface("eni-00000001".parse().unwrap())), [WEB]);
}

#[test]
fn a_line_has_the_fields_of_its_format_in_their_order() {
    let format: FlowFormat = "${log-status} ${dstport} ${action}".parse().unwrap();
    let flow = Flow { from: WEB, to: DB, protocol: 17, from_port: 1, to_port: 53 };
    let status = Status::Ok { flow, action: Action::Reject, packets: 1, bytes: 38 };
    let record = |status| Record { status, start: secs(1), end: secs(2) };
    assert_eq!(line(&format, "123456789012", &web(), &record(status)), "OK 53 REJECT");
    assert_eq!(line(&format, "123456789012", &web(), &record(Status::NoData)), "NODATA - -");
}
