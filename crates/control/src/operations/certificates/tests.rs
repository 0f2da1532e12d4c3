use super::{
    authority::KeyAlgorithm,
    names::checked,
    read::{Unusable, check, facts},
};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use wharf_model::Timestamp;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A certificate that signs itself, and its key.
fn own(names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_after = rcgen::date_time_ymd(2100, 1, 1);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn names_are_lower_case_each_once_the_first_one_first() {
    let names = checked("Web.Example.com", &["*.example.com".into(), "web.example.com".into()]);
    assert_eq!(names.unwrap(), ["web.example.com", "*.example.com"]);
    assert!(checked("localhost", &[]).is_ok());
}

#[test]
fn what_is_no_domain_name_is_named() {
    for bad in
        ["", "web", "a..b", "-a.com", "a-.com", "a b.com", "*.*.com", "a.*.com", "10.0.0.1", "*.localhost."]
    {
        assert!(checked(bad, &[]).is_err(), "{bad}");
    }
    let long = format!("{}.com", "a".repeat(61));
    assert!(checked(&long, &[]).is_err(), "a common name has room for 64");
    assert!(checked("a.com", &[long]).is_ok(), "an alternative has room for more");
}

#[test]
fn certificate_says_its_names_its_key_and_its_time() {
    let (certificate, key) = own(&["web.example.com", "www.example.com"]);
    let found = check(&certificate, "", &key, NOW).unwrap();
    assert_eq!(found.names, ["web.example.com", "www.example.com"]);
    assert_eq!(found.key_algorithm, "EC_prime256v1");
    assert_eq!(found.signature_algorithm, "SHA256WITHECDSA");
    assert_eq!(found.not_after, Timestamp(4_102_444_800_000));
    assert_eq!(found.key_usages, ["DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT"]);
    let server = ("TLS_WEB_SERVER_AUTHENTICATION".to_owned(), "1.3.6.1.5.5.7.3.1".to_owned());
    assert_eq!(found.extended_key_usages, [server]);
    assert_eq!(found, facts(&certificate).unwrap());
}

#[test]
fn certificate_that_does_not_fit_is_refused_with_the_reason() {
    let (certificate, key) = own(&["a.example.com"]);
    let (other, other_key) = own(&["b.example.com"]);
    let refused =
        |certificate: &str, chain: &str, key: &str, now| check(certificate, chain, key, now).unwrap_err();
    assert!(matches!(refused(&certificate, "", &other_key, NOW), Unusable::OtherKey));
    assert!(matches!(refused(&certificate, &other, &key, NOW), Unusable::OtherChain));
    assert!(matches!(refused(&certificate, "nonsense", &key, NOW), Unusable::NoChain));
    assert!(matches!(refused(&format!("{certificate}{other}"), "", &key, NOW), Unusable::Several));
    assert!(matches!(refused(&key, "", &key, NOW), Unusable::NoCertificate));
    assert!(matches!(refused(&certificate, "", &certificate, NOW), Unusable::NoKey));
    assert!(matches!(refused(&certificate, "", &key, Timestamp(4_102_444_800_000)), Unusable::Expired));
    let chained = check(&certificate, &certificate, &key, NOW);
    assert!(chained.is_ok(), "a certificate that signs itself may be its own chain");
}

#[test]
fn kinds_of_key_are_read_as_they_are_written() {
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384] {
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
    assert!("RSA_2048".parse::<KeyAlgorithm>().unwrap_err().contains("RSA_2048"));
}
