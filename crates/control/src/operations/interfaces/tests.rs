use super::*;
use crate::operations::{networks, world};
use std::collections::BTreeSet;
use wharf_model::{NodeId, network::Vpc};
use wharf_store::Store;

const START: Timestamp = Timestamp(1_000_000);

fn owner() -> InterfaceOwner {
    let node: NodeId = "0123456789abcdef0123456789abcdef".parse().unwrap();
    InterfaceOwner::Task { task: ids::task(), node }
}

async fn world() -> (Store, Config, Vec<SubnetId>) {
    let (store, config) = (Store::in_memory(), world::config("/nowhere".into()));
    store.change(|draft| networks::make_default(draft, &config)).await.unwrap();
    let subnets = store.view().list::<Subnet>("").iter().map(|subnet| subnet.id.clone()).collect();
    (store, config, subnets)
}

async fn one(
    store: &Store,
    config: &Config,
    subnets: &[SubnetId],
    public: bool,
    now: Timestamp,
) -> Result<NetworkInterface, Error> {
    let new = NewInterface { subnets, groups: Vec::new(), public, owner: owner(), now };
    match store.update(|draft| allocate(draft, new, config)).await {
        Ok(interface) => Ok(interface),
        Err(wharf_store::UpdateError::Refused(error)) => Err(error),
        Err(wharf_store::UpdateError::Store(error)) => panic!("{error}"),
    }
}

/// Makes a subnet of eight addresses, of which three can be given.
async fn tiny(store: &Store) -> SubnetId {
    let id: SubnetId = "subnet-00000000".parse().unwrap();
    let made = id.clone();
    store
        .change(|draft| {
            let known = draft.list::<Subnet>("").remove(0);
            draft.put(Subnet { id: made, cidr: "172.31.255.0/29".parse().unwrap(), ..(*known).clone() });
        })
        .await
        .unwrap();
    id
}

#[tokio::test]
async fn interfaces_are_spread_over_the_subnets() {
    let (store, config, subnets) = world().await;
    let mut zones = BTreeSet::new();
    for _ in 0..3 {
        zones.insert(one(&store, &config, &subnets, false, START).await.unwrap().zone);
    }
    assert_eq!(zones.len(), 3);
}

#[tokio::test]
async fn the_first_four_addresses_and_the_last_are_never_given() {
    let (store, config, _) = world().await;
    let subnet = tiny(&store).await;
    let mut given = Vec::new();
    for _ in 0..3 {
        given.push(
            one(&store, &config, std::slice::from_ref(&subnet), false, START)
                .await
                .unwrap()
                .private_ip
                .octets()[3],
        );
    }
    assert_eq!(given, [4, 5, 6]);
    let error = one(&store, &config, std::slice::from_ref(&subnet), false, START).await.unwrap_err();
    assert_eq!(error, Error::SubnetsExhausted(vec![subnet]));
    assert_eq!(error.to_string(), "no free address in subnet-00000000");
}

#[tokio::test]
async fn an_address_rests_before_it_is_given_again() {
    let (store, config, _) = world().await;
    let subnet = [tiny(&store).await];
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(one(&store, &config, &subnet, true, START).await.unwrap());
    }
    store.change(|draft| release(draft, &held[1].id, START)).await.unwrap();
    let early = START + QUARANTINE - Duration::from_millis(1);
    assert!(due(&store.view(), early).is_empty());
    assert!(one(&store, &config, &subnet, false, early).await.is_err());
    let late = START + QUARANTINE;
    let rested = due(&store.view(), late);
    assert_eq!(rested, [held[1].id.clone()]);
    store.change(|draft| reap(draft, &rested, late)).await.unwrap();
    assert!(due(&store.view(), late).is_empty());
    let again = one(&store, &config, &subnet, true, late).await.unwrap();
    assert_eq!(again.private_ip, held[1].private_ip);
    assert_ne!(again.public_ip, held[1].public_ip, "addresses are given in turn");
}

#[tokio::test]
async fn four_thousand_interfaces_have_four_thousand_addresses() {
    let (store, config, subnets) = world().await;
    let made = store
        .change(|draft| {
            let new = || NewInterface {
                subnets: &subnets,
                groups: Vec::new(),
                public: true,
                owner: owner(),
                now: START,
            };
            (0..4_000).map(|_| allocate(draft, new(), &config).unwrap()).collect::<Vec<_>>()
        })
        .await
        .unwrap();
    let private: BTreeSet<_> = made.iter().map(|interface| interface.private_ip).collect();
    let public: BTreeSet<_> = made.iter().map(|interface| interface.public_ip).collect();
    let macs: BTreeSet<_> = made.iter().map(|interface| interface.mac).collect();
    assert_eq!((private.len(), public.len(), macs.len()), (4_000, 4_000, 4_000));
    let view = store.view();
    let left: u32 = view.list::<Subnet>("").iter().map(|subnet| available(&view, subnet)).sum();
    assert_eq!(left, 3 * 4_091 - 4_000);
    let vpc = view.list::<Vpc>("").remove(0);
    assert!(private.iter().all(|address| vpc.cidr.contains(*address)));
}

#[tokio::test]
async fn a_subnet_rests_while_another_one_has_some_of_its_addresses_in_use() {
    let (store, config, _) = world().await;
    let first = tiny(&store).await;
    let held = one(&store, &config, std::slice::from_ref(&first), false, START).await.unwrap();
    let twin: SubnetId = "subnet-00000001".parse().unwrap();
    store
        .change(|draft| {
            let known = draft.get::<Subnet>(first.as_str()).unwrap();
            let cidr = "172.31.255.0/28".parse().unwrap();
            draft.put(Subnet { id: twin.clone(), cidr, ..(*known).clone() });
        })
        .await
        .unwrap();
    let refused = one(&store, &config, std::slice::from_ref(&twin), false, START).await.unwrap_err();
    assert!(matches!(&refused, Error::SubnetOverlaps { other, .. } if *other == first), "{refused}");
    let later = START + QUARANTINE;
    store
        .change(|draft| {
            release(draft, &held.id, START);
            reap(draft, std::slice::from_ref(&held.id), later);
        })
        .await
        .unwrap();
    one(&store, &config, std::slice::from_ref(&twin), false, later).await.unwrap();
}
