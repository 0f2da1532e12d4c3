//! The rules of names, values and tiers.

use super::{Error, Tier};
use regex::Regex;
use wharf_model::secret::{ParameterKind, ParameterTier, Plain};

const NAME_MAX: usize = 1011;
const LEVELS_MAX: usize = 15;

/// Checks a name.
pub(super) fn name(name: &str) -> Result<(), Error> {
    let invalid = |text: &str| Err(Error::Validation(text.to_owned()));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
    if name.is_empty() || name.len() > NAME_MAX {
        return invalid("Parameter name must have 1 to 1011 characters.");
    }
    if !name.bytes().all(plain) || name.ends_with('/') || name.contains("//") {
        return invalid(
            "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of \
             sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the \
             following 3 symbols .-_",
        );
    }
    if name.contains('/') && !name.starts_with('/') {
        return invalid("Parameter name must be a fully qualified name.");
    }
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if first.starts_with("aws") || first.starts_with("ssm") {
        return Err(Error::Validation(format!(
            "Parameter name: can't be prefixed with \"{}\" (case-insensitive).",
            &first[..3]
        )));
    }
    if name.matches('/').count() > LEVELS_MAX { Err(Error::TooDeep) } else { Ok(()) }
}

/// Checks a value against its kind and its pattern.
pub(super) fn value(value: &Plain, kind: ParameterKind, pattern: Option<&str>) -> Result<(), Error> {
    let text = value.reveal();
    if text.is_empty() {
        return Err(Error::Validation(
            "1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length \
             greater than or equal to 1."
                .to_owned(),
        ));
    }
    if kind == ParameterKind::StringList && text.split(',').any(str::is_empty) {
        return Err(Error::Validation(
            "Parameter value of type StringList must not have empty items.".to_owned(),
        ));
    }
    let Some(pattern) = pattern.filter(|pattern| !pattern.is_empty()) else { return Ok(()) };
    let whole = Regex::new(pattern).map_err(|_| Error::InvalidPattern(pattern.to_owned()))?;
    let mut items = text.split(',');
    let matches = match kind {
        ParameterKind::StringList => items.all(|item| whole.is_match(item)),
        ParameterKind::String | ParameterKind::SecureString => whole.is_match(text),
    };
    if matches { Ok(()) } else { Err(Error::PatternMismatch(pattern.to_owned())) }
}

/// Returns the tier that a value gets. One that was advanced stays it.
pub(super) fn tier(
    asked: Tier,
    before: Option<ParameterTier>,
    value: &Plain,
) -> Result<ParameterTier, Error> {
    use ParameterTier::{Advanced, Standard};
    let length = value.reveal().len();
    let tier = match (asked, before) {
        (Tier::Exactly(Standard), Some(Advanced)) => {
            return Err(Error::Validation(
                "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the \
                 advanced-parameter tier to the standard-parameter tier."
                    .to_owned(),
            ));
        }
        (_, Some(Advanced)) => Advanced,
        (Tier::Exactly(tier), _) => tier,
        (Tier::Unsaid, _) => Standard,
        (Tier::Intelligent, _) if length > Standard.bytes_max() => Advanced,
        (Tier::Intelligent, _) => Standard,
    };
    if length > tier.bytes_max() {
        return Err(Error::Validation(match tier {
            Standard => {
                "Standard tier parameters support a maximum parameter value of 4096 characters. To create a \
                         larger parameter value, upgrade the parameter to use the advanced-parameter tier."
                    .to_owned()
            }
            Advanced => {
                "Advanced tier parameters support a maximum parameter value of 8192 characters.".to_owned()
            }
        }));
    }
    Ok(tier)
}
