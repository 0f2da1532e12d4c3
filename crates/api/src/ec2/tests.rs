use super::zones;

#[test]
fn zone_ids_shorten_the_region() {
    assert_eq!(zones::id("us-east-1", "us-east-1a"), "use1-az1");
    assert_eq!(zones::id("ap-southeast-2", "ap-southeast-2c"), "apse2-az3");
    assert_eq!(zones::id("eu-central-1", "eu-central-1b"), "euc1-az2");
}
