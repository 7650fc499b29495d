// What happened, in words for people: events of a thread, refusals, problems.
import type { Problem } from "../client/rest";
import { assertNever, type Command, type Refusal } from "../client/state";
import type { Notification } from "../client/told";
import type { Audience, ErrorCode, Event, EventRecord, PersonRef, Reason, UserId, Workflow } from "../wire/generated";

/** What an event that is no message did, after its author's name; null for what shows nothing. */
export function deed(
  event: Event,
  workflow: Workflow,
  people: readonly PersonRef[],
  byId: string | undefined,
): string | null {
  switch (event.type) {
    case "ticket_created":
    case "reply_posted":
    case "nothing_changed":
    case "notified":
    case "reply_held":
      return null;
    case "status_changed":
      return `changed the status from ${labelOf(workflow, event.from)} to ${labelOf(workflow, event.to)}`;
    case "assigned":
      return assignment(event.assignee_id, people, byId);
    case "field_changed":
      return `${fieldChange(event.field, event.from, event.to)}`;
    default:
      return teamwork(event, people, byId);
  }
}

type Teamwork = Exclude<
  Event,
  {
    type:
      | "ticket_created"
      | "reply_posted"
      | "nothing_changed"
      | "notified"
      | "reply_held"
      | "status_changed"
      | "assigned"
      | "field_changed";
  }
>;

/** What colleagues did with each other. */
function teamwork(event: Teamwork, people: readonly PersonRef[], byId: string | undefined): string {
  const nameOf = (id: string | null) => people.find((person) => person.id === id)?.name;
  switch (event.type) {
    case "claim_taken":
      if (!event.from) return "began to answer";
      return event.by.id === byId
        ? `took over the answer from ${event.from.name}`
        : `passed the answer from ${event.from.name} to ${event.by.name}`;
    case "claim_released":
      return event.by.id === byId ? "stopped answering" : `ended the answering of ${event.by.name}`;
    case "claim_expired":
      return `no longer waits for ${event.by.name} to answer`;
    case "held_cancelled":
      return event.why ? `did not send a reply (${event.why})` : "took a reply back before it was sent";
    case "handed_over":
      return `handed this over to ${nameOf(event.to_id) ?? (event.to_id ? "a colleague" : "a team")}`;
    case "handoff_acknowledged":
      return "acknowledged the handoff";
    case "tags_changed":
      return tagChange(event.added, event.removed);
    case "watched":
      return event.user_id === byId
        ? event.on
          ? "follows this ticket"
          : "no longer follows this ticket"
        : `${event.on ? "lets" : "no longer lets"} ${nameOf(event.user_id) ?? "a colleague"} follow this ticket`;
    default:
      return assertNever(event);
  }
}

function tagChange(added: readonly string[], removed: readonly string[]): string {
  const plus = added.length > 0 ? `added ${LIST.format(added)}` : "";
  const minus = removed.length > 0 ? `removed ${LIST.format(removed)}` : "";
  return `${[plus, minus].filter((words) => words !== "").join(" and ")} ${added.length + removed.length === 1 ? "as a tag" : "as tags"}`;
}

/** One sentence about what came in between. */
export function summary(record: EventRecord, workflow: Workflow): string {
  const { event, by } = record;
  if (event.type === "reply_posted") return `${by.name} ${event.audience === "internal" ? "left a note" : "replied"}`;
  return `${by.name} ${deed(event, workflow, [], by.id) ?? "changed something"}`;
}

/** Why a change of mine did not happen. */
export function publicRefusal(command: Command, refusal: Refusal): string {
  return `${what(command)} ${reason(refusal)}`;
}

/** Why something did not happen, by its code; the hub's own sentence where it says more. */
export function reason({ code, message }: { code: ErrorCode; message: string }): string {
  switch (code) {
    case "stale":
      return "Something new came in between.";
    case "claimed":
      return "Somebody else is answering this ticket right now.";
    case "not_found":
      return "This ticket does not exist, or you cannot see it.";
    case "forbidden":
      return "Your role does not allow this.";
    case "busy":
    case "rate_limited":
      return "The server is busy right now.";
    case "unavailable":
      return message || "The server did not confirm it; it may have arrived all the same.";
    case "too_large":
      return "The text is too long.";
    case "unauthenticated":
      return "Your sign-in has ended.";
    case "bad_frame":
    case "unknown_type":
    case "unsupported_version":
      return "This page is older than the server. Reload it.";
    case "invalid":
    case "illegal_transition":
    case "limit_reached":
      return message;
    default:
      return assertNever(code);
  }
}

