use super::*;

#[test]
fn sizes_are_taken_in_units_and_in_words() {
    for given in ["256", ".25 vCPU", "0.25vcpu"] {
        assert_eq!(cpu(given).unwrap(), CpuUnits(256), "{given}");
    }
    for given in ["2048", "2 GB", "2GB"] {
        assert_eq!(memory(given).unwrap(), Mebibytes(2048), "{given}");
    }
    for wrong in ["", "0", "-1", "a lot", "0.3 vCPU", "1.5"] {
        assert!(cpu(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_member_that_is_not_honoured_is_refused_by_name() {
    let others: Others = serde_json::from_str(r#"{"healthCheck": {"command": ["true"]}}"#).unwrap();
    let error = refuse(&others, " of container 'app'", &[("healthCheck", "")]).unwrap_err();
    assert_eq!(error.to_string(), "not supported by this version of Wharf: 'healthCheck' of container 'app'");
}

#[test]
fn subnets_that_are_not_ids_do_not_exist() {
    let given = ecs::NetworkConfiguration {
        awsvpc_configuration: Some(ecs::AwsVpcConfiguration {
            subnets: vec!["subnet-nowhere".into()],
            ..Default::default()
        }),
    };
    let error = network(Some(&given)).unwrap_err().to_string();
    assert!(error.contains("The subnet ID 'subnet-nowhere' does not exist"), "{error}");
}
