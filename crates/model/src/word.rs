//! Words that many records share, such as a region or an image: kept once, however many records say them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    cell::RefCell, collections::HashSet, fmt, marker::PhantomData, ops::Deref, str::FromStr, sync::Arc,
};

/// How many words a thread remembers before it begins anew.
const SEEN_MAX: usize = 4096;

thread_local! {
    /// What was said lately. Two threads keep a word twice, which costs less than a lock.
    static SEEN: RefCell<HashSet<Arc<str>>> = RefCell::default();
}

/// Returns this text, and the same copy of it as lately where there is one.
pub(crate) fn shared(text: &str) -> Arc<str> {
    SEEN.with_borrow_mut(|seen| {
        if let Some(known) = seen.get(text) {
            return Arc::clone(known);
        }
        if seen.len() >= SEEN_MAX {
            seen.clear();
        }
        let word: Arc<str> = text.into();
        seen.insert(Arc::clone(&word));
        word
    })
}

/// A text that many records have in common. Cloning it copies nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(Arc<str>);

impl Word {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Word {
    fn default() -> Word {
        Word::from("")
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Word {
        Word(shared(text))
    }
}

impl From<String> for Word {
    fn from(text: String) -> Word {
        Word(shared(&text))
    }
}

impl From<&String> for Word {
    fn from(text: &String) -> Word {
        Word(shared(text))
    }
}

impl From<Word> for String {
    fn from(word: Word) -> String {
        word.0.as_ref().to_owned()
    }
}

impl Deref for Word {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq<str> for Word {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Word {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl PartialEq<String> for Word {
    fn eq(&self, other: &String) -> bool {
        *self.0 == **other
    }
}

impl PartialEq<Word> for String {
    fn eq(&self, other: &Word) -> bool {
        other == self
    }
}

impl FromStr for Word {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Word, Self::Err> {
        Ok(Word::from(text))
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
        parsed(from)
    }
}

/// Reads a value from its text, without a copy of the text in between.
pub(crate) fn parsed<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    from.deserialize_str(Text(PhantomData))
}

/// Reads a list that takes no more room than its items: most of its kind have one.
pub(crate) fn fitted<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let mut list = Vec::<T>::deserialize(from)?;
    list.shrink_to_fit();
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_once_and_reads_as_its_text() {
        let (one, two) = (Word::from("us-east-1"), Word::from("us-east-1".to_owned()));
        assert!(Arc::ptr_eq(&one.0, &two.0));
        assert_eq!(serde_json::to_string(&one).unwrap(), "\"us-east-1\"");
        assert_eq!(serde_json::from_str::<Word>("\"us-\\u0065ast-1\"").unwrap(), one);
        for number in 0..=SEEN_MAX {
            assert_eq!(Word::from(number.to_string()), number.to_string());
        }
        assert_eq!(Word::from("us-east-1"), one);
    }
}
