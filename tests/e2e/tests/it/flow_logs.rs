//! Flow logs, as those read them who ask who reached whom.

use crate::hello::{container, private_address, register, text, until};
use serde_json::{Value, json};
use std::{
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use wharf_e2e::{Aws, Inside, Wharf, get, within};

/// Runs a hello task with a security group and returns its address and its interface.
fn run(aws: &Aws, subnet: &str, group: &str) -> (String, String) {
    let network = format!("awsvpcConfiguration={{subnets=[{subnet}],securityGroups=[{group}]}}");
    let run = aws.json(&format!(
        "ecs run-task --task-definition hello --launch-type FARGATE --network-configuration {network}"
    ));
    assert_eq!(run["failures"], json!([]), "{run:#}");
    let address = private_address(&until(aws, &text(&run["tasks"][0]["taskArn"]), "RUNNING"));
    within(Duration::from_secs(5), "the host reaches the task", || get(&format!("http://{address}/")).ok());
    let found = aws
        .json(&format!("ec2 describe-network-interfaces --filters Name=private-ip-address,Values={address}"));
    (address, text(&found["NetworkInterfaces"][0]["NetworkInterfaceId"]))
}

fn group(aws: &Aws, name: &str) -> String {
    text(&aws.json(&format!("ec2 create-security-group --group-name {name} --description test"))["GroupId"])
}

/// Returns a stream's lines; none while it is not there.
fn lines(aws: &Aws, group: &str, stream: &str) -> Vec<String> {
    let read = aws.output(&format!(
        "logs filter-log-events --log-group-name {group} --log-stream-names {stream} --output json"
    ));
    let events: Value = serde_json::from_slice(&read.stdout).unwrap_or_default();
    let events = events["events"].as_array().cloned().unwrap_or_default();
    events.iter().map(|event| text(&event["message"])).collect()
}

/// Returns the fields of the line of a flow, whose sender's port is whatever it is.
fn flow(lines: &[String], from: &str, to: &str, ports: (&str, &str), action: &str) -> Option<Vec<String>> {
    let fits = |wanted: &str, given: &str| wanted == "*" || wanted == given;
    let fields = |line: &String| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    lines.iter().map(fields).find(|line| {
        line.len() == 14
            && (line[3].as_str(), line[4].as_str(), line[12].as_str()) == (from, to, action)
            && fits(ports.0, &line[5])
            && fits(ports.1, &line[6])
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[test]
fn flow_logs_tell_of_each_interface_what_was_let_through_and_what_was_refused() {
    let began = now();
    let wharf = Wharf::start(&["--ephemeral"]);
    let aws = wharf.aws();
    let image = wharf.push("hello");
    register(&aws, "hello", &json!([container("hello", &image, json!({}))]));
    let shown = &aws.json("ec2 describe-subnets")["Subnets"][0];
    let (subnet, vpc) = (text(&shown["SubnetId"]), text(&shown["VpcId"]));
    let (web, client) = (group(&aws, "web"), group(&aws, "client"));
    aws.json(&format!(
        "ec2 authorize-security-group-ingress --group-id {web} --protocol tcp --port 80 --source-group {client}"
    ));
    let (served, served_interface) = run(&aws, &subnet, &web);
    let (asking, asking_interface) = run(&aws, &subnet, &client);
    let inside = Inside::find(&wharf, &asking);
    let table = format!("{}_flows", inside.firewall_table());
    let counts = || {
        let listed = Command::new("nft").args(["list", "table", "inet", &table]).output();
        listed.expect("nft is installed").status.success()
    };
    assert!(!counts(), "packets are counted for nobody");

    let role = "--deliver-logs-permission-arn arn:aws:iam::123456789012:role/flows";
    let made = aws.json(&format!(
        "ec2 create-flow-logs --resource-type VPC --resource-ids {vpc} --traffic-type ALL --log-group-name flows \
         --max-aggregation-interval 60 {role}"
    ));
    assert_eq!(made["Unsuccessful"], json!([]), "{made:#}");
    let all = text(&made["FlowLogIds"][0]);
    let made = aws.json(&format!(
        "ec2 create-flow-logs --resource-type NetworkInterface --resource-ids {served_interface} --traffic-type REJECT \
         --log-group-name refused --max-aggregation-interval 60 {role} \
         --log-format '${{dstport}} ${{action}} ${{log-status}}'"
    ));
    let refused = text(&made["FlowLogIds"][0]);
    within(Duration::from_secs(5), "packets are counted", || counts().then_some(()));

    // A rule that changes makes the firewall anew, and the counters stay.
    assert_eq!(inside.status(&format!("http://{served}/healthz")), Some(200));
    assert_eq!(inside.status(&format!("http://{served}:81/")), None);
    aws.json(&format!(
        "ec2 authorize-security-group-ingress --group-id {web} --protocol tcp --port 82 --source-group {client}"
    ));
    let port =
        |lines: &[String]| flow(lines, &asking, &served, ("*", "80"), "ACCEPT").map(|it| it[5].clone());
    let at_client = within(Duration::from_secs(90), "the client's lines", || {
        let lines = lines(&aws, "flows", &format!("{asking_interface}-all"));
        let refused = flow(&lines, &asking, &served, ("*", "81"), "ACCEPT");
        (port(&lines).is_some() && refused.is_some()).then_some(lines)
    });
    let at_server = within(Duration::from_secs(20), "the server's lines", || {
        let lines = lines(&aws, "flows", &format!("{served_interface}-all"));
        let refused = flow(&lines, &asking, &served, ("*", "81"), "REJECT");
        (port(&lines).is_some() && refused.is_some()).then_some(lines)
    });
    println!("{at_client:#?}\n{at_server:#?}");
    let own = port(&at_client).expect("it was just found");
    for (interface, lines) in [(&asking_interface, &at_client), (&served_interface, &at_server)] {
        let there = flow(lines, &asking, &served, (&own, "80"), "ACCEPT").expect("the request");
        let back = flow(lines, &served, &asking, ("80", &own), "ACCEPT").expect("the answer");
        for line in [there, back] {
            let number = |field: usize| line[field].parse::<u64>().expect("a number");
            assert_eq!((line[0].as_str(), &line[2], line[7].as_str()), ("2", interface, "6"), "{line:?}");
            assert_eq!(line[1].len(), 12, "{line:?}");
            // At least what opens a connection, a request or its answer, and what closes it.
            assert!(number(8) >= 3 && number(9) >= number(8) * 40, "{line:?}");
            assert!(began <= number(10) && number(10) <= number(11) && number(11) <= now(), "{line:?}");
            assert_eq!(line[13], "OK");
        }
    }
    // The client may send it; the server may not receive it.
    let tried = flow(&at_client, &asking, &served, ("*", "81"), "ACCEPT").expect("a packet that was sent");
    let stopped = flow(&at_server, &asking, &served, (&tried[5], "81"), "REJECT").expect("a refused packet");
    assert_eq!(tried[8], stopped[8], "the same packets at both interfaces");
    assert_eq!(flow(&at_server, &asking, &served, ("*", "81"), "ACCEPT"), None);
    assert_eq!(flow(&at_client, &asking, &served, ("*", "81"), "REJECT"), None);
    let short = within(Duration::from_secs(20), "the lines of what was refused", || {
        Some(lines(&aws, "refused", &format!("{served_interface}-reject"))).filter(|lines| !lines.is_empty())
    });
    assert!(short.iter().all(|line| line == "81 REJECT OK"), "{short:?}");

    within(Duration::from_secs(90), "a minute without traffic", || {
        let lines = lines(&aws, "flows", &format!("{asking_interface}-all"));
        lines.last().filter(|line| line.ends_with(" - NODATA")).map(drop)
    });
    aws.json(&format!("ec2 delete-flow-logs --flow-log-ids {all} {refused}"));
    within(Duration::from_secs(5), "packets are counted no longer", || (!counts()).then_some(()));
    wharf.down();
}
