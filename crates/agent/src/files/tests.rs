use super::*;

#[test]
fn files_name_the_task_and_its_region() {
    let address = Ipv4Addr::new(172, 31, 0, 10);
    assert_eq!(
        hosts(Some(address), "ip-172-31-0-10.us-east-1.compute.internal", &[]),
        "127.0.0.1 localhost\n172.31.0.10 ip-172-31-0-10.us-east-1.compute.internal\n"
    );
    let plain = ContainerDefinition::new("web", "web");
    let text = resolv_conf("us-east-1", &[Ipv4Addr::new(10, 0, 0, 2)], &plain);
    assert_eq!(text, "search us-east-1.compute.internal\nnameserver 10.0.0.2\n");
}

#[test]
fn what_a_definition_says_of_names_goes_before_the_nodes() {
    let entry = HostEntry { hostname: "db".to_owned(), ip_address: "10.0.0.9".to_owned() };
    assert!(hosts(None, "x", &[entry]).ends_with("\n10.0.0.9 db\n"));
    let definition = ContainerDefinition {
        dns_servers: vec!["9.9.9.9".to_owned()],
        dns_search_domains: vec!["a.example".to_owned(), "b.example".to_owned()],
        ..ContainerDefinition::new("web", "web")
    };
    let text = resolv_conf("us-east-1", &[Ipv4Addr::new(10, 0, 0, 2)], &definition);
    assert_eq!(text, "search a.example b.example\nnameserver 9.9.9.9\n");
}

#[test]
fn name_servers_are_read_from_the_hosts_file() {
    let text = "# stub\nnameserver 127.0.0.53\n nameserver 10.0.0.2\nnameserver ::1\nsearch example.com\n";
    assert_eq!(nameservers(text), [Ipv4Addr::new(127, 0, 0, 53), Ipv4Addr::new(10, 0, 0, 2)]);
}
