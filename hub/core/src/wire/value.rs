//! Reading strangers' bytes strictly: bounded depth, no duplicate keys, no trailing bytes, no binary blobs.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{Codec, MAX_DEPTH};

/// Decodes one client message into a tree.
///
/// # Errors
/// Text for people, when the bytes do not decode, nest deeper than [`MAX_DEPTH`], hold a key twice, or go on after the value.
pub fn decode_strict(codec: Codec, bytes: &[u8]) -> Result<Value, String> {
    match codec {
        Codec::Json => {
            let mut decoder = serde_json::Deserializer::from_slice(bytes);
            let value = Strict { depth_left: MAX_DEPTH }.deserialize(&mut decoder).map_err(|e| e.to_string())?;
            decoder.end().map_err(|e| e.to_string())?;
            Ok(value)
        }
        Codec::MsgPack => {
            let mut rest = bytes;
            let mut decoder = rmp_serde::Deserializer::new(&mut rest).with_human_readable();
            // One more than ours, so that our own bound speaks first; theirs guards the stack.
            decoder.set_max_depth(MAX_DEPTH + 8);
            let value = Strict { depth_left: MAX_DEPTH }.deserialize(&mut decoder).map_err(|e| e.to_string())?;
            if rest.is_empty() { Ok(value) } else { Err(format!("{} bytes after the end of the message", rest.len())) }
        }
    }
}

/// A tree of at most `depth_left` nested maps and lists.
struct Strict {
    depth_left: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    /// What a list or map leaves to those inside it; an empty one at the bottom counts as well.
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth_left })
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map, list, text, number, boolean or null")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let depth_left = self.deeper()?.depth_left;
        let mut list = Vec::new();
        while let Some(item) = seq.next_element_seed(Self { depth_left })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth_left = self.deeper()?.depth_left;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key:?} stands twice")));
            }
            let value = access.next_value_seed(Self { depth_left })?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(codec: Codec, bytes: &[u8]) -> String {
        decode_strict(codec, bytes).expect_err("should be refused")
    }

    #[test]
    fn what_does_not_decode_exactly_once_is_refused() {
        for text in ["", "{", "{}x", "{} {}", r#"{"a":1,"a":2}"#, r#"{"a":{"b":1,"b":1}}"#, "nul", "[1,]", "\u{feff}{}"] {
            refused(Codec::Json, text.as_bytes());
        }
        refused(Codec::Json, b"\"\xff\"");
        refused(Codec::MsgPack, &[]);
        refused(Codec::MsgPack, &[0x80, 0x80]); // trailing
        refused(Codec::MsgPack, &[0x82, 0xa1, b'a', 1, 0xa1, b'a', 2]); // twice
        refused(Codec::MsgPack, &[0x81, 1, 1]); // key is no text
        refused(Codec::MsgPack, &[0xdd, 0xff, 0xff, 0xff, 0xff]); // lying length
        refused(Codec::MsgPack, &[0xc4, 1, 7]); // binary
        refused(Codec::MsgPack, &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]); // NaN
        refused(Codec::MsgPack, &[0xc1]); // reserved
    }

    proptest::proptest! {
        /// What is stored as text is the same number when it is read again, in either codec, to the last bit.
        #[test]
        fn a_float_stays_what_it_is(float in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO) {
            let value = Value::from(float);
            for codec in [Codec::Json, Codec::MsgPack] {
                let read = decode_strict(codec, &codec.encode(&value));
                proptest::prop_assert_eq!(read, Ok(value.clone()), "{:?}", codec);
            }
        }
    }

    #[test]
    fn sixteen_levels_pass_and_seventeen_do_not() {
        let json = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n)).into_bytes();
        let pack = |n: usize| [vec![0x91; n - 1], vec![0x90]].concat();
        for (codec, make) in [(Codec::Json, &json as &dyn Fn(usize) -> Vec<u8>), (Codec::MsgPack, &pack)] {
            assert!(decode_strict(codec, &make(MAX_DEPTH)).is_ok(), "{codec:?}");
            assert!(decode_strict(codec, &make(MAX_DEPTH + 1)).is_err(), "{codec:?}");
            assert!(decode_strict(codec, &make(60_000)).is_err(), "{codec:?}");
        }
    }

    #[test]
    fn both_codecs_yield_the_same_tree() {
        let value = serde_json::json!({"type": "ping", "id": 7, "x": [null, true, -1, 1.5, "é"]});
        for codec in Codec::ALL {
            assert_eq!(decode_strict(codec, &codec.encode(&value)).expect("own bytes"), value);
        }
    }
}
