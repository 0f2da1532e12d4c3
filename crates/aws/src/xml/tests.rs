use std::collections::BTreeMap;

use serde::Serialize;

use super::*;
use crate::Timestamp;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    load_balancers: Vec<LoadBalancer>,
    next_marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoadBalancer {
    name: &'static str,
    created_time: Timestamp,
    ports: Vec<u16>,
    internal: bool,
}

fn output() -> Output {
    let balancer = LoadBalancer {
        name: "a<b>&\"c\u{1}",
        created_time: Timestamp::from_millis(1_700_000_000_123),
        ports: vec![80, 443],
        internal: false,
    };
    Output { load_balancers: vec![balancer], next_marker: None }
}

#[test]
fn query_answers_wrap_the_result() {
    assert_eq!(
        query_answer("urn:x", "DescribeLoadBalancers", "id-1", &output()).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeLoadBalancersResponse xmlns=\"urn:x\">\
         <DescribeLoadBalancersResult><LoadBalancers><member><Name>a&lt;b&gt;&amp;&quot;c\u{fffd}</Name>\
         <CreatedTime>2023-11-14T22:13:20.123Z</CreatedTime>\
         <Ports><member>80</member><member>443</member></Ports><Internal>false</Internal>\
         </member></LoadBalancers></DescribeLoadBalancersResult>\
         <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DescribeLoadBalancersResponse>"
    );
}

#[test]
fn ec2_answers_have_no_result_and_call_items_item() {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Vpcs {
        vpc_set: Vec<&'static str>,
        next_token: Option<String>,
    }
    let output = Vpcs { vpc_set: vec!["vpc-1"], next_token: None };
    assert_eq!(
        ec2_answer("urn:ec2", "DescribeVpcs", "id-1", &output).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeVpcsResponse xmlns=\"urn:ec2\">\
         <requestId>id-1</requestId><vpcSet><item>vpc-1</item></vpcSet></DescribeVpcsResponse>"
    );
}

#[test]
fn answers_without_members_are_still_answers() {
    let query = query_answer("urn:x", "DeleteListener", "id", &()).unwrap();
    assert!(query.contains("<DeleteListenerResult/><ResponseMetadata>"), "{query}");
    let ec2 = ec2_answer("urn:x", "DeleteVpc", "id", &()).unwrap();
    assert!(ec2.contains("<return>true</return>"), "{ec2}");
}

#[test]
fn empty_lists_are_elements_and_maps_hold_entries() {
    #[derive(Serialize)]
    struct Holder {
        list: Vec<u8>,
        map: BTreeMap<&'static str, u8>,
    }
    let holder = Holder { list: vec![], map: BTreeMap::from([("a&", 1)]) };
    let xml = query_answer("urn:x", "X", "id", &holder).unwrap();
    assert!(
        xml.contains("<list></list><map><entry><key>a&amp;</key><value>1</value></entry></map>"),
        "{xml}"
    );
}

#[test]
fn enums_are_written_by_name() {
    #[derive(Serialize)]
    struct Holder {
        state: State,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum State {
        Active,
    }
    let xml = query_answer("urn:x", "X", "id", &Holder { state: State::Active }).unwrap();
    assert!(xml.contains("<state>active</state>"), "{xml}");
}
