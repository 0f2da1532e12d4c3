use super::*;

fn wire(service: Service, query_mode: bool) -> Wire {
    Wire { service: Some(service), protocol: service.protocol(), query_mode }
}

fn text(response: http::Response<Vec<u8>>) -> String {
    String::from_utf8(response.into_body()).unwrap()
}

#[test]
fn the_code_follows_the_protocol_family() {
    let codes = |fault: &Fault| {
        [Protocol::Json11, Protocol::Query, Protocol::Ec2].map(|protocol| fault.code(protocol).to_owned())
    };
    assert_eq!(
        codes(&Fault::unknown_operation()),
        ["UnknownOperationException", "InvalidAction", "InvalidAction"]
    );
    assert_eq!(codes(&Fault::broken("disk full")), ["ServerException", "InternalFailure", "InternalError"]);
    assert_eq!(codes(&Fault::caller("X", "")), ["X", "X", "X"]);
}

#[test]
fn what_is_ours_is_told_to_the_log_only() {
    let fault = Fault::ours(&std::io::Error::other("disk /dev/sda1 is full"));
    assert!(fault.story().unwrap().contains("/dev/sda1"));
    let response = fault.response(wire(Service::Ecs, false), "id");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!text(response).contains("/dev/sda1"));
}

#[test]
fn a_state_file_that_cannot_be_written_is_our_fault_and_named_to_the_caller() {
    for error in [StoreError::Full("/s/state.redb".into()), StoreError::ReadOnly("input/output error".into())]
    {
        let response = Fault::store(&error).response(wire(Service::Ecs, false), "id");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = text(response);
        assert!(body.contains("ServerException") && body.contains(&error.to_string()), "{body}");
    }
}

#[test]
fn the_old_query_code_is_given_to_those_who_ask() {
    let fault = Fault::caller("NoSuchThing", "gone");
    let header = |query_mode| {
        let response = fault.response(wire(Service::Logs, query_mode), "id");
        response.headers().get("x-amzn-query-error").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header(true).as_deref(), Some("NoSuchThing;Sender"));
    assert_eq!(header(false), None);
}

#[test]
fn extra_members_stand_beside_the_message() {
    let fault = Fault::caller("ConflictException", "m").with("resourceIds", vec!["arn:1"]);
    let body = text(fault.response(wire(Service::Ecs, false), "id"));
    let value: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(value["resourceIds"], serde_json::json!(["arn:1"]));
}
