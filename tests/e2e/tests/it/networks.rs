//! What EC2 is told of networks, as the tasks in them see it.

use crate::hello::{container, private_address, register, text, until};
use serde_json::json;
use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use wharf_e2e::{Aws, Inside, Wharf, World, get, vpc_address, within};

/// Runs one hello task and waits until it runs.
fn run(aws: &Aws, subnet: &str, groups: &str, public: &str) -> (String, String) {
    let network = format!(
        "awsvpcConfiguration={{subnets=[{subnet}],securityGroups=[{groups}],assignPublicIp={public}}}"
    );
    let run = aws.json(&format!(
        "ecs run-task --task-definition hello --launch-type FARGATE --network-configuration {network}"
    ));
    assert_eq!(run["failures"], json!([]), "{run:#}");
    let arn = text(&run["tasks"][0]["taskArn"]);
    let address = private_address(&until(aws, &arn, "RUNNING"));
    within(Duration::from_secs(5), "the host reaches the task", || get(&format!("http://{address}/")).ok());
    (arn, address)
}

fn group(aws: &Aws, name: &str, more: &str) -> String {
    let line = format!("ec2 create-security-group --group-name {name} --description test {more}");
    text(&aws.json(&line)["GroupId"])
}

#[test]
fn f64_rules_of_security_groups_hold_at_once_and_end_what_they_no_longer_allow() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("hello");
    register(&aws, "hello", &json!([container("hello", &image, json!({}))]));
    let subnet = text(&aws.json("ec2 describe-subnets")["Subnets"][0]["SubnetId"]);
    let (web, client) = (group(&aws, "web", ""), group(&aws, "client", ""));
    let (_, served) = run(&aws, &subnet, &web, "DISABLED");
    let (asking, asked_from) = run(&aws, &subnet, &client, "DISABLED");
    let inside = Inside::find(&wharf, &asked_from);
    let url = format!("http://{served}/healthz");
    let reaches = || inside.status(&url) == Some(200);
    assert!(!reaches(), "a new group lets nothing in");

    let rule = format!("--group-id {web} --ip-permissions IpProtocol=tcp,FromPort=80,ToPort=80");
    let from_group = format!("{rule},UserIdGroupPairs=[{{GroupId={client}}}]");
    let began = Instant::now();
    aws.json(&format!("ec2 authorize-security-group-ingress {from_group}"));
    within(Duration::from_secs(2), "a new rule holds", || reaches().then_some(()));
    println!("a new rule held after {:?}, the CLI's start included", began.elapsed());

    let mut connection = inside.connect(&served);
    assert!(connection.answers());
    aws.json(&format!("ec2 revoke-security-group-ingress {from_group}"));
    within(Duration::from_secs(3), "the connection is cut", || (!connection.answers()).then_some(()));
    assert!(!reaches(), "a rule that was taken away");

    let from_cidr = format!("{rule},IpRanges=[{{CidrIp={asked_from}/32}}]");
    aws.json(&format!("ec2 authorize-security-group-ingress {from_cidr}"));
    within(Duration::from_secs(2), "a rule for an address holds", || reaches().then_some(()));
    let list = aws.json(&format!(
        "ec2 create-managed-prefix-list --prefix-list-name one --max-entries 5 --address-family IPv4 --entries \
         Cidr={asked_from}/32"
    ));
    let list = text(&list["PrefixList"]["PrefixListId"]);
    aws.json(&format!("ec2 revoke-security-group-ingress {from_cidr}"));
    aws.json(&format!("ec2 authorize-security-group-ingress {rule},PrefixListIds=[{{PrefixListId={list}}}]"));
    within(Duration::from_secs(2), "a rule for a prefix list holds", || reaches().then_some(()));

    let everything = "IpProtocol=-1,IpRanges=[{CidrIp=0.0.0.0/0}]";
    aws.json(&format!("ec2 revoke-security-group-egress --group-id {client} --ip-permissions {everything}"));
    within(Duration::from_secs(2), "egress is judged, too", || (!reaches()).then_some(()));
    assert!(get(&url).is_ok(), "the host is always let through");
    aws.json(&format!(
        "ec2 authorize-security-group-egress --group-id {client} --ip-permissions \
         IpProtocol=tcp,FromPort=80,ToPort=80,UserIdGroupPairs=[{{GroupId={web}}}]"
    ));
    within(Duration::from_secs(2), "egress to a group", || reaches().then_some(()));

    // Somebody flushes the machine's firewall; here, what of it is this Wharf's.
    let table = inside.firewall_table();
    let nft = |words: &str| Command::new("nft").args(words.split(' ')).output().expect("nft is installed");
    assert!(nft(&format!("delete table inet {table}")).status.success());
    within(Duration::from_secs(5), "the rules are back", || {
        nft(&format!("list table inet {table}")).status.success().then_some(())
    });
    assert!(reaches());
    let closed = wharf.endpoint().replace("127.0.0.1", &vpc_address(0, 1).to_string());
    assert_eq!(inside.status(&format!("http://{closed}/")), None, "the rules are those of before");

    let refused = aws.error(&format!("ec2 delete-security-group --group-id {client}"));
    assert!(refused.contains("DependencyViolation"), "{refused}");
    aws.json(&format!("ecs stop-task --task {asking}"));
    until(&aws, &asking, "STOPPED");
    aws.json(&format!("ec2 delete-security-group --group-id {client}"));
    // It holds the namespace of its task.
    drop(connection);
    wharf.down();
}

