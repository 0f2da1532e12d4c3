use super::*;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("name-{number:03}")).collect()
}

#[test]
fn pages_follow_one_another_until_everything_was_listed() {
    let mut seen = Vec::new();
    let mut next = None;
    loop {
        let found = page(names(25), String::clone, next.as_deref(), 10).unwrap();
        assert!(found.items.len() <= 10);
        seen.extend(found.items);
        next = found.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, names(25));
}

#[test]
fn a_page_that_ends_the_listing_has_no_token() {
    assert_eq!(page(names(10), String::clone, None, 10).unwrap().next, None);
    assert_eq!(page(names(0), String::clone, None, 10).unwrap(), Page { items: vec![], next: None });
}

#[test]
fn a_deleted_item_does_not_disturb_the_listing() {
    let first = page(names(5), String::clone, None, 2).unwrap();
    let left: Vec<String> = names(5).into_iter().filter(|name| name != "name-001").collect();
    let second = page(left, String::clone, first.next.as_deref(), 2).unwrap();
    assert_eq!(second.items, ["name-002", "name-003"]);
}

#[test]
fn tokens_of_elsewhere_are_refused() {
    for token in ["", "x", "abcdef", "bmFtZS0wMDE=", "AQAAAABuYW1l", "%%%"] {
        assert_eq!(last_key(token), Err(InvalidToken), "{token}");
    }
    assert_eq!(last_key(&token("ключ")), Ok("ключ".to_owned()));
}
