use super::*;
use crate::firewall::{Balancer, HostPort, Member};
use crate::network::Cidr;

const WEB: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
const DATABASE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 20);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 10);
const BALANCER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);
const BRIDGED: Ipv4Addr = Ipv4Addr::new(169, 254, 172, 2);
const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const WORLD: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const PUBLIC: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 9);

fn everywhere() -> Cidr {
    Cidr { address: Ipv4Addr::UNSPECIFIED, prefix: 0 }
}

fn permission(protocol: Protocol, cidrs: &[Cidr], groups: &[&str]) -> Permission {
    let groups = groups.iter().map(|id| (*id).to_owned()).collect();
    Permission { protocol, cidrs: cidrs.to_vec(), groups }
}

fn task(ip: Ipv4Addr, vpc: &str, subnet: &str, group: &str, public_ip: Option<Ipv4Addr>) -> Member {
    let place = Place::Vpc {
        vpc: vpc.to_owned(),
        subnet: Some(subnet.to_owned()),
        groups: vec![group.to_owned()],
        public_ip,
    };
    Member { ip, veth: "wh00000000".to_owned(), place }
}

/// `web` reaches `db` on 5432, the balancer reaches `web` on 80, everything may leave.
fn rules() -> Ruleset {
    let all = permission(Protocol::Any, &[everywhere()], &[]);
    let group = |id: &str, ingress: Vec<Permission>| SecurityGroup {
        id: id.to_owned(),
        ingress,
        egress: vec![all.clone()],
    };
    let tcp = |port| Protocol::Tcp { from: port, to: port };
    let subnet = |id: &str, way| Subnet { id: id.to_owned(), ways: vec![(everywhere(), way)] };
    Ruleset {
        host_address: Some(HOST),
        groups: vec![
            group("web", vec![permission(tcp(80), &[], &["lb"])]),
            group("db", vec![permission(tcp(5432), &[], &["web"])]),
            group("lb", vec![permission(tcp(80), &[everywhere()], &[])]),
            group("open", vec![all.clone()]),
        ],
        vpcs: vec!["vpc-a".to_owned(), "vpc-b".to_owned()],
        subnets: vec![
            subnet("inside", Way::Internet),
            subnet("nat", Way::Nat),
            subnet("closed", Way::Nowhere),
        ],
        members: vec![
            task(WEB, "vpc-a", "inside", "web", Some(PUBLIC)),
            task(DATABASE, "vpc-a", "closed", "db", None),
            task(ELSEWHERE, "vpc-b", "nat", "open", None),
            Member {
                ip: BRIDGED,
                veth: "wh00000001".to_owned(),
                place: Place::Bridge { ports: vec![HostPort { protocol: 6, host: 8080, task: 80 }] },
            },
        ],
        balancers: vec![Balancer { ip: BALANCER, vpc: "vpc-a".to_owned(), groups: vec!["lb".to_owned()] }],
    }
}

fn allows(rules: &Ruleset, from: Ipv4Addr, asked: Ipv4Addr, to: Ipv4Addr, port: u16) -> bool {
    let flow = Flow { protocol: 6, from, asked, to, port, icmp: (0, 0) };
    Judge::among(rules, HashSet::from([HOST, Ipv4Addr::LOCALHOST])).allows(&flow)
}

#[test]
fn members_reach_each_other_as_their_groups_say() {
    let mut rules = rules();
    assert!(allows(&rules, WEB, DATABASE, DATABASE, 5432));
    assert!(!allows(&rules, WEB, DATABASE, DATABASE, 5433), "another port");
    assert!(!allows(&rules, DATABASE, WEB, WEB, 5432), "the other direction");
    assert!(allows(&rules, BALANCER, WEB, WEB, 80));
    assert!(!allows(&rules, BALANCER, DATABASE, DATABASE, 5432));
    rules.groups[0].egress.clear();
    assert!(!allows(&rules, WEB, DATABASE, DATABASE, 5432), "egress was taken away");
}

#[test]
fn vpcs_reach_each_other_by_no_private_address() {
    let rules = rules();
    assert!(!allows(&rules, WEB, ELSEWHERE, ELSEWHERE, 80));
    assert!(!allows(&rules, ELSEWHERE, WEB, WEB, 80));
}

#[test]
fn the_world_is_reached_by_a_way_that_the_subnet_has() {
    let mut rules = rules();
    assert!(allows(&rules, WEB, WORLD, WORLD, 443), "with a public address");
    assert!(allows(&rules, ELSEWHERE, WORLD, WORLD, 443), "by NAT");
    assert!(!allows(&rules, DATABASE, WORLD, WORLD, 443), "by nothing");
    rules.members[0] = task(WEB, "vpc-a", "inside", "web", None);
    assert!(!allows(&rules, WEB, WORLD, WORLD, 443), "by a gateway, but without a public address");
}

#[test]
fn the_host_reaches_every_task_and_the_world_those_that_let_it() {
    let rules = rules();
    assert!(allows(&rules, HOST, DATABASE, DATABASE, 22));
    assert!(!allows(&rules, WORLD, PUBLIC, WEB, 80));
    assert!(allows(&rules, WORLD, HOST, BRIDGED, 80), "by a port of the host");
    assert!(!allows(&rules, WORLD, BRIDGED, BRIDGED, 80), "by its own address");
    assert!(allows(&rules, WEB, HOST, BRIDGED, 80));
    assert!(allows(&rules, WORLD, HOST, HOST, 22), "what is not ours is not judged");
}
