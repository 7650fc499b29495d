//! Asks as frames: what a stranger would put on the wire, by the protocol's names. The request number is added when it is sent.

use hub_core::wire::Audience;
use serde_json::{Value, json};

use crate::fleet::Seat;
use crate::oracle::together::history::{Ask, State};
use crate::oracle::together::read::audience_name;

/// An ask that can be put on the wire, and put on it again.
#[derive(Clone, Debug)]
pub struct Want {
    /// What is asked.
    pub ask: Ask,
    /// As a frame, without `id`.
    pub frame: Value,
}

/// What fields an ask has besides those that the checks know.
pub struct Extras<'a> {
    /// The head that was seen.
    pub seen: u64,
    /// More fields of the frame.
    pub fields: &'a Value,
}

/// The frame of an ask.
pub fn want(seat: &Seat, ask: Ask, extras: &Extras<'_>) -> Want {
    let seen = extras.seen;
    let mut frame = match &ask {
        Ask::Subscribe => json!({"type": "subscribe", "topic": seat.topic()}),
        Ask::Leave => json!({"type": "unsubscribe", "topic": seat.topic()}),
        Ask::Post { key, audience, body, based_on, force, hold_ms } => {
            let mut frame = json!({"type": "post_reply", "key": key, "body": body, "audience": audience_name(*audience)});
            set(&mut frame, "based_on", based_on.map(Value::from));
            set(&mut frame, "force", force.then_some(Value::Bool(true)));
            set(&mut frame, "hold_ms", (*hold_ms > 0).then(|| (*hold_ms).into()));
            frame
        }
        Ask::Status { key, based_on, force } => {
            let mut frame = json!({"type": "change_status", "key": key});
            set(&mut frame, "based_on", based_on.map(Value::from));
            set(&mut frame, "force", force.then_some(Value::Bool(true)));
            frame
        }
        Ask::CancelHeld { key, held_key } => json!({"type": "cancel_held", "key": key, "held_key": held_key}),
        Ask::HandOver { key, to, with_draft } => {
            let mut frame = json!({"type": "hand_over", "key": key, "to_id": to, "note": "Over to you: see the thread."});
            set(&mut frame, "with_draft", with_draft.then_some(Value::Bool(true)));
            frame
        }
        Ask::Acknowledge { key } => json!({"type": "acknowledge_handoff", "key": key}),
        Ask::Other { key, kind } => json!({"type": kind, "key": key}),
        Ask::TakeClaim { force } => claim("take_claim", *force),
        Ask::ReleaseClaim { force } => claim("release_claim", *force),
        Ask::SaveDraft { audience, revision, body } => json!({
            "type": "save_draft", "audience": audience_name(*audience), "revision": revision, "body": body, "based_on": seen,
        }),
        Ask::Discard { audience } => json!({"type": "discard_draft", "audience": audience_name(*audience)}),
        Ask::Presence { state, audience } => presence(*state, *audience),
    };
    if !matches!(ask, Ask::Subscribe | Ask::Leave) {
        frame["ticket_id"] = json!(seat.ticket);
    }
    for (name, value) in extras.fields.as_object().into_iter().flatten() {
        frame[name] = value.clone();
    }
    Want { ask, frame }
}

fn claim(kind: &str, force: bool) -> Value {
    let mut frame = json!({"type": kind});
    set(&mut frame, "force", force.then_some(Value::Bool(true)));
    frame
}

fn presence(state: State, audience: Option<Audience>) -> Value {
    let state = match state {
        State::Viewing => "viewing",
        State::Composing => "composing",
        State::Idle => "idle",
    };
    let mut frame = json!({"type": "set_presence", "state": state});
    set(&mut frame, "audience", audience.map(|audience| audience_name(audience).into()));
    frame
}

fn set(frame: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        frame[name] = value;
    }
}
