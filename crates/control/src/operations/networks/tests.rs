use super::*;
use crate::operations::world;
use wharf_model::network::{Peer, Subnet, Vpc};
use wharf_store::Store;

#[tokio::test]
async fn the_default_vpc_is_made_once() {
    let (control, _dir) = world::control();
    ensure_default(&control).await.unwrap();
    let ids = |control: &Control| {
        let view = control.store().view();
        let subnets: Vec<_> = view.list::<Subnet>("").iter().map(|subnet| subnet.id.clone()).collect();
        (view.list::<Vpc>("").iter().map(|vpc| vpc.id.clone()).collect::<Vec<_>>(), subnets)
    };
    let before = ids(&control);
    ensure_default(&control).await.unwrap();
    assert_eq!(ids(&control), before);
    assert_eq!((before.0.len(), before.1.len()), (1, 3));
}

#[tokio::test]
async fn its_subnets_are_twenties_in_three_zones_and_its_group_lets_members_in_and_all_out() {
    let (control, _dir) = world::control();
    ensure_default(&control).await.unwrap();
    let view = control.store().view();
    let mut subnets: Vec<String> =
        view.list::<Subnet>("").iter().map(|subnet| format!("{} {}", subnet.zone, subnet.cidr)).collect();
    subnets.sort();
    assert_eq!(
        subnets,
        ["us-east-1a 172.31.0.0/20", "us-east-1b 172.31.16.0/20", "us-east-1c 172.31.32.0/20"]
    );
    let group = view.list::<SecurityGroup>("").remove(0);
    assert_eq!(group.ingress[0].permission.peer, Peer::Group(group.id.clone()));
    assert_eq!(group.egress[0].permission.peer, Peer::Cidr("0.0.0.0/0".parse().unwrap()));
}

#[tokio::test]
async fn a_small_block_is_shared_out_in_quarters() {
    let (control, _dir) = world::control();
    let subnets = async |block: &str| {
        let store = Store::in_memory();
        let config = Config { vpc_cidr: block.parse().unwrap(), ..control.config().clone() };
        store.change(|draft| make_default(draft, &config)).await.unwrap();
        let mut subnets: Vec<String> =
            store.view().list::<Subnet>("").iter().map(|subnet| subnet.cidr.to_string()).collect();
        subnets.sort();
        subnets.join(" ")
    };
    assert_eq!(subnets("10.0.0.0/18").await, "10.0.0.0/20 10.0.16.0/20 10.0.32.0/20");
    assert_eq!(subnets("10.0.0.0/24").await, "10.0.0.0/26 10.0.0.128/26 10.0.0.64/26");
    assert_eq!(subnets("10.0.0.64/26").await, "10.0.0.64/28 10.0.0.80/28 10.0.0.96/28");
}
