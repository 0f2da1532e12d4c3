use super::*;

fn written(protocol: Protocol) -> String {
    let extra = match serde_json::json!({"resourceIds": ["arn:1"]}) {
        Value::Object(extra) => extra,
        _ => unreachable!(),
    };
    let error = ErrorBody { code: "SomeCode", message: "a < b", sender: true, extra: &extra };
    String::from_utf8(error.encode(protocol, "urn:x", "id-1")).unwrap()
}

#[test]
fn json_errors_carry_their_type_and_members() {
    let value: Value = serde_json::from_str(&written(Protocol::Json11)).unwrap();
    let expected = serde_json::json!({"__type": "SomeCode", "message": "a < b", "resourceIds": ["arn:1"]});
    assert_eq!(value, expected);
}

#[test]
fn query_errors_tell_whose_fault_it_is() {
    assert_eq!(
        written(Protocol::Query),
        "<ErrorResponse xmlns=\"urn:x\"><Error><Type>Sender</Type><Code>SomeCode</Code>\
         <Message>a &lt; b</Message></Error><RequestId>id-1</RequestId></ErrorResponse>"
    );
}

#[test]
fn ec2_errors_are_a_list_of_one() {
    assert_eq!(
        written(Protocol::Ec2),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>SomeCode</Code>\
         <Message>a &lt; b</Message></Error></Errors><RequestID>id-1</RequestID></Response>"
    );
}
