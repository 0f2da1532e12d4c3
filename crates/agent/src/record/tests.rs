use super::*;
use crate::examples;

fn dir() -> (tempfile::TempDir, Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(dir.path().to_owned()).unwrap();
    (dir, path)
}

#[test]
fn container_ids_look_as_fargate_writes_them_and_follow_from_the_arn() {
    let record = Record::new(examples::assignment(), "boot");
    let id = &record.notes[0].id;
    let (task, digits) = id.split_once('-').unwrap();
    assert_eq!(task, record.assignment.task.as_str());
    assert!(digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
    assert_eq!(task_of(id), Some(record.assignment.task.clone()));
    assert_eq!(Record::new(examples::assignment(), "boot").notes[0].id, *id);
}

#[test]
fn journal_is_read_back_and_a_directory_without_one_is_nobodys() {
    let (_kept, dir) = dir();
    let record = Record::new(examples::assignment(), "boot");
    record.store(&dir.join(record.assignment.task.as_str()), Durability::Disk).unwrap();
    fs::create_dir(dir.join("empty")).unwrap();
    fs::create_dir(dir.join("torn")).unwrap();
    fs::write(dir.join("torn").join(JOURNAL), "{\"boot").unwrap();
    let (records, mut leftovers) = Record::load_all(&dir).unwrap();
    leftovers.sort();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].task, record.task);
    assert_eq!(leftovers, [dir.join("empty"), dir.join("torn")]);
}
