use super::*;
use wharf_model::{Timestamp, network::SubnetAssociation};

/// Two subnets of one VPC: `a` has the table `public`, `b` the main one.
struct Example {
    subnets: [Subnet; 2],
    tables: [RouteTable; 2],
    gateway: InternetGateway,
    nat: NatGateway,
}

fn subnet(id: &str, cidr: &str) -> Subnet {
    Subnet {
        id: id.parse().unwrap(),
        arn: format!("arn:aws:ec2:us-east-1:123456789012:subnet/{id}").parse().unwrap(),
        vpc: "vpc-00000001".parse().unwrap(),
        cidr: cidr.parse().unwrap(),
        zone: "us-east-1a".to_owned(),
        is_default: false,
        public_on_launch: false,
        tags: Vec::new(),
    }
}

fn example(main: &str, public: &str) -> Example {
    let routes = |text: &str| {
        let one = |route: &str| {
            let (destination, target) = route.split_once(' ').unwrap();
            let target = match target.split_once('-').unwrap() {
                ("igw", _) => RouteTarget::InternetGateway(target.parse().unwrap()),
                _ => RouteTarget::NatGateway(target.parse().unwrap()),
            };
            Route { destination: destination.parse().unwrap(), target }
        };
        text.split(", ").filter(|route| !route.is_empty()).map(one).collect()
    };
    let vpc: wharf_model::VpcId = "vpc-00000001".parse().unwrap();
    let table = |id: &str, main: Option<&str>, subnets: &[&str], text: &str| RouteTable {
        id: id.parse().unwrap(),
        vpc: vpc.clone(),
        main: main.map(|id| id.parse().unwrap()),
        subnets: subnets
            .iter()
            .map(|subnet| SubnetAssociation {
                id: "rtbassoc-00000002".parse().unwrap(),
                subnet: subnet.parse().unwrap(),
            })
            .collect(),
        routes: routes(text),
        tags: Vec::new(),
    };
    Example {
        subnets: [subnet("subnet-0000000a", "10.0.0.0/24"), subnet("subnet-0000000b", "10.0.1.0/24")],
        tables: [
            table("rtb-00000001", Some("rtbassoc-00000001"), &[], main),
            table("rtb-00000002", None, &["subnet-0000000a"], public),
        ],
        gateway: InternetGateway {
            id: "igw-00000001".parse().unwrap(),
            vpc: Some(vpc.clone()),
            tags: Vec::new(),
        },
        nat: NatGateway {
            id: "nat-00000001".parse().unwrap(),
            subnet: "subnet-0000000a".parse().unwrap(),
            vpc,
            interface: "eni-00000001".parse().unwrap(),
            allocation: Some("eipalloc-00000001".parse().unwrap()),
            created_at: Timestamp(0),
            tags: Vec::new(),
        },
    }
}

fn check(example: &Example, expected: &str) {
    let world = World {
        subnets: &example.subnets.each_ref(),
        tables: &example.tables.each_ref(),
        gateways: &[&example.gateway],
        nats: &[&example.nat],
    };
    let shown: Vec<String> = routes(world)
        .iter()
        .map(|subnet| {
            let ways = subnet.routes.iter().map(|(to, via)| format!("{to} {via:?}"));
            format!("{}: {}", subnet.cidr, ways.collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert_eq!(shown.join("; "), expected);
}

#[test]
fn a_subnet_follows_its_own_table_and_others_the_main_one() {
    check(&example("", "0.0.0.0/0 igw-00000001"), "10.0.0.0/24: 0.0.0.0/0 Internet; 10.0.1.0/24: ");
}

#[test]
fn the_longest_prefix_comes_first() {
    check(
        &example("", "0.0.0.0/0 igw-00000001, 192.0.2.0/24 nat-00000009, 192.0.2.8/32 igw-00000001"),
        "10.0.0.0/24: 192.0.2.8/32 Internet, 192.0.2.0/24 Nowhere, 0.0.0.0/0 Internet; 10.0.1.0/24: ",
    );
}

#[test]
fn a_nat_gateway_leads_out_only_from_a_subnet_that_does() {
    let public = "0.0.0.0/0 igw-00000001";
    let nat = "0.0.0.0/0 nat-00000001";
    check(&example(nat, public), "10.0.0.0/24: 0.0.0.0/0 Internet; 10.0.1.0/24: 0.0.0.0/0 Nat");
    check(&example(nat, ""), "10.0.0.0/24: ; 10.0.1.0/24: 0.0.0.0/0 Nowhere");
    check(&example(nat, nat), "10.0.0.0/24: 0.0.0.0/0 Nowhere; 10.0.1.0/24: 0.0.0.0/0 Nowhere");
    let mut private = example(nat, public);
    private.nat.allocation = None;
    check(&private, "10.0.0.0/24: 0.0.0.0/0 Internet; 10.0.1.0/24: 0.0.0.0/0 Nowhere");
}

#[test]
fn a_gateway_that_is_not_attached_leads_nowhere() {
    let mut detached = example("", "0.0.0.0/0 igw-00000001");
    detached.gateway.vpc = None;
    check(&detached, "10.0.0.0/24: 0.0.0.0/0 Nowhere; 10.0.1.0/24: ");
}
