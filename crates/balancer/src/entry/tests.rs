use super::*;
use std::time::UNIX_EPOCH;
use wharf_model::routing::{BalancerRoutes, ListenerRoutes, RoutingTable};

fn listener() -> Arc<Listener> {
    let arn = |resource: &str| {
        format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{resource}").parse().unwrap()
    };
    let at = SocketAddrV4::new([10, 0, 0, 1].into(), 80);
    let table = RoutingTable {
        version: 1,
        load_balancers: vec![BalancerRoutes {
            arn: arn("loadbalancer/app/web/0123"),
            dns_name: "web.elb.localhost".to_owned(),
            addresses: vec![*at.ip()],
            host_addresses: Vec::new(),
            idle_timeout_secs: 60,
            attributes: Default::default(),
            listeners: vec![ListenerRoutes {
                arn: arn("listener/app/web/0123/4567"),
                port: 80,
                default_action: wharf_model::routing::Action::Forward {
                    target_groups: Vec::new(),
                    sticky_secs: None,
                },
                rules: Vec::new(),
                attributes: Default::default(),
                tls: None,
            }],
        }],
        target_groups: Vec::new(),
    };
    let table = crate::table::Table::compile(
        &table,
        1,
        &Default::default(),
        &Default::default(),
        &Default::default(),
        &Default::default(),
    );
    table.at(at)[0].clone()
}

fn entry() -> Entry {
    let came = UNIX_EPOCH + Duration::from_micros(1_530_569_000_186_000);
    Entry {
        listener: listener(),
        calls: false,
        upgraded: false,
        tls: None,
        client: ([192, 168, 131, 39], 2817).into(),
        target: Some((SocketAddrV4::new([10, 0, 0, 9].into(), 8080), "arn:group".to_owned())),
        came,
        times: Some([0, 1, 12].map(Duration::from_millis)),
        done: came + Duration::from_micros(641),
        status: 200,
        target_status: Some(200),
        bytes: [34, 366],
        request: ["GET", "/a?b=c", "HTTP/1.1"].map(str::to_owned),
        host: Some("www.example.com:80".to_owned()),
        agent: Some("curl/7.46.0".to_owned()),
        trace: Some("Root=1-58337262-36d228ad5d99923122bbe354".to_owned()),
        priority: Some(0),
        action: Some("forward"),
        location: None,
        ambiguous: false,
        connection: "TID_1".to_owned(),
        rewritten: [None, None],
    }
}

#[test]
fn a_line_has_the_fields_of_an_application_load_balancer() {
    let expected = "http 2018-07-02T22:03:20.186641Z app/web/0123 192.168.131.39:2817 10.0.0.9:8080 0.000 0.001 0.012 \
                    200 200 34 366 \"GET http://www.example.com:80/a?b=c HTTP/1.1\" \"curl/7.46.0\" - - arn:group \
                    \"Root=1-58337262-36d228ad5d99923122bbe354\" \"-\" \"-\" 0 2018-07-02T22:03:20.186000Z \"forward\" \
                    \"-\" \"-\" \"10.0.0.9:8080\" \"200\" \"-\" \"-\" TID_1 \"-\" \"-\" \"-\"\n";
    assert_eq!(entry().line(), expected);
}

#[test]
fn what_there_was_not_is_a_dash() {
    let entry = Entry {
        target: None,
        times: None,
        status: 503,
        target_status: None,
        agent: None,
        trace: None,
        host: None,
        ..entry()
    };
    let line = entry.line();
    assert!(line.contains(" 192.168.131.39:2817 - -1 -1 -1 503 - 34 366 "), "{line}");
    assert!(line.contains("\"GET http://web.elb.localhost:80/a?b=c HTTP/1.1\" \"-\" - - - \"-\""), "{line}");
}

#[test]
fn nothing_that_a_client_says_ends_its_field() {
    let entry = Entry { agent: Some("a\" \\x\u{e9}".to_owned()), ..entry() };
    assert!(entry.line().contains("\"a\\x22 \\x5cx\\xc3\\xa9\""), "{}", entry.line());
    assert_eq!(entry.line().lines().count(), 1);
}

#[test]
fn a_connection_without_tls_has_dashes_for_it() {
    let line = connection_line(UNIX_EPOCH, ([192, 0, 2, 7], 1234).into(), 80, None, "TID_2");
    assert_eq!(line, "1970-01-01T00:00:00.000000Z 192.0.2.7 1234 80 - - - \"-\" - - - TID_2\n");
}
