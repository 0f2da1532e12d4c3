//! What cleaning takes, and what it never takes.

use super::*;

#[tokio::test]
async fn what_is_here_is_listed_with_its_names_and_what_it_takes() {
    let server = server().await;
    let digest = server.push("v1", &[("a", "one"), ("b", "two")]).await;
    let node = node(&server);
    let (v1, v2) = (format!("{NAME}:v1"), format!("{NAME}:v2"));
    let image = node.puller.pull(&v1).await.unwrap();
    let [kept] = node.puller.images().unwrap().try_into().unwrap();
    assert_eq!((&kept.digest, kept.names.as_slice(), kept.in_use), (&digest, &[v1.clone()][..], true));
    assert_eq!(kept.layers.len(), 2);
    assert!(kept.layers.iter().all(|(_, bytes)| *bytes >= 3));
    drop(image);
    assert!(!node.puller.images().unwrap()[0].in_use);
    // The tag moves: the old image loses its name, the new one has two.
    server.push("v1", &[("a", "three")]).await;
    let new = server.push("v2", &[("a", "three")]).await;
    node.puller.pull(&v1).await.unwrap();
    node.puller.pull(&v2).await.unwrap();
    let all = Puller::new(node.config.clone()).unwrap().images().unwrap();
    let names = |digest: &Digest| all.iter().find(|kept| kept.digest == *digest).unwrap().names.clone();
    assert_eq!((names(&digest), names(&new)), (vec![], vec![v1, v2]));
}

#[tokio::test]
async fn an_image_that_is_held_or_being_pulled_is_never_taken() {
    let server = server().await;
    let mut names = Vec::new();
    for number in 0..4 {
        let tag = format!("v{number}");
        server.push(&tag, &[("base", "same"), ("own", &tag)]).await;
        names.push(format!("{NAME}:{tag}"));
    }
    let node = node(&server);
    let end = Instant::now() + Duration::from_millis(2500);
    let cleaner = {
        let puller = node.puller.clone();
        tokio::spawn(async move {
            let mut rounds = 0;
            while Instant::now() < end {
                puller.prune(&[]).await.unwrap();
                rounds += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            rounds
        })
    };
    let pullers = (0..8_usize).map(|number| {
        let (puller, names) = (node.puller.clone(), names.clone());
        tokio::spawn(async move {
            let mut pulled = 0;
            while Instant::now() < end {
                let image = puller.pull(&names[(number + pulled) % names.len()]).await.unwrap();
                for layer in &image.layers {
                    assert_eq!(
                        std::fs::read_dir(layer).unwrap().count(),
                        1,
                        "{layer} is whole while it is held"
                    );
                }
                tokio::time::sleep(Duration::from_millis(3)).await;
                assert!(image.layers.iter().all(|layer| layer.exists()));
                pulled += 1;
            }
            pulled
        })
    });
    let pulled: usize = futures_util::future::try_join_all(pullers).await.unwrap().into_iter().sum();
    let rounds: usize = cleaner.await.unwrap();
    println!("{pulled} pulls, {rounds} rounds of cleaning");
    assert!(pulled > 8 && rounds > 8);
    node.puller.prune(&[]).await.unwrap();
    assert_eq!((node.layers(), node.leftovers()), (0, 0));
    assert_eq!(std::fs::read_dir(node.config.root.join("layer-sizes")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(node.config.root.join("blobs/sha256")).unwrap().count(), 0);
}

#[tokio::test]
async fn five_hundred_starts_of_an_image_that_is_not_here_are_one_download() {
    let server = server().await;
    server.push("v1", &[("a", "one"), ("b", "two"), ("c", "three")]).await;
    let node = node(&server);
    let pulls = (0..500).map(|_| {
        let puller = node.puller.clone();
        tokio::spawn(async move { puller.pull(&format!("{NAME}:v1")).await.unwrap().layers })
    });
    let layers = futures_util::future::try_join_all(pulls).await.unwrap();
    assert!(layers.iter().all(|found| *found == layers[0]));
    assert_eq!(server.count("GET", "/blobs/"), 4, "three layers and the configuration");
    assert_eq!(server.count("GET", "/manifests/"), 1);
    assert_eq!(node.layers(), 3);
}
