use crate::world::World;
use wharf_control::operations::certificates::{
    self, Error, Import, KeyAlgorithm, Request, authority, delete, find, presented, request,
};
use wharf_model::{
    Arn, Timestamp,
    load_balancer::{Listener, ListenerProtocol},
    routing::Action,
};

fn wanted(domain: &str) -> Request {
    Request {
        domain: domain.into(),
        alternatives: Vec::new(),
        algorithm: KeyAlgorithm::P256,
        token: None,
        tags: Vec::new(),
    }
}

fn listener(name: &str, load_balancer: &str, certificates: Vec<Arn>) -> Listener {
    let arn = |resource: &str| -> Arn {
        format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:{resource}").parse().unwrap()
    };
    Listener {
        arn: arn(&format!("listener/{name}")),
        load_balancer: arn(&format!("loadbalancer/{load_balancer}")),
        port: 443,
        protocol: ListenerProtocol::Http,
        default_action: Action::Forward { target_groups: Vec::new(), sticky_secs: None },
        attributes: Default::default(),
        certificates,
        ssl_policy: None,
        created_at: Timestamp(0),
        tags: Vec::new(),
    }
}

#[tokio::test]
async fn certificate_that_a_listener_presents_is_in_use_until_the_listener_is_gone() {
    let world = World::new().await;
    let arn = request(&world.control, wanted("web.example.com")).await.unwrap();
    let one = listener("one", "shop", vec![arn.clone()]);
    let two = listener("two", "shop", vec![arn.clone()]);
    let put = |listener: Listener| world.control.store().change(|draft| draft.put(listener));
    put(one.clone()).await.unwrap();
    put(two.clone()).await.unwrap();

    assert_eq!(certificates::used_by(&world.control, &arn), std::slice::from_ref(&one.load_balancer));
    let refused = delete(&world.control, &arn.to_string()).await.unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    assert!(find(&world.control, &arn.to_string()).is_ok());

    put(Listener { certificates: Vec::new(), ..one }).await.unwrap();
    put(Listener { certificates: Vec::new(), ..two }).await.unwrap();
    delete(&world.control, &arn.to_string()).await.unwrap();
    assert!(matches!(presented(&world.control, &arn), Err(Error::NotFound(_))));
}

#[tokio::test]
async fn certificate_is_presented_after_a_restart_and_its_key_is_nowhere_in_the_clear() {
    let world = World::new().await;
    let arn = request(&world.control, wanted("web.example.com")).await.unwrap();
    let before = presented(&world.control, &arn).unwrap();
    let root = authority::certificate(&world.control).await.unwrap();
    assert_eq!(before.chain.matches("BEGIN CERTIFICATE").count(), 2, "{}", before.chain);
    assert!(before.chain.ends_with(&root));
    assert!(before.key.reveal().contains("PRIVATE KEY"));
    let kept = std::fs::read(world.state_file()).unwrap();
    let has = |text: &str| kept.windows(text.len()).any(|piece| piece == text.as_bytes());
    assert!(has("web.example.com"), "the state file has the certificate");
    assert!(!has("PRIVATE KEY"), "and no key");
    let line = before.key.reveal().lines().nth(1).unwrap();
    assert!(!has(line), "and no key");

    let world = world.restart().await;
    let after = presented(&world.control, &arn).unwrap();
    assert_eq!((after.chain, after.key), (before.chain, before.key));
    assert_eq!(authority::certificate(&world.control).await.unwrap(), root);
}

#[tokio::test]
async fn imported_certificate_is_replaced_under_its_arn_and_an_issued_one_is_not() {
    let world = World::new().await;
    let issued = request(&world.control, wanted("web.example.com")).await.unwrap();
    let other = request(&world.control, wanted("other.example.com")).await.unwrap();
    let import = |of: &Arn, replaces: Option<&Arn>| {
        let certificate = find(&world.control, &of.to_string()).unwrap();
        Import {
            replaces: replaces.map(ToString::to_string),
            certificate: certificate.certificate.clone(),
            chain: certificate.chain.clone(),
            key: presented(&world.control, of).unwrap().key,
            tags: Vec::new(),
        }
    };
    let imported = certificates::import(&world.control, import(&issued, None)).await.unwrap();
    assert_eq!(
        presented(&world.control, &imported).unwrap().key,
        presented(&world.control, &issued).unwrap().key
    );

    certificates::import(&world.control, import(&other, Some(&imported))).await.unwrap();
    assert_eq!(find(&world.control, &imported.to_string()).unwrap().facts.domain, "other.example.com");
    let refused = certificates::import(&world.control, import(&other, Some(&issued))).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)), "{refused}");
    assert_eq!(find(&world.control, &issued.to_string()).unwrap().facts.domain, "web.example.com");
}
