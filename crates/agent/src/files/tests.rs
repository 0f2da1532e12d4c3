use super::*;

#[test]
fn name_servers_on_the_hosts_loopback_are_not_given_to_tasks() {
    let text = "# stub\nnameserver 127.0.0.53\nnameserver 10.0.0.2\nnameserver ::1\nsearch example.com\n";
    assert_eq!(reachable(text), [Ipv4Addr::new(10, 0, 0, 2)]);
}

#[test]
fn files_name_the_task_and_its_region() {
    let address = Ipv4Addr::new(172, 31, 0, 10);
    assert_eq!(
        hosts(Some(address), "ip-172-31-0-10.us-east-1.compute.internal"),
        "127.0.0.1 localhost\n172.31.0.10 ip-172-31-0-10.us-east-1.compute.internal\n"
    );
    let text = resolv_conf("us-east-1", &[Ipv4Addr::new(10, 0, 0, 2)]);
    assert_eq!(text, "search us-east-1.compute.internal\nnameserver 10.0.0.2\n");
}
