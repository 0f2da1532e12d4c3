//! `awslogs-datetime-format`: a time as `strftime` writes it becomes a regular expression that finds it. What is not a part of
//! a time stands as in a regular expression, as Docker has it: brackets are escaped.

/// Returns the regular expression of a format.
pub(super) fn regex(format: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let code = letters.next().ok_or_else(|| "it ends with a percent sign".to_owned())?;
        out.push_str(match code {
            'a' => "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)",
            'A' => "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)",
            'w' => "[0-6]",
            'd' => "(?:0[1-9]|[12][0-9]|3[01])",
            'b' => "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
            'B' => {
                "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
            }
            'm' => "(?:0[1-9]|1[0-2])",
            'Y' => r"\d{4}",
            'y' => r"\d{2}",
            'H' => "(?:[01][0-9]|2[0-3])",
            'I' => "(?:0[0-9]|1[0-2])",
            'p' => "[AP]M",
            'M' | 'S' => "[0-5][0-9]",
            'L' => r"\.\d{3}",
            'f' => r"\d{1,6}",
            'z' => r"[+-]\d{4}",
            'Z' => "[A-Z]{1,4}T",
            'j' => r"\d{3}",
            '%' => "%",
            other => return Err(format!("'%{other}' is not a part of a time that is known")),
        });
    }
    if out.is_empty() { Err("it is empty".to_owned()) } else { Ok(out) }
}
