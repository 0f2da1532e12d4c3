use super::*;

fn store() -> (tempfile::TempDir, Utf8PathBuf, BlobStore) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let store = BlobStore::open(&root).unwrap();
    (folder, root, store)
}

fn drafts(root: &Utf8Path) -> usize {
    std::fs::read_dir(root.join("ingest")).unwrap().count()
}

#[tokio::test]
async fn content_is_found_by_its_digest_once_finished() {
    let (_folder, root, store) = store();
    let digest = Digest::of(b"hello");
    let mut ingest = store.ingest().await.unwrap();
    ingest.write(b"hel").await.unwrap();
    assert_eq!(store.size(&digest).await.unwrap(), None);
    ingest.write(b"lo").await.unwrap();
    assert_eq!(ingest.finish(&digest, Some(5)).await.unwrap(), 5);
    assert_eq!(store.read(&digest).await.unwrap().unwrap(), b"hello");
    assert_eq!(drafts(&root), 0);
}

#[tokio::test]
async fn content_that_is_not_what_was_promised_never_appears() {
    let (_folder, root, store) = store();
    let digest = Digest::of(b"hello");
    let mut wrong = store.ingest().await.unwrap();
    wrong.write(b"jello").await.unwrap();
    assert!(matches!(wrong.finish(&digest, Some(5)).await, Err(BlobError::DigestMismatch { .. })));
    let mut short = store.ingest().await.unwrap();
    short.write(b"hell").await.unwrap();
    assert!(matches!(short.finish(&digest, Some(5)).await, Err(BlobError::SizeMismatch { .. })));
    assert_eq!(store.size(&digest).await.unwrap(), None);
    assert_eq!(drafts(&root), 0);
}

#[tokio::test]
async fn content_may_begin_again_from_nothing() {
    let (_folder, _root, store) = store();
    let mut ingest = store.ingest().await.unwrap();
    ingest.write(b"garbage").await.unwrap();
    ingest.restart().await.unwrap();
    ingest.write(b"hello").await.unwrap();
    let digest = Digest::of(b"hello");
    ingest.finish(&digest, Some(5)).await.unwrap();
    assert_eq!(store.read(&digest).await.unwrap().unwrap(), b"hello");
}

#[tokio::test]
async fn opening_removes_what_a_crash_left() {
    let (_folder, root, store) = store();
    let kept = store.put(b"kept").await.unwrap();
    std::fs::write(root.join("ingest/7"), b"half").unwrap();
    let store = BlobStore::open(&root).unwrap();
    assert_eq!(drafts(&root), 0);
    assert_eq!(store.size(&kept).await.unwrap(), Some(4));
}
