// What working together on a ticket does to its row: handoffs, tags, watchers. The same that the hub makes of it.
import type { AgentTicket, EventRecord } from "../wire/generated";

/** The row after an event. */
export function afterDeed(row: AgentTicket, { event, by, at }: EventRecord): AgentTicket {
  switch (event.type) {
    case "handed_over": {
      const { from_id, to_id, to_team_id, note, draft } = event;
      const from = { id: from_id, name: by.name };
      return { ...row, handoff: { from, to_id, to_team_id, note, at, ...(draft && { draft }) } };
    }
    case "handoff_acknowledged": {
      const { handoff: _, ...rest } = row;
      return rest;
    }
    case "tags_changed": {
      const kept = row.tags.filter((tag) => !event.removed.includes(tag));
      return { ...row, tags: [...new Set([...kept, ...event.added])].sort() };
    }
    case "watched": {
      const others = (row.watcher_ids ?? []).filter((id) => id !== event.user_id);
      return { ...row, watcher_ids: event.on ? [...others, event.user_id] : others };
    }
    default:
      return row;
  }
}
