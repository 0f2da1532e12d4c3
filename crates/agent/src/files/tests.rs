use super::*;

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
