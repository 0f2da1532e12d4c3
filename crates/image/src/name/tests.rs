use super::*;

#[track_caller]
fn check(given: &str, expected: &str) {
    let answer = match given.parse::<ImageName>() {
        Ok(name) => name.to_string(),
        Err(_) => "refused".to_owned(),
    };
    assert_eq!(answer, expected, "{given}");
}

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn names_are_completed_as_docker_completes_them() {
    check("nginx", "docker.io/library/nginx:latest");
    check("nginx:1.27", "docker.io/library/nginx:1.27");
    check("bitnami/redis", "docker.io/bitnami/redis:latest");
    check("docker.io/nginx", "docker.io/library/nginx:latest");
    check("index.docker.io/nginx", "docker.io/library/nginx:latest");
    check("index.docker.io/library/nginx", "docker.io/library/nginx:latest");
    check("localhost/app", "localhost/app:latest");
    check("localhost:5000/team/app:v1", "localhost:5000/team/app:v1");
    check("127.0.0.1:4566/app", "127.0.0.1:4566/app:latest");
    check("public.ecr.aws/nginx/nginx:stable", "public.ecr.aws/nginx/nginx:stable");
    check("registry.example/a/b/c/d", "registry.example/a/b/c/d:latest");
    check("a__b/c-d--e.f_g", "docker.io/a__b/c-d--e.f_g:latest");
}

#[test]
fn a_digest_pins_and_a_tag_beside_it_is_kept() {
    check(&format!("nginx@sha256:{HEX}"), &format!("docker.io/library/nginx@sha256:{HEX}"));
    check(&format!("nginx:1@sha256:{HEX}"), &format!("docker.io/library/nginx:1@sha256:{HEX}"));
    check("nginx@sha256:abc", "refused");
    check("nginx@md5:abc", "refused");
}

#[test]
fn what_docker_refuses_is_refused() {
    for given in [
        "",
        ":",
        "/",
        "Nginx",
        "nginx:",
        "nginx:-x",
        "nginx/",
        "/nginx",
        "a//b",
        "a/../b",
        "a b",
        "..",
        ".a",
        "a.",
        "a-",
        "_a",
        "a..b",
        "a___b",
        "host:port/a",
        "host:99999/a",
        "-x.y/a",
        "nginx:a:b",
        "a@b@c",
        "é",
        "http://host/a",
    ] {
        check(given, "refused");
    }
}

#[test]
fn ecr_names_are_recognised_in_both_spellings() {
    let ecr = |given: &str| given.parse::<ImageName>().unwrap().ecr();
    let web = EcrName {
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        repository: "team/web".to_owned(),
    };
    assert_eq!(ecr("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web:v1"), Some(web.clone()));
    assert_eq!(ecr("123456789012.dkr.ecr.eu-west-1.localhost/team/web"), Some(web.clone()));
    assert_eq!(ecr("123456789012.dkr.ecr.eu-west-1.localhost:4566/team/web"), Some(web));
    assert_eq!(ecr("12345678901.dkr.ecr.eu-west-1.amazonaws.com/web"), None);
    assert_eq!(ecr("123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.org/web"), None);
    assert_eq!(ecr("123456789012.dkr.ecr.eu-west-1.localhost.org/web"), None);
    assert_eq!(ecr("123456789012.dkr.s3.eu-west-1.amazonaws.com/web"), None);
    assert_eq!(ecr("nginx"), None);
}

#[test]
fn a_registry_on_this_machine_is_known_by_its_host() {
    let local = |name: &str| name.parse::<ImageName>().unwrap().is_on_this_machine();
    assert!(local("localhost:5000/web") && local("127.0.0.1:5000/web") && local("127.3.2.1:80/web:1"));
    assert!(!local("web") && !local("localhost.example.com/web") && !local("10.0.0.1:5000/web"));
}
