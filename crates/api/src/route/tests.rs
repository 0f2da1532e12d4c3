use http::Request;

use super::*;

/// Returns "service operation", or the code of the refusal.
fn routed(method: &str, uri: &str, headers: &[(&str, &str)], body: &'static str) -> String {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    match route(&parts, &Bytes::from_static(body.as_bytes())) {
        Ok(route) => format!("{} {}", route.service.signing_name(), route.operation),
        Err((wire, fault)) => fault.code(wire.protocol).to_owned(),
    }
}

const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");

fn scope(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=00"
    )
}

#[test]
fn the_target_names_service_and_operation() {
    let target = ("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters");
    assert_eq!(routed("POST", "/", &[JSON, target], "{}"), "ecs ListClusters");
    let target = ("x-amz-target", "Logs_20140328.GetLogEvents");
    assert_eq!(routed("POST", "/", &[JSON, target], "{}"), "logs GetLogEvents");
}

#[test]
fn the_path_names_the_operation_of_a_service_that_has_its_own() {
    assert_eq!(routed("POST", "/2015-02-01/file-systems", &[], "{}"), "elasticfilesystem CreateFileSystem");
    let uri = "/2015-02-01/mount-targets?FileSystemId=fs-1&MaxItems=5";
    assert_eq!(routed("GET", uri, &[], ""), "elasticfilesystem DescribeMountTargets");
    assert_eq!(
        routed("DELETE", "/2015-02-01/access-points/fsap-1", &[], ""),
        "elasticfilesystem DeleteAccessPoint"
    );
    assert_eq!(routed("GET", "/2015-02-01/replications", &[], ""), "UnknownOperationException");
    let request = Request::builder().method("DELETE").uri("/2015-02-01/file-systems/fs-1").body(()).unwrap();
    let route = route(&request.into_parts().0, &Bytes::new()).unwrap();
    assert_eq!(route.content, r#"{"FileSystemId":"fs-1"}"#);
}

#[test]
fn the_scope_or_else_the_version_names_the_service_of_a_form() {
    let auth = scope("elasticloadbalancing");
    let signed = [FORM, ("authorization", auth.as_str()), ("x-amz-date", "20260101T000000Z")];
    let form = "Action=DescribeTargetGroups&Version=2015-12-01";
    assert_eq!(routed("POST", "/", &signed, form), "elasticloadbalancing DescribeTargetGroups");
    assert_eq!(routed("POST", "/", &[FORM], "Action=DescribeVpcs&Version=2016-11-15"), "ec2 DescribeVpcs");
    let uri = "/?Action=GetCallerIdentity&Version=2011-06-15";
    assert_eq!(routed("GET", uri, &[], ""), "sts GetCallerIdentity");
}

#[test]
fn what_nobody_offers_is_refused_in_the_protocol_of_the_caller() {
    let unknown = ("x-amz-target", "Nothing_2020.Do");
    assert_eq!(routed("POST", "/", &[JSON, unknown], "{}"), "UnknownOperationException");
    assert_eq!(routed("POST", "/", &[JSON], "{}"), "UnknownOperationException");
    assert_eq!(routed("POST", "/", &[FORM], "Action=Do&Version=1999-01-01"), "InvalidAction");
    assert_eq!(routed("POST", "/", &[FORM], "Version=2016-11-15"), "MissingAction");
    assert_eq!(routed("GET", "/", &[], ""), "MissingAction");
    assert_eq!(routed("POST", "/", &[FORM], "Action=%FF"), "MalformedInput");
    let path = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
    assert_eq!(routed("POST", path, &[("smithy-protocol", "rpc-v2-cbor")], ""), "UnknownOperationException");
}

#[test]
fn a_scope_and_a_version_that_differ_are_refused() {
    let auth = scope("ec2");
    let signed = [FORM, ("authorization", auth.as_str()), ("x-amz-date", "20260101T000000Z")];
    assert_eq!(routed("POST", "/", &signed, "Action=X&Version=2015-12-01"), "InvalidAction");
}