const WHY: Record<Reason, string> = {
  assigned: "assigned you",
  mentioned: "mentioned you",
  replied: "replied",
  handed_over: "handed over to you",
  watched: "wrote",
  not_sent: "did not send your reply",
  claim_taken: "took over from you",
};

/** Why I am told of something, after its author's name. */
export function whyTold(reason: Reason): string {
  // a newer hub may know more reasons
  return WHY[reason] ?? "did something";
}

/** News in one sentence, for those who hear it. */
export function newsInWords(news: readonly Notification[]): string {
  const [first] = news;
  if (!first) return "";
  if (news.length === 1)
    return `${first.by.name} ${whyTold(first.told.reason)}: ${first.told.number} ${first.told.title}`;
  const tickets = new Set(news.map(({ told }) => told.ticket_id)).size;
  return `${news.length} notifications on ${tickets === 1 ? "one ticket" : `${tickets} tickets`}`;
}

/** What sending a text with mentions does besides. */
export function whomItCalls(ids: readonly UserId[], people: readonly PersonRef[], audience: Audience): string {
  const names = people.filter(({ id }) => ids.includes(id)).map(({ name }) => name);
  const calls = `Notifies ${LIST.format(names)}.`;
  return audience === "internal" ? calls : `${calls} The customer sees the name, but not that it is a mention.`;
}

/** Who wrote a reply together. */
export function authorship(authors: readonly PersonRef[], sender: string): string {
  const [first, ...others] = authors.map(({ name }) => name);
  if (first === undefined || (others.length === 0 && first === sender)) return "";
  const editors = others.filter((name) => name !== first);
  const edited = editors.length > 0 ? `, edited by ${LIST.format(editors)}` : "";
  return `Started by ${first}${edited}, sent by ${sender}.`;
}

const LIST = new Intl.ListFormat("en");

/** Why somebody could not sign in. */
export function signInProblem(problem: Problem): string {
  switch (problem.code) {
    case "unauthenticated":
      return "Workspace, e-mail and password do not belong together. Check all three and try again.";
    case "rate_limited":
      return `Too many attempts. Try again ${waitOf(problem.retry_after_ms)}.`;
    case "busy":
    case "unavailable":
      return `The server is busy. Try again ${waitOf(problem.retry_after_ms)}.`;
    default:
      return problem.detail;
  }
}

export function labelOf(workflow: Workflow, statusId: string): string {
  return workflow.statuses.find((status) => status.id === statusId)?.label ?? statusId;
}

/** What a field is called. */
export function fieldName(field: string): string {
  const words = field.replace(/_(id|at)$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A field's value as people read it. */
export function fieldValue(field: string, value: unknown, workflow: Workflow): string {
  if (value === null || value === undefined) return "nothing";
  if (field === "status") return labelOf(workflow, String(value));
  if (field === "priority") return shown(value);
  return typeof value === "object" ? JSON.stringify(value) : `“${String(value)}”`;
}

function what(command: Command): string {
  switch (command.type) {
    case "post_reply":
      return "Not sent.";
    case "change_status":
      return "The status was not changed.";
    case "assign":
      return "The assignment was not changed.";
    case "update_ticket":
      return "The ticket was not changed.";
    case "cancel_held":
      return "The reply was not taken back.";
    case "hand_over":
      return "The ticket was not handed over.";
    case "acknowledge_handoff":
      return "The handoff was not acknowledged.";
    case "change_tags":
      return "The tags were not changed.";
    case "watch":
      return "Nothing was changed about following it.";
    default:
      return assertNever(command);
  }
}

function assignment(assigneeId: string | null, people: readonly PersonRef[], byId: string | undefined): string {
  if (assigneeId === null) return "removed the assignment";
  if (assigneeId === byId) return "took this ticket";
  const name = people.find((person) => person.id === assigneeId)?.name;
  return name ? `assigned this to ${name}` : "assigned this to a colleague";
}

function fieldChange(field: string, from: unknown, to: unknown): string {
  if (field === "title") return `changed the title to “${String(to)}”`;
  if (field === "priority") return `changed the priority from ${shown(from)} to ${shown(to)}`;
  if (field === "custom") return "changed the custom fields";
  return to === null ? `cleared ${field.replaceAll("_", " ")}` : `set ${field.replaceAll("_", " ")} to ${String(to)}`;
}

function shown(value: unknown): string {
  return value === null ? "none" : String(value).toUpperCase();
}

function waitOf(ms: number | null): string {
  if (ms === null) return "in a moment";
  const seconds = Math.ceil(ms / 1000);
  return seconds < 90 ? `in ${seconds} seconds` : `in ${Math.ceil(seconds / 60)} minutes`;
}
