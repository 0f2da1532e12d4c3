use super::*;
use crate::operations::world;
use wharf_model::network::{Peer, RouteTable, Subnet, Via, Vpc, security_group};
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

#[tokio::test]
async fn the_default_vpc_leads_to_the_internet() {
    let (control, _dir) = world::control();
    ensure_default(&control).await.unwrap();
    let ways = ways_out(&control.store().view());
    assert_eq!(ways.len(), 3);
    let everywhere = "0.0.0.0/0".parse().unwrap();
    assert!(ways.iter().all(|subnet| subnet.routes == [(everywhere, Via::Internet)]));
}

#[tokio::test]
async fn what_an_older_version_wrote_gets_ids_for_its_rules_and_a_main_route_table() {
    let (control, _dir) = world::control();
    let old = r#"{"id":"sg-00000001","name":"default","description":"","vpc":"vpc-00000001","egress":[],"tags":[],
        "ingress":[{"protocol":"All","ports":null,"peer":{"Group":"sg-00000001"}},
                   {"protocol":"Tcp","ports":[80,80],"peer":{"Cidr":"0.0.0.0/0"}}]}"#;
    let group: SecurityGroup = serde_json::from_str(old).unwrap();
    let vpc: Vpc =
        serde_json::from_str(r#"{"id":"vpc-00000001","cidr":"10.0.0.0/16","is_default":true,"tags":[]}"#)
            .unwrap();
    control
        .store()
        .change(|draft| {
            draft.put(group.clone());
            draft.put(vpc.clone());
        })
        .await
        .unwrap();
    ensure_default(&control).await.unwrap();
    let view = control.store().view();
    let ids: Vec<_> = view.list::<SecurityGroup>("")[0].rules().map(|rule| rule.id.clone()).collect();
    assert!(ids[0] != ids[1] && !ids.contains(&security_group::unnamed()));
    assert_eq!(view.list::<Vpc>("").len(), 1, "there is a default VPC");
    let table = view.list::<RouteTable>("").remove(0);
    assert!(table.main.is_some() && table.routes.len() == 1);
}

#[tokio::test]
async fn a_flow_log_of_an_interface_goes_with_it_and_that_of_its_subnet_stays() {
    use crate::operations::interfaces::{self, NewInterface};
    use wharf_model::network::{FlowFormat, FlowLog, FlowLogResource, InterfaceOwner, TrafficType};
    let (control, _dir) = world::control();
    ensure_default(&control).await.unwrap();
    let subnet = control.store().view().list::<Subnet>("")[0].id.clone();
    let owner = InterfaceOwner::LoadBalancer(control.config().place.arn("elasticloadbalancing", "x"));
    let now = control.now();
    let made = control.store().update(|draft| {
        let subnets = std::slice::from_ref(&subnet);
        let new = NewInterface { subnets, groups: Vec::new(), public: false, owner: owner.clone(), now };
        interfaces::allocate(draft, new, control.config())
    });
    let interface = made.await.unwrap().id;
    let make = async |resources: Vec<FlowLogResource>| {
        let new = flow_logs::NewFlowLogs {
            resources,
            traffic: TrafficType::All,
            group: "flows".to_owned(),
            role: "arn:aws:iam::123456789012:role/flows".parse().unwrap(),
            interval_secs: 60,
            format: FlowFormat::default(),
            tags: Vec::new(),
        };
        let once = Once { operation: "CreateFlowLogs", token: None, fingerprint: String::new(), now };
        flow_logs::create(&control, new, once).await.unwrap()
    };
    let (own, around) =
        (FlowLogResource::Interface(interface.clone()), FlowLogResource::Subnet(subnet.clone()));
    assert_eq!(make(vec![own.clone(), around.clone()]).await.made.len(), 2);
    control.store().change(|draft| interfaces::release(draft, &interface, now)).await.unwrap();
    let left: Vec<_> =
        control.store().view().list::<FlowLog>("").iter().map(|log| log.resource.clone()).collect();
    assert_eq!(left, [around]);
    // What is no longer held cannot have one.
    let refused = make(vec![own.clone()]).await;
    assert_eq!((refused.made.len(), &refused.failed[0].0), (0, &own));
}
