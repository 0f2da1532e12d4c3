//! A serde serialiser that writes one XML element.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, Serializer};

use super::{Error, escape, text_element};
use crate::{Timestamp, timestamp};

/// An element about to be written. Without a name only its content is.
pub(super) struct Element<'a> {
    pub(super) out: &'a mut String,
    pub(super) name: &'a str,
    /// What a list calls its items.
    pub(super) item: &'static str,
}

/// An element that has been opened.
pub(super) struct Open<'a> {
    element: Element<'a>,
    key: String,
}

impl<'a> Element<'a> {
    fn text(self, text: impl Display) -> Result<(), Error> {
        let text = text.to_string();
        if self.name.is_empty() {
            self.out.push_str(&escape(&text));
        } else {
            text_element(self.out, self.name, |out| out.push_str(&escape(&text)));
        }
        Ok(())
    }

    fn open(self) -> Open<'a> {
        if !self.name.is_empty() {
            self.out.push('<');
            self.out.push_str(self.name);
            self.out.push('>');
        }
        Open { element: self, key: String::new() }
    }
}

impl Open<'_> {
    fn child<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        value.serialize(Element { out: self.element.out, name, item: self.element.item })
    }

    fn close(self) -> Result<(), Error> {
        if !self.element.name.is_empty() {
            self.element.out.push_str("</");
            self.element.out.push_str(self.element.name);
            self.element.out.push('>');
        }
        Ok(())
    }
}

/// Writes a value by its `Display`.
macro_rules! texts {
    ($($method:ident: $type:ty,)*) => {$(
        fn $method(self, value: $type) -> Result<(), Error> {
            self.text(value)
        }
    )*};
}

impl<'a> Serializer for Element<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'a>;
    type SerializeTuple = Open<'a>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Open<'a>;
    type SerializeStruct = Open<'a>;
    type SerializeStructVariant = Impossible<(), Error>;

    texts! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<(), Error> {
        Err(Error::Unsupported("a byte slice"))
    }

    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if name != timestamp::NEWTYPE {
            return value.serialize(self);
        }
        let mut secs = String::new();
        value.serialize(Element { out: &mut secs, name: "", item: self.item })?;
        let iso = Timestamp::parse_secs(&secs).and_then(Timestamp::to_iso);
        self.text(iso.ok_or(Error::Unsupported("a time outside the years 0 to 9999"))?)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), Error> {
        Err(Error::Unsupported("an enum with data"))
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Open<'a>, Error> {
        Ok(self.open())
    }

    fn serialize_tuple(self, _len: usize) -> Result<Open<'a>, Error> {
        Ok(self.open())
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Err(Error::Unsupported("a tuple struct"))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error::Unsupported("an enum with data"))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Open<'a>, Error> {
        Ok(self.open())
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Open<'a>, Error> {
        Ok(self.open())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error::Unsupported("an enum with data"))
    }
}

impl SerializeStruct for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.child(name, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeSeq for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.child(self.element.item, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeTuple for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.child(self.element.item, value)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

impl SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key.clear();
        key.serialize(Element { out: &mut self.key, name: "", item: self.element.item })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        // The key was escaped when it was taken.
        self.element.out.push_str("<entry><key>");
        self.element.out.push_str(&self.key);
        self.element.out.push_str("</key>");
        self.child("value", value)?;
        self.element.out.push_str("</entry>");
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}
