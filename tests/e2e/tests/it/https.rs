//! A service behind an HTTPS listener: certificates by host, both versions of HTTP, redirects, and what a restart
//! must not change.

use crate::hello::{Hello, deploy, free_port, text};
use serde_json::Value;
use std::{path::Path, process::Command, time::Duration};
use wharf_e2e::{Aws, Wharf, run, within};

#[test]
fn https_presents_the_certificate_of_the_host_and_survives_restarts() {
    let wharf = Wharf::start(&[]);
    let hello = deploy(&wharf, 1);
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let site = Site::open(&wharf, &hello, dir.path());

    for version in ["1.1", "2"] {
        let (spoken, headers) = site.headers("shop.example", version);
        assert_eq!(spoken, version);
        assert_eq!(headers["x-forwarded-proto"], "https");
        assert_eq!(headers["x-forwarded-port"], site.port.to_string());
        assert_eq!(headers["host"], format!("shop.example:{}", site.port));
    }
    assert!(!site.answers("www.example.org"), "no certificate is for it yet");
    let other = request_certificate(&hello.aws, "*.example.org");
    let added = format!("--listener-arn {} --certificates CertificateArn={other}", site.listener);
    hello.aws.json(&format!("elbv2 add-listener-certificates {added}"));
    within(Duration::from_secs(5), "a certificate more", || site.answers("www.example.org").then_some(()));

    // Plain HTTP is sent to it.
    let listeners = hello.listeners();
    let listeners = listeners.as_array().expect("a list");
    let plain = listeners.iter().find(|listener| listener["Protocol"] == "HTTP").expect("one of HTTP");
    hello.aws.json(&format!(
        "elbv2 modify-listener --listener-arn {} --default-actions \
         Type=redirect,RedirectConfig={{Protocol=HTTPS,Port={},StatusCode=HTTP_301}}",
        text(&plain["ListenerArn"]),
        site.port
    ));
    let (host, port) = hello.url.trim_start_matches("http://").split_once(':').expect("a port of its own");
    within(Duration::from_secs(5), "a redirect", || {
        let resolved = format!("{host}:{port}:127.0.0.1");
        let url = format!("{}/x?y=z", hello.url);
        let args =
            ["-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "--resolve", &resolved, &url];
        let said = run(Command::new("curl").args(args));
        (said == format!("301 https://{host}:{}/x?y=z", site.port)).then_some(())
    });

    site.an_imported_certificate_is_replaced();
    for name in ["control", "balancer"] {
        wharf.kill(name);
    }
    within(Duration::from_secs(20), "HTTPS after both were killed", || {
        site.answers("shop.example").then_some(())
    });
    let saved = std::fs::read_to_string(wharf.state_dir().join("balancer/table.json"));
    let saved = saved.expect("the balancer keeps its table");
    assert!(saved.contains("BEGIN CERTIFICATE") && !saved.contains("PRIVATE KEY"), "a key in the clear");
    hello.aws.json(&format!("elbv2 remove-listener-certificates {added}"));
    within(Duration::from_secs(5), "a certificate less", || (!site.answers("www.example.org")).then_some(()));
    wharf.down();
}

/// The HTTPS listener of the hello service.
struct Site<'a> {
    aws: &'a Aws,
    dir: &'a Path,
    listener: String,
    port: u16,
}

impl<'a> Site<'a> {
    /// Makes it, with a certificate for `shop.example`; clients trust the own authority.
    fn open(wharf: &Wharf, hello: &'a Hello, dir: &'a Path) -> Site<'a> {
        let authority = wharf.output("ca", &[]);
        assert!(authority.status.success(), "{authority:?}");
        std::fs::write(dir.join("ca.pem"), authority.stdout).expect("a temporary file can be written");
        let certificate = request_certificate(&hello.aws, "shop.example");
        let plain = &hello.listeners()[0];
        let port = free_port();
        let made = hello.aws.json(&format!(
            "elbv2 create-listener --load-balancer-arn {} --protocol HTTPS --port {port} --certificates \
             CertificateArn={certificate} --default-actions Type=forward,TargetGroupArn={}",
            text(&plain["LoadBalancerArn"]),
            text(&plain["DefaultActions"][0]["TargetGroupArn"])
        ));
        let listener = text(&made["Listeners"][0]["ListenerArn"]);
        let site = Site { aws: &hello.aws, dir, listener, port };
        within(Duration::from_secs(10), "HTTPS", || site.answers("shop.example").then_some(()));
        site
    }

    fn curl(&self, host: &str, more: &[&str]) -> std::process::Output {
        let mut curl = Command::new("curl");
        curl.arg("-s").arg("--cacert").arg(self.dir.join("ca.pem"));
        curl.args(["--resolve", &format!("{host}:{}:127.0.0.1", self.port)]);
        curl.args(more).arg(format!("https://{host}:{}/", self.port));
        curl.output().expect("curl is there")
    }

    /// Returns whether a host's certificate is trusted and the service answers.
    fn answers(&self, host: &str) -> bool {
        let said = self.curl(host, &["-o", "/dev/null", "-w", "%{http_code}"]);
        said.status.success() && said.stdout == b"200"
    }

    /// Returns the version of HTTP that was spoken, and the headers that the application got.
    fn headers(&self, host: &str, version: &str) -> (String, Value) {
        let said = self.curl(host, &[&format!("--http{version}"), "-w", "\n%{http_version}"]).stdout;
        let said = String::from_utf8_lossy(&said);
        let (body, spoken) = said.rsplit_once('\n').expect("a line for the version");
        let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("not JSON: {body}"));
        (spoken.to_owned(), body["request"]["headers"].clone())
    }

    /// Makes a certificate that signs itself; returns the parameters that import it, and its serial number.
    fn own(&self, name: &str) -> (String, String) {
        let file = |kind: &str| self.dir.join(format!("{name}.{kind}")).display().to_string();
        let (key, certificate) = (file("key"), file("pem"));
        run(Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
            .args([
                "-subj",
                "/CN=own.example",
                "-addext",
                "subjectAltName=DNS:own.example",
                "-keyout",
                &key,
                "-out",
                &certificate,
            ]));
        let serial = run(Command::new("openssl").args(["x509", "-noout", "-serial", "-in", &certificate]));
        (format!("--certificate fileb://{certificate} --private-key fileb://{key}"), serial)
    }

    fn an_imported_certificate_is_replaced(&self) {
        let (first, serial) = self.own("first");
        let arn = text(&self.aws.json(&format!("acm import-certificate {first}"))["CertificateArn"]);
        let add = format!("--listener-arn {} --certificates CertificateArn={arn}", self.listener);
        self.aws.json(&format!("elbv2 add-listener-certificates {add}"));
        let presented = || {
            let to = format!("127.0.0.1:{}", self.port);
            let script = "openssl s_client -connect $0 -servername own.example </dev/null 2>/dev/null | \
                          openssl x509 -noout -serial";
            run(Command::new("sh").args(["-c", script, &to]))
        };
        within(Duration::from_secs(5), "the first", || (presented() == serial).then_some(()));
        let (second, serial) = self.own("second");
        self.aws.json(&format!("acm import-certificate --certificate-arn {arn} {second}"));
        within(Duration::from_secs(5), "the second", || (presented() == serial).then_some(()));
    }
}

fn request_certificate(aws: &Aws, name: &str) -> String {
    text(&aws.json(&format!("acm request-certificate --domain-name {name}"))["CertificateArn"])
}
