//! From frames as they stand on the wire to what the checks ask. Frames are read as a stranger would, by the protocol's names:
//! what a customer is shown is judged with every field it holds, not only with those that this program's types know.

use hub_core::ids::UserId;
use hub_core::time::UnixMs;
use hub_core::wire::{ActorKind, Audience, ErrorCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::history::{Fact, View};
use super::history::{Answer, ClaimSeen, DraftSeen, Entry, Live, Present, Sign, State, What};

/// Words for a frame that lacks what it must have.
pub type Odd = String;

/// One event of the log. `epoch_ms` is the database time at which the run began.
///
/// # Errors
/// In words, when the record lacks what it must have.
pub fn entry(record: &Value, epoch_ms: i64) -> Result<Entry, Odd> {
    let fact = Fact::read(record).ok_or_else(|| format!("an event that cannot be read: {record}"))?;
    let what = what(&record["event"], epoch_ms).ok_or_else(|| format!("an event without its fields: {record}"))?;
    Ok(Entry {
        seq: fact.seq,
        at_us: run_us(fact.at_ms, epoch_ms),
        kind: fact.by_kind,
        by: fact.by,
        key: fact.key,
        digest: fact.digest,
        what,
    })
}

fn what(event: &Value, epoch_ms: i64) -> Option<What> {
    let id = |name: &str| get(event, name);
    let forced = event["forced"] == true;
    let by = || get(&event["by"], "id").or_else(|| get(event, "by"));
    Some(match event["type"].as_str()? {
        "reply_posted" => What::Reply {
            audience: get(event, "audience")?,
            body: get(event, "body")?,
            forced,
            held_key: get(event, "held_key"),
        },
        "status_changed" => What::Status { forced },
        "reply_held" => What::Held {
            audience: get(event, "audience")?,
            body: get(event, "body")?,
            based_on: get(event, "based_on"),
            forced,
            release_at_us: run_us(get::<UnixMs>(event, "release_at")?.0, epoch_ms),
        },
        "held_cancelled" => What::HeldCancelled { held_key: get(event, "held_key")? },
        "handed_over" => What::HandedOver { to: id("to_id"), draft: event["draft"]["body"].as_str().map(str::to_owned) },
        "handoff_acknowledged" => What::Acknowledged,
        "claim_taken" => What::Taken { by: by()?, from: get(&event["from"], "id").or_else(|| get(event, "from")) },
        "claim_released" => What::Released { by: by()? },
        "claim_expired" => What::Expired { by: by()? },
        other => What::Other(other.to_owned()),
    })
}

/// Database time as the run's.
fn run_us(at_ms: i64, epoch_ms: i64) -> u64 {
    u64::try_from(at_ms.saturating_sub(epoch_ms)).unwrap_or(0).saturating_mul(1_000)
}

/// What an `ack` or `error` says.
///
/// # Errors
/// In words, when it cannot be read.
pub fn answer(frame: &Value) -> Result<Answer, Odd> {
    if frame["type"] == "ack" {
        return Ok(Answer::Acked { seq: get(frame, "seq"), revision: get(&frame["result"], "revision") });
    }
    let detail = &frame["detail"];
    let code = get::<ErrorCode>(frame, "code").ok_or_else(|| format!("an error without a known code: {frame}"))?;
    let events = match &detail["events"] {
        Value::Array(records) => Some(
            records
                .iter()
                .map(|record| {
                    Fact::read(record).map(|fact| (fact.seq, fact.digest)).ok_or("an event in `detail` that cannot be read")
                })
                .collect::<Result<_, _>>()?,
        ),
        _ => None,
    };
    let draft = match detail.get("draft") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(shown) => Some(Some(draft(shown)?)),
    };
    Ok(Answer::Refused {
        code,
        retry_after_ms: get(frame, "retry_after_ms"),
        events,
        is_reset: detail["reset"] == true,
        by: get(&detail["by"], "id").or_else(|| get(detail, "by")),
        draft,
    })
}

