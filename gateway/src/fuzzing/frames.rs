//! Client frames in both codecs: what decodes is within the limits, is written and read back as the same in either codec, and
//! a tree means the same whichever codec it came in.

use hub_core::wire::client::{BadRequest, MAX_FIELD_BYTES, MAX_ROWS, Request};
use hub_core::wire::value::decode_strict;
use hub_core::wire::{ClientFrame, Codec, MAX_DEPTH, MAX_INTEGER};
use serde_json::Value;

use super::{Kind, kind, limits};

pub fn json(bytes: &[u8]) -> Kind {
    frame(Codec::Json, bytes)
}

pub fn msgpack(bytes: &[u8]) -> Kind {
    frame(Codec::MsgPack, bytes)
}

fn frame(codec: Codec, bytes: &[u8]) -> Kind {
    let other = match codec {
        Codec::Json => Codec::MsgPack,
        Codec::MsgPack => Codec::Json,
    };
    let read = Request::decode(codec, bytes);
    if let Ok(tree) = decode_strict(codec, bytes) {
        assert!(depth(&tree) <= MAX_DEPTH, "nested {} deep", depth(&tree));
        for codec in [codec, other] {
            assert_eq!(Request::decode(codec, &codec.encode(&tree)), read, "the same tree, written in {codec:?}");
        }
    }
    match read {
        Ok(request) => {
            assert!(request.id.is_none_or(|id| (1..=MAX_INTEGER).contains(&id)));
            within_limits(&request.frame);
            for codec in [codec, other] {
                assert_eq!(Request::decode(codec, &request.encode(codec)).as_ref(), Ok(&request), "read back from {codec:?}");
            }
            kind(std::mem::discriminant(&request.frame))
        }
        Err(BadRequest { id, problem }) => {
            let fields = problem.detail.get("fields").and_then(Value::as_object);
            kind((id.is_some(), problem.code as u8, fields.map(|fields| fields.keys().cloned().collect::<Vec<_>>())))
        }
    }
}

fn within_limits(frame: &ClientFrame) {
    match frame {
        ClientFrame::PostReply { body, based_on, then_status, mention_ids, hold_ms, .. } => {
            limits::body(body);
            limits::reply(mention_ids, then_status.as_deref(), *hold_ms);
            assert!(based_on.is_none_or(|seq| seq <= MAX_INTEGER));
        }
        ClientFrame::Subscribe { resume, .. } => assert!(resume.is_none_or(|(after, _)| after <= MAX_INTEGER)),
        ClientFrame::HandOver { to_id, to_team_id, note, .. } => limits::handover(to_id.is_some(), to_team_id.is_some(), note),
        ClientFrame::ChangeTags { add, remove, .. } => limits::tags(add, remove),
        ClientFrame::SaveDraft { revision, body, based_on, .. } => {
            limits::draft(body);
            assert!(*revision <= MAX_INTEGER && *based_on <= MAX_INTEGER);
        }
        ClientFrame::SetPresence { field, .. } => assert!(field.as_ref().is_none_or(|field| field.len() <= MAX_FIELD_BYTES)),
        ClientFrame::WatchRows { ticket_ids } => assert!(ticket_ids.len() <= MAX_ROWS),
        ClientFrame::MarkRead { seq, .. } => assert!(*seq <= MAX_INTEGER),
        _ => {}
    }
}

fn depth(tree: &Value) -> usize {
    match tree {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
