//! serde's view of a form's tree.

use serde::de::value::{BorrowedStrDeserializer, Error, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::Tree;

/// A node that deserialises into whatever its type asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'de>(pub(super) &'de Tree);

impl<'de> IntoDeserializer<'de, Error> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Node<'de> {
    fn text<V: Visitor<'de>>(self, visitor: &V) -> Result<&'de str, Error> {
        match &self.0.text {
            Some(text) => Ok(text),
            None => Err(Error::invalid_type(Unexpected::Map, visitor)),
        }
    }

    fn map<V: Visitor<'de>>(
        self,
        entries: Vec<(&'de str, &'de Tree)>,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if entries.is_empty() && self.0.text.as_deref().is_some_and(|text| !text.is_empty()) {
            return Err(Error::invalid_type(Unexpected::Str(self.text(&visitor)?), &visitor));
        }
        let entries = entries
            .into_iter()
            .map(|(name, child)| (BorrowedStrDeserializer::<Error>::new(name), Node(child)));
        visitor.visit_map(MapDeserializer::new(entries))
    }
}

/// Parses the text as a number and visits it.
macro_rules! numbers {
    ($($method:ident => $visit:ident: $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let text = self.text(&visitor)?;
            match text.trim().parse::<$type>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Error::invalid_value(Unexpected::Str(text), &visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Error;

    numbers! {
        deserialize_i8 => visit_i8: i8,
        deserialize_i16 => visit_i16: i16,
        deserialize_i32 => visit_i32: i32,
        deserialize_i64 => visit_i64: i64,
        deserialize_u8 => visit_u8: u8,
        deserialize_u16 => visit_u16: u16,
        deserialize_u32 => visit_u32: u32,
        deserialize_u64 => visit_u64: u64,
        deserialize_f32 => visit_f32: f32,
        deserialize_f64 => visit_f64: f64,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.text(&visitor)? {
            text if text.eq_ignore_ascii_case("true") => visitor.visit_bool(true),
            text if text.eq_ignore_ascii_case("false") => visitor.visit_bool(false),
            text => Err(Error::invalid_value(Unexpected::Str(text), &visitor)),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.text {
            Some(text) if self.0.children.is_empty() => visitor.visit_borrowed_str(text),
            Some(_) | None => self.map(self.0.entries(), visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let text = self.text(&visitor)?;
        visitor.visit_borrowed_str(text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// `Name=` is how an empty list is written.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = self.0.items();
        if items.is_empty() && self.0.text.as_deref().is_some_and(|text| !text.is_empty()) {
            return Err(Error::invalid_type(Unexpected::Str(self.text(&visitor)?), &visitor));
        }
        visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(|(_, item)| Node(item))))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.map(self.0.entries(), visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let members = self.0.children.iter().map(|(name, child)| (name.as_str(), child)).collect();
        self.map(members, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text = self.text(&visitor)?;
        visitor.visit_enum(BorrowedStrDeserializer::<Error>::new(text))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { char bytes byte_buf unit unit_struct tuple tuple_struct identifier }
}