/// `live` of a `subscribed` frame.
///
/// # Errors
/// In words, when it cannot be read, or shows a customer what is not for customers.
pub fn live(live: &Value, view: View) -> Result<Live, Odd> {
    let list = |name: &str| live[name].as_array().into_iter().flatten();
    let presence = list("presence").map(present).collect::<Result<Vec<_>, _>>()?;
    let drafts = list("drafts").map(draft).collect::<Result<Vec<_>, _>>()?;
    let claim = claim(&live["claim"])?;
    if view == View::Thread && (!presence.is_empty() || claim.is_some()) {
        return Err(format!("a customer was shown who is at work: {live}"));
    }
    Ok(Live { presence, claim, drafts, is_support_composing: live["support"] == "composing" })
}

/// A signal of the ticket's topic, or of `me` as far as it is about this ticket.
///
/// # Errors
/// In words, when it cannot be read.
pub fn sign(signal: &Value, view: View) -> Result<Sign, Odd> {
    let kind = signal["type"].as_str().ok_or_else(|| format!("a signal without a type: {signal}"))?;
    if view == View::Thread {
        return Ok(customers_sign(kind, signal));
    }
    Ok(match kind {
        "presence" => Sign::Presence(
            signal["users"].as_array().ok_or("presence without users")?.iter().map(present).collect::<Result<_, _>>()?,
        ),
        "claim" => Sign::Claim(claim(signal)?),
        "draft_changed" => {
            let shown = if signal["draft"].is_null() { None } else { Some(draft(&signal["draft"])?) };
            Sign::DraftChanged(get(signal, "audience").ok_or("draft_changed without audience")?, shown)
        }
        _ => Sign::Other,
    })
}

/// Customers are told that support is composing, and by no field who or what.
fn customers_sign(kind: &str, signal: &Value) -> Sign {
    let names: Vec<&str> = signal.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    match kind {
        "presence" if names.iter().all(|name| ["type", "support"].contains(name)) => {
            Sign::Support(signal["support"] == "composing")
        }
        "presence" | "claim" | "draft" | "people" | "counters" => Sign::Secret(format!("{kind} with {}", names.join(", "))),
        _ => Sign::Other,
    }
}

fn present(user: &Value) -> Result<Present, Odd> {
    let state = match user["state"].as_str() {
        Some("viewing") => State::Viewing,
        Some("composing") => State::Composing,
        Some("idle") => State::Idle,
        Some(_) | None => return Err(format!("somebody present in no known state: {user}")),
    };
    Ok(Present {
        user: get(user, "id").ok_or("somebody present without an id")?,
        state,
        audience: get(user, "audience"),
        is_lost: user["lost"] == true,
    })
}

/// A claim of `live` or of a signal; none when it is free.
fn claim(claim: &Value) -> Result<Option<ClaimSeen>, Odd> {
    let Some(by) = get::<UserId>(&claim["by"], "id").or_else(|| get(claim, "by")) else { return Ok(None) };
    let until = get::<UnixMs>(claim, "until").ok_or_else(|| format!("a claim without until: {claim}"))?;
    Ok(Some(ClaimSeen { by, until_ms: until.0 }))
}

fn draft(draft: &Value) -> Result<DraftSeen, Odd> {
    let seen =
        || Some(DraftSeen { audience: get(draft, "audience")?, revision: get(draft, "revision")?, body: get(draft, "body")? });
    seen().ok_or_else(|| format!("a draft that cannot be read: {draft}"))
}

/// A field, when it is there and of this type.
pub fn get<T: DeserializeOwned>(map: &Value, name: &str) -> Option<T> {
    map.get(name).and_then(|value| T::deserialize(value).ok())
}

/// True for whoever writes for the workspace.
pub const fn is_staff(kind: ActorKind) -> bool {
    match kind {
        ActorKind::Agent | ActorKind::ApiKey => true,
        ActorKind::Customer | ActorKind::System => false,
    }
}

/// The slot of a draft by its name.
pub const fn audience_name(audience: Audience) -> &'static str {
    match audience {
        Audience::Public => "public",
        Audience::Internal => "internal",
    }
}
