use super::*;

#[test]
fn a_mark_comes_back_in_a_cookie_until_it_ends() {
    let marker = Marker::new(b"secret".to_vec());
    let mark = marker.mark("group 10.0.0.1:80");
    let mut headers = Vec::new();
    let wish = Wish { cookies: &[], now_secs: 1_000, tried: &[], secure: false };
    keep(&TARGET, &mark, 60, &wish, &mut headers);
    let [own, twin] = headers.as_slice() else { panic!("{headers:?}") };
    assert!(
        own.starts_with("AWSALB=") && own.ends_with("; Expires=Thu, 01 Jan 1970 00:17:40 GMT; Path=/"),
        "{own}"
    );
    assert!(twin.starts_with("AWSALBCORS=") && twin.ends_with("; Path=/; SameSite=None"), "{twin}");
    let pair = own.split(';').next().unwrap();
    let sent = format!("a=b; {pair}");
    assert_eq!(marked(&[&sent], &TARGET, 1_059), Some(mark));
    assert_eq!(marked(&[&sent], &TARGET, 1_060), None);
    assert_eq!(marked(&[&sent], &GROUP, 1_000), None);
    let twin = twin.split(';').next().unwrap();
    assert_eq!(marked(&["x=y", twin], &TARGET, 1_000), Some(mark));
}

#[test]
fn marks_are_told_apart_by_name_and_by_secret() {
    let (one, two) = (Marker::new(b"one".to_vec()), Marker::new(b"two".to_vec()));
    assert_eq!(one.mark("a"), Marker::new(b"one".to_vec()).mark("a"));
    assert_ne!(one.mark("a"), one.mark("b"));
    assert_ne!(one.mark("a"), two.mark("a"));
}

#[test]
fn what_nobody_of_us_wrote_is_no_mark() {
    for value in ["", "x", "AAAA", "!!!!", "AWSALB"] {
        assert_eq!(marked(&[&format!("AWSALB={value}")], &TARGET, 0), None, "{value}");
    }
}

#[test]
fn a_cookie_is_found_by_its_whole_name() {
    assert_eq!(cookie(&["ab=1; b=2", "c=3"], "b"), Some("2"));
    assert_eq!(cookie(&["ab=1"], "b"), None);
    assert!(sets(b"sid=1; Path=/", "sid") && !sets(b"sid2=1", "sid") && !sets(b"sid", "sid"));
}
