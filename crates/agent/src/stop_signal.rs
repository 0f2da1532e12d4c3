//! The signal that asks a container to stop, as images name it.

const SIGTERM: i32 = 15;
const SIGRTMIN: i32 = 34;
const SIGRTMAX: i32 = 64;

/// Returns the number of a signal named `SIGQUIT`, `QUIT`, `3` or `SIGRTMIN+3`; SIGTERM where the name is unknown.
pub(crate) fn number(name: Option<&str>) -> i32 {
    name.and_then(parse).unwrap_or(SIGTERM)
}

fn parse(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse::<i32>() {
        return (1..=SIGRTMAX).contains(&number).then_some(number);
    }
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time = |rest: &str, sign: i32| match rest {
        "" => Some(0),
        _ => rest[1..].parse::<i32>().ok().map(|offset| sign * offset),
    };
    if let Some(rest) = short.strip_prefix("RTMIN") {
        return real_time(rest, 1).map(|offset| SIGRTMIN + offset);
    }
    if let Some(rest) = short.strip_prefix("RTMAX") {
        return real_time(rest, -1).map(|offset| SIGRTMAX + offset);
    }
    let names = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ABRT", 6),
        ("KILL", 9),
        ("USR1", 10),
        ("USR2", 12),
        ("ALRM", 14),
        ("TERM", 15),
        ("CONT", 18),
        ("STOP", 19),
        ("WINCH", 28),
        ("IO", 29),
        ("PWR", 30),
    ];
    names.iter().find(|(known, _)| *known == short).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests;
