use super::Block;
use std::net::IpAddr;

fn check(block: &str, address: &str, expected: bool) {
    let (block, address): (Block, IpAddr) = (block.parse().unwrap(), address.parse().unwrap());
    assert_eq!(block.contains(address), expected, "{address} in {block}");
}

#[test]
fn a_block_has_the_addresses_that_share_its_leading_bits() {
    check("192.0.2.0/24", "192.0.2.255", true);
    check("192.0.2.0/24", "192.0.3.0", false);
    check("192.0.2.1/32", "192.0.2.1", true);
    check("192.0.2.1/32", "192.0.2.2", false);
    check("0.0.0.0/0", "203.0.113.9", true);
    check("2001:db8::/32", "2001:db8:1::1", true);
    check("2001:db8::/32", "2001:db9::1", false);
    check("::/0", "192.0.2.1", false);
}

#[test]
fn a_block_with_host_bits_or_too_long_a_prefix_is_none() {
    for bad in ["192.0.2.1/24", "192.0.2.0/33", "192.0.2.0", "2001:db8::1/64", "::/129", "all/0"] {
        assert!(bad.parse::<Block>().is_err(), "{bad}");
    }
}
