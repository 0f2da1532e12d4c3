use super::*;
use crate::message::{self, Heard};

fn names() -> Names {
    let vpc = |cidr: &str, answers| VpcNames { cidr: cidr.parse().unwrap(), answers };
    Names {
        region: "us-east-1".to_owned(),
        public: "198.18.0.0/16".parse().unwrap(),
        vpcs: BTreeMap::from([
            ("vpc-a".to_owned(), vpc("10.0.0.0/16", true)),
            ("vpc-mute".to_owned(), vpc("10.1.0.0/16", false)),
        ]),
        balancers: BTreeMap::from([(
            "web-1234567890.us-east-1.elb.localhost".to_owned(),
            vec![Ipv4Addr::new(10, 0, 0, 9), Ipv4Addr::new(10, 0, 16, 9)],
        )]),
    }
}

fn check(vpc: Option<&str>, name: &str, kind: u16, expected: &str) {
    let Heard::Question(question) = message::read(&message::tests::ask(name, kind)) else {
        panic!("{name} is no question")
    };
    let shown = match names().find(vpc, &question) {
        Found::Records(records) => {
            let one = |record: &Record| match record {
                Record::A(address) => address.to_string(),
                Record::Ptr(name) => name.clone(),
            };
            records.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        other => format!("{other:?}"),
    };
    assert_eq!(shown, expected, "{name}");
}

#[test]
fn load_balancers_have_their_addresses_and_others_of_their_kind_none() {
    check(Some("vpc-a"), "Web-1234567890.us-east-1.elb.localhost", 1, "10.0.0.9 10.0.16.9");
    check(None, "web-1234567890.us-east-1.elb.localhost", 1, "10.0.0.9 10.0.16.9");
    check(Some("vpc-a"), "web-1234567890.us-east-1.elb.localhost", 28, "");
    check(Some("vpc-a"), "db-1234567890.us-east-1.elb.localhost", 1, "NoName");
}

#[test]
fn addresses_of_the_vpc_have_names_in_both_directions() {
    check(Some("vpc-a"), "ip-10-0-0-7.us-east-1.compute.internal", 1, "10.0.0.7");
    check(Some("vpc-a"), "ip-10-1-0-7.us-east-1.compute.internal", 1, "NoName");
    check(Some("vpc-a"), "database.us-east-1.compute.internal", 1, "NoName");
    check(Some("vpc-a"), "7.0.0.10.in-addr.arpa", 12, "ip-10-0-0-7.us-east-1.compute.internal");
    check(Some("vpc-a"), "7.0.1.10.in-addr.arpa", 12, "Elsewhere");
}

#[test]
fn public_addresses_and_the_loopback_have_names_under_localhost() {
    check(Some("vpc-a"), "ec2-198-18-0-5.us-east-1.compute.localhost", 1, "198.18.0.5");
    check(Some("vpc-a"), "app.localhost", 1, "127.0.0.1");
}

#[test]
fn a_vpc_whose_resolver_was_turned_off_has_none() {
    check(Some("vpc-mute"), "example.com", 1, "Refused");
    check(Some("vpc-a"), "example.com", 1, "Elsewhere");
}
