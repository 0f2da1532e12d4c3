use super::{Saved, TABLE_KEY};
use camino::Utf8Path;
use std::{fs, net::Ipv4Addr, os::unix::fs::PermissionsExt};
use tempfile::TempDir;
use wharf_model::{
    routing::{Action, BalancerRoutes, CertificateRoutes, ListenerRoutes, RoutingTable, TlsRoutes},
    secret::Plain,
};

fn table() -> RoutingTable {
    let certificate = |chain: &str, key: &str| CertificateRoutes {
        names: vec!["shop.example".to_owned()],
        chain: chain.to_owned(),
        key: Plain::new(key),
    };
    let certificates = vec![certificate("chain 1", "key 1"), certificate("chain 2", "key 2")];
    let arn = |resource: &str| {
        format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{resource}").parse().unwrap()
    };
    let listener = ListenerRoutes {
        arn: arn("listener/app/web/1/2"),
        port: 443,
        default_action: Action::FixedResponse { status_code: 200, content_type: None, message_body: None },
        rules: Vec::new(),
        attributes: Default::default(),
        tls: Some(TlsRoutes { policy: "p".to_owned(), certificates }),
    };
    let balancer = BalancerRoutes {
        arn: arn("loadbalancer/app/web/1"),
        dns_name: "web".to_owned(),
        addresses: vec![Ipv4Addr::LOCALHOST],
        host_addresses: Vec::new(),
        idle_timeout_secs: 60,
        attributes: Default::default(),
        listeners: vec![listener],
    };
    RoutingTable { version: 7, load_balancers: vec![balancer], target_groups: Vec::new() }
}

fn saved(dir: &TempDir) -> Saved {
    Saved::new(Utf8Path::from_path(dir.path()).unwrap())
}

#[test]
fn private_keys_are_saved_encrypted_and_come_back() {
    let dir = TempDir::new().unwrap();
    saved(&dir).table(&table());
    let text = fs::read_to_string(dir.path().join("table.json")).unwrap();
    assert!(text.contains("chain 1") && !text.contains("key 1") && !text.contains("key 2"), "{text}");
    for name in ["table.json", TABLE_KEY] {
        let mode = fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(saved(&dir).load().unwrap().0, table());
}

#[test]
fn a_key_that_did_not_change_is_not_encrypted_again() {
    let dir = TempDir::new().unwrap();
    let saved = saved(&dir);
    let write = |table: &RoutingTable| {
        saved.table(table);
        fs::read_to_string(dir.path().join("table.json")).unwrap()
    };
    let mut changed = table();
    assert_eq!(write(&changed), write(&changed));
    changed.load_balancers[0].listeners[0].tls.as_mut().unwrap().certificates[1].key = Plain::new("key 3");
    write(&changed);
    assert_eq!(saved.load().unwrap().0, changed);
}

#[test]
fn a_key_of_another_certificate_or_by_another_secret_does_not_open() {
    let dir = TempDir::new().unwrap();
    saved(&dir).table(&table());
    let path = dir.path().join("table.json");
    let text = fs::read_to_string(&path).unwrap();
    let certificates = |saved: Saved| {
        saved.load().unwrap().0.load_balancers[0].listeners[0].tls.clone().unwrap().certificates
    };
    fs::write(&path, text.replace("chain 2", "chain 3")).unwrap();
    assert_eq!(certificates(saved(&dir)), []);
    fs::write(&path, text).unwrap();
    fs::remove_file(dir.path().join(TABLE_KEY)).unwrap();
    assert_eq!(certificates(saved(&dir)), []);
}
