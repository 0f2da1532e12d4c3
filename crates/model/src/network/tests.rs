use super::*;

fn cidr(text: &str) -> Cidr {
    text.parse().unwrap()
}

#[test]
fn a_cidr_block_holds_its_first_and_last_address_and_no_other() {
    let block = cidr("172.31.16.0/20");
    assert!(block.contains("172.31.16.0".parse().unwrap()));
    assert!(block.contains("172.31.31.255".parse().unwrap()));
    assert!(!block.contains("172.31.32.0".parse().unwrap()));
    assert_eq!(block.gateway().to_string(), "172.31.16.1");
    assert_eq!(block.nth(4095).map(|a| a.to_string()).as_deref(), Some("172.31.31.255"));
    assert_eq!(block.nth(4096), None);
    assert_eq!((block.size(), cidr("0.0.0.0/0").size()), (4096, 1 << 32));
}

#[test]
fn a_block_with_host_bits_or_a_bad_prefix_is_refused() {
    for wrong in ["172.31.0.1/16", "172.31.0.0/33", "172.31.0.0", "a/8", ""] {
        assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
    }
}

#[test]
fn blocks_overlap_when_one_lies_in_the_other() {
    assert!(cidr("10.0.0.0/8").overlaps(&cidr("10.1.0.0/16")));
    assert!(cidr("10.1.0.0/16").overlaps(&cidr("10.0.0.0/8")));
    assert!(!cidr("10.0.0.0/16").overlaps(&cidr("10.1.0.0/16")));
}

#[test]
fn a_mac_address_reads_back_as_it_was_written() {
    let mac: MacAddress = "02:0a:ff:00:10:99".parse().unwrap();
    assert_eq!(mac.to_string(), "02:0a:ff:00:10:99");
    assert!("02:0a".parse::<MacAddress>().is_err());
}

#[test]
fn format_of_flow_logs_is_fields_in_any_order() {
    use super::{FlowField, FlowFormat, InvalidFormat};
    let format: FlowFormat = "${dstport} ${srcaddr}".parse().unwrap();
    assert_eq!(format.fields(), [FlowField::DstPort, FlowField::SrcAddr]);
    assert_eq!(format.to_string(), "${dstport} ${srcaddr}");
    assert_eq!(FlowFormat::default().to_string().parse(), Ok(FlowFormat::default()));
    let error = |given: &str| given.parse::<FlowFormat>().unwrap_err();
    assert_eq!(error("${start} ${tcp-flags}"), InvalidFormat::Field("tcp-flags".to_owned()));
    for shape in ["", "start", "${start},${end}", "${start}  ${end}", "${start} ", "${}"] {
        assert_eq!(error(shape), InvalidFormat::Shape, "{shape:?}");
    }
}
