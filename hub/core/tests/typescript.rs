//! Holds `web/src/wire/generated.ts` to the Rust types of the wire. `UPDATE=1` writes it anew.
#![cfg(feature = "ts")]

use std::fmt::Write as _;
use std::path::Path;

use hub_core::{ids, rules::permissions, rules::workflow, time, wire};
use ts_rs::{Config, TS};

const FILE: &str = "../../web/src/wire/generated.ts";

/// The frames of a client are read by hand (each refusal names its field), so their types are told by hand as well;
/// the golden frames, which the web encodes from these types byte for byte, hold them to the reader.
const CLIENT_FRAMES: &str = r#"
type Keyed = { key: CommandKey; ticket_id: TicketId };

export type ClientFrame =
  | { type: "hello"; id: number; protocol: 1; token?: string; client?: { name: string; version: string } }
  | { type: "subscribe"; id: number; topic: string; after?: number; stream?: StreamId }
  | { type: "unsubscribe"; id: number; topic: string }
  | { type: "ping"; id: number }
  | ({
      type: "post_reply";
      id: number;
      body: string;
      audience: Audience;
      based_on?: number;
      force?: true;
      then_status?: string;
      mention_ids?: UserId[];
      hold_ms?: number;
    } & Keyed)
  | ({ type: "cancel_held"; id: number; held_key: CommandKey } & Keyed)
  | ({
      type: "hand_over";
      id: number;
      to_id?: UserId;
      to_team_id?: TeamId;
      note: string;
      with_draft?: true;
    } & Keyed)
  | ({ type: "acknowledge_handoff"; id: number } & Keyed)
  | ({ type: "change_tags"; id: number; add: string[]; remove: string[] } & Keyed)
  | ({ type: "watch"; id: number; on: boolean } & Keyed)
  | { type: "take_claim"; id: number; ticket_id: TicketId; force?: true }
  | { type: "release_claim"; id: number; ticket_id: TicketId; force?: true }
  | {
      type: "save_draft";
      id: number;
      ticket_id: TicketId;
      audience: Audience;
      revision: number;
      body: string;
      based_on: number;
    }
  | { type: "discard_draft"; id: number; ticket_id: TicketId; audience: Audience }
  | { type: "set_presence"; id?: number; ticket_id: TicketId; state: Activity; audience?: Audience; field?: string }
  | { type: "watch_rows"; id: number; ticket_ids: TicketId[] }
  | ({ type: "change_status"; id: number; status: string; based_on?: number; note?: string; force?: true } & Keyed)
  | ({ type: "assign"; id: number; assignee_id: UserId | null; team_id?: TeamId | null } & Keyed)
  | ({
      type: "update_ticket";
      id: number;
      based_on: number;
      title?: string;
      priority?: Priority;
      urgency?: string;
      category_id?: CategoryId | null;
      custom?: Record<string, unknown> | null;
      due_at?: UnixMs | null;
      scheduled_at?: UnixMs | null;
    } & Keyed)
  | { type: "mark_read"; id: number; ticket_id: TicketId; seq: number; back?: true };
"#;

fn declare<T: TS>(out: &mut String, config: &Config) {
    writeln!(out, "\nexport {}", T::decl(config)).expect("strings do not fail");
}

fn generated() -> String {
    let config = Config::new().with_large_int("number");
    let mut out = String::from("// The wire, as the hub speaks it. Generated from hub/core (wire); do not edit.\n");
    macro_rules! all {
        ($($t:ty),* $(,)?) => { $(declare::<$t>(&mut out, &config);)* };
    }
    all!(
        ids::WorkspaceId,
        ids::UserId,
        ids::TicketId,
        ids::TeamId,
        ids::CategoryId,
        ids::SessionId,
        ids::CommandKey,
        ids::StreamId,
        time::UnixMs,
        permissions::Role,
        workflow::StatusKind,
        workflow::Status,
        workflow::Workflow,
        wire::ErrorCode,
        wire::ActorKind,
        wire::Actor,
        wire::Audience,
        wire::Source,
        wire::Reason,
        wire::PersonRef,
        wire::HandoffDraft,
        wire::Event,
        wire::EventRecord,
        wire::Priority,
        wire::Handoff,
        wire::Held,
        wire::AgentTicket,
        wire::CustomerTicket,
        wire::TicketView,
        wire::server::TeamRef,
        wire::Me,
        wire::WorkspaceInfo,
        wire::Limits,
        wire::ReadCursor,
        wire::Activity,
        wire::Presence,
        wire::Support,
        wire::Claim,
        wire::Draft,
        wire::Availability,
        wire::Online,
        wire::Live,
        wire::Snapshot,
        wire::PresenceSignal,
        wire::Signal,
        JsonValue,
        wire::ServerFrame,
    );
    out.push_str(CLIENT_FRAMES);
    out
}

/// Any JSON value, under the name ts-rs gives it elsewhere.
type JsonValue = serde_json::Value;

#[test]
fn the_typescript_of_the_wire_is_what_the_hub_speaks() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let fresh = generated();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folder");
        std::fs::write(&path, &fresh).expect("written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "web/src/wire/generated.ts is stale: run `UPDATE=1 cargo test -p hub_core --features ts`");
}