/// A server in the world; it ends when this is dropped.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn created_vpcs_are_apart_and_lead_out_as_their_routes_say() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("hello");
    register(&aws, "hello", &json!([container("hello", &image, json!({}))]));
    let id = |line: &str, path: &[&str]| {
        let answer = aws.json(line);
        text(path.iter().fold(&answer, |at, name| &at[*name]))
    };
    let vpc = id("ec2 create-vpc --cidr-block 172.29.8.0/21", &["Vpc", "VpcId"]);
    let subnet = |cidr: &str| {
        id(&format!("ec2 create-subnet --vpc-id {vpc} --cidr-block {cidr}"), &["Subnet", "SubnetId"])
    };
    let (inner, outer) = (subnet("172.29.8.0/24"), subnet("172.29.9.0/24"));
    let open = group(&aws, "open", &format!("--vpc-id {vpc}"));
    let everything = "IpProtocol=-1,IpRanges=[{CidrIp=0.0.0.0/0}]";
    aws.json(&format!(
        "ec2 authorize-security-group-ingress --group-id {open} --ip-permissions {everything}"
    ));

    // Two tasks of the VPC reach each other, and nobody of another VPC reaches them.
    let (first, inner_address) = run(&aws, &inner, &open, "DISABLED");
    let (_, outer_address) = run(&aws, &outer, &open, "ENABLED");
    let default = aws.json("ec2 describe-subnets --filters Name=default-for-az,Values=true");
    let default_subnet = text(&default["Subnets"][0]["SubnetId"]);
    let free = group(&aws, "free", "");
    aws.json(&format!(
        "ec2 authorize-security-group-ingress --group-id {free} --ip-permissions {everything}"
    ));
    let (_, other_address) = run(&aws, &default_subnet, &free, "ENABLED");
    let at = |address: &str| Inside::find(&wharf, address);
    let page = |address: &str| format!("http://{address}/healthz");
    assert_eq!(at(&inner_address).status(&page(&outer_address)), Some(200));
    assert_eq!(at(&other_address).status(&page(&inner_address)), None, "another VPC reached it");
    assert_eq!(at(&inner_address).status(&page(&other_address)), None, "it reached another VPC");

    // Names of the VPC are answered in the task itself.
    let dashed = outer_address.replace('.', "-");
    let name = format!("ip-{dashed}.us-east-1.compute.internal");
    assert_eq!(at(&inner_address).resolve(&name), outer_address);
    assert_eq!(at(&other_address).resolve(&name), "code 3", "a name of another VPC");
    let balancer = aws.json(&format!(
        "elbv2 create-load-balancer --name names --scheme internal --subnets {inner} {outer}"
    ));
    let balancer = text(&balancer["LoadBalancers"][0]["DNSName"]);
    within(Duration::from_secs(5), "the load balancer's name", || {
        at(&inner_address).resolve(&balancer).starts_with("172.29.").then_some(())
    });
    aws.json(&format!("ec2 modify-vpc-attribute --vpc-id {vpc} --no-enable-dns-support"));
    within(Duration::from_secs(5), "the resolver is off", || {
        (at(&inner_address).resolve(&name) == "code 5").then_some(())
    });

    // The world is reached by a route, and by a public address or NAT.
    let world = World::make("wharf-world");
    let mut server = world.command("python3");
    // Not HTTPServer: that one asks for its own name first, and nobody in the world answers.
    server.args([
        "-c",
        "import http.server as h, socketserver as s\n\
         s.TCPServer(('198.51.100.2', 80), h.SimpleHTTPRequestHandler).serve_forever()",
    ]);
    let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _served = Served(server.expect("python3 is installed by scripts/test"));
    let outside = "http://198.51.100.2/";
    within(Duration::from_secs(10), "the world serves", || get(outside).ok());
    assert_eq!(at(&other_address).status(outside), Some(200), "the default VPC leads out");
    assert_eq!(at(&outer_address).status(outside), None, "no route leads out");
    let gateway = id("ec2 create-internet-gateway", &["InternetGateway", "InternetGatewayId"]);
    aws.json(&format!("ec2 attach-internet-gateway --internet-gateway-id {gateway} --vpc-id {vpc}"));
    let table = |subnet: &str| {
        let table = id(&format!("ec2 create-route-table --vpc-id {vpc}"), &["RouteTable", "RouteTableId"]);
        aws.json(&format!("ec2 associate-route-table --route-table-id {table} --subnet-id {subnet}"));
        table
    };
    let (inner_table, outer_table) = (table(&inner), table(&outer));
    let route = |table: &str, target: &str| {
        let to = "--destination-cidr-block 0.0.0.0/0";
        aws.json(&format!("ec2 create-route --route-table-id {table} {to} {target}"));
    };
    route(&outer_table, &format!("--gateway-id {gateway}"));
    within(Duration::from_secs(2), "a gateway leads out", || at(&outer_address).status(outside));
    assert_eq!(at(&inner_address).status(outside), None, "the other subnet has no route");
    let allocation = id("ec2 allocate-address", &["AllocationId"]);
    let nat = format!("ec2 create-nat-gateway --subnet-id {outer} --allocation-id {allocation}");
    let nat = id(&nat, &["NatGateway", "NatGatewayId"]);
    route(&inner_table, &format!("--nat-gateway-id {nat}"));
    within(Duration::from_secs(2), "NAT leads out", || at(&inner_address).status(outside));
    aws.json(&format!("ec2 delete-nat-gateway --nat-gateway-id {nat}"));
    within(Duration::from_secs(3), "its end is felt", || {
        at(&inner_address).status(outside).is_none().then_some(())
    });

    // Another VPC may have the same addresses, but not at once on one machine.
    let twin = id("ec2 create-vpc --cidr-block 172.29.8.0/21", &["Vpc", "VpcId"]);
    let twin_subnet = format!("ec2 create-subnet --vpc-id {twin} --cidr-block 172.29.8.0/25");
    let twin_subnet = id(&twin_subnet, &["Subnet", "SubnetId"]);
    let refused = aws.json(&format!(
        "ecs run-task --task-definition hello --launch-type FARGATE --network-configuration \
         awsvpcConfiguration={{subnets=[{twin_subnet}]}}"
    ));
    let failure = &refused["failures"][0];
    assert_eq!(failure["reason"], "RESOURCE:ENI");
    assert!(text(&failure["detail"]).contains("overlap"), "{failure:#}");
    let refused = aws.error(&format!("ec2 delete-subnet --subnet-id {inner}"));
    assert!(refused.contains("DependencyViolation"), "{refused}");
    aws.json(&format!("ecs stop-task --task {first}"));
    until(&aws, &first, "STOPPED");
    drop(world);
    wharf.down();
}

#[test]
fn a_wharf_does_not_start_over_the_addresses_of_another() {
    let wharf = Wharf::start(&["--ephemeral"]);
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let run_dir = format!("--run-dir={}/run", dir.path().display());
    let state_dir = format!("--state-dir={}/state", dir.path().display());
    let second = [run_dir.as_str(), state_dir.as_str(), "--endpoint=127.0.0.1:0", "--ephemeral"];
    let said = wharf.output_with("up", &second);
    assert!(!said.status.success());
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(text.contains("--vpc-cidr") && text.contains("overlaps this host's route"), "{text}");
    wharf.down();
}
