// The hub's REST surface, as far as the pages use it. Every failure is a value with words for people.
import { isRecord, readCursors, readEvents } from "../wire/codec";
import type {
  ErrorCode,
  EventRecord,
  Me,
  ReadCursor,
  Role,
  TicketId,
  TicketView,
  WorkspaceInfo,
} from "../wire/generated";

/** Why a request failed. `network`: the hub was not reached, so what happened is unknown. */
export type Problem = {
  code: ErrorCode | "network";
  /** One sentence for people. */
  detail: string;
  /** What is wrong, by field; empty when no field is to blame. */
  fields: Readonly<Record<string, string>>;
  retry_after_ms: number | null;
};

export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

export type SignedIn = { user: Me; workspace: WorkspaceInfo };
export type TicketPage = { tickets: TicketView[]; next_cursor: string | null };
export type NotificationPage = { notifications: EventRecord[]; read: ReadCursor[]; next_before: number | null };
export type TicketFilter = { status?: readonly string[]; assignee_id?: "me" | "none"; cursor?: string; limit?: number };

const BASE = "/api/v1";

/** Signs in with a cookie that this script never sees. */
export async function signIn(workspace: string, email: string, password: string): Promise<Answer<SignedIn>> {
  const opened = await ask("POST", "/sessions", { body: { workspace, email, password }, read: () => null });
  return opened.ok ? whoAmI() : opened;
}

export function signOut(): Promise<Answer<null>> {
  return ask("DELETE", "/sessions/current", { read: () => null });
}

export function whoAmI(): Promise<Answer<SignedIn>> {
  return ask("GET", "/me", { read: readSignedIn });
}

export function listTickets(filter: TicketFilter): Promise<Answer<TicketPage>> {
  const query = new URLSearchParams();
  if (filter.status?.length) query.set("status", filter.status.join(","));
  if (filter.assignee_id) query.set("assignee_id", filter.assignee_id);
  if (filter.cursor) query.set("cursor", filter.cursor);
  query.set("limit", String(filter.limit ?? 50));
  return ask("GET", `/tickets?${query}`, { read: readPage });
}

/** @param key one per intent: a repeat with the same key finds the ticket that the first one made */
export function createTicket(ticket: { title: string; description: string }, key: string): Promise<Answer<TicketView>> {
  return ask("POST", "/tickets", { body: ticket, key, read: readTicket });
}

/** The events just before `before`, in my numbering. */
export function olderEvents(id: TicketId, before: number, limit: number): Promise<Answer<EventRecord[]>> {
  const query = new URLSearchParams({ before: String(before), limit: String(limit) });
  return ask("GET", `/tickets/${encodeURIComponent(id)}/events?${query}`, {
    read: (value) => (isRecord(value) && Array.isArray(value["events"]) ? readEvents(value["events"]) : undefined),
  });
}

/** What I was told just before `before`, oldest first, and how far I have read those tickets. */
export function olderNotifications(before: number, limit: number): Promise<Answer<NotificationPage>> {
  const query = new URLSearchParams({ before: String(before), limit: String(limit) });
  return ask("GET", `/me/notifications?${query}`, { read: readNotifications });
}

type Ask<T> = {
  body?: object;
  key?: string /** Undefined when the answer has not the promised form. */;
  read: (value: unknown) => T | undefined;
};

async function ask<T>(method: string, path: string, { body, key, read }: Ask<T>): Promise<Answer<T>> {
  try {
    const response = await fetch(BASE + path, {
      method,
      credentials: "same-origin",
      headers: {
        accept: "application/json",
        ...(body && { "content-type": "application/json" }),
        ...(key && { "idempotency-key": key }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const value: unknown = await response.json().catch(() => null);
    if (!response.ok) return { ok: false, problem: readProblem(value, response) };
    const result = read(value);
    if (result !== undefined) return { ok: true, value: result };
    return failed("unavailable", "The answer could not be read. Reload the page to get its newest version.");
  } catch {
    return failed("network", "The server cannot be reached. Check your connection and try again.");
  }
}

function failed(code: Problem["code"], detail: string): { ok: false; problem: Problem } {
  return { ok: false, problem: { code, detail, fields: {}, retry_after_ms: null } };
}

const CODES: Record<ErrorCode, true> = {
  bad_frame: true,
  unknown_type: true,
  invalid: true,
  unauthenticated: true,
  forbidden: true,
  not_found: true,
  stale: true,
  claimed: true,
  illegal_transition: true,
  limit_reached: true,
  rate_limited: true,
  too_large: true,
  busy: true,
  unavailable: true,
  unsupported_version: true,
};

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(CODES, code);
}

function readProblem(value: unknown, response: Response): Problem {
  const told = isRecord(value) ? value : {};
  const retryAfterS = Number(response.headers.get("retry-after") ?? Number.NaN);
  const detail = told["detail"] ?? told["title"];
  return {
    code: isErrorCode(told["code"]) ? told["code"] : response.status === 401 ? "unauthenticated" : "unavailable",
    detail: typeof detail === "string" ? detail : `The server answered with an error (${response.status}).`,
    fields: isRecord(told["fields"]) ? textsOf(told["fields"]) : {},
    retry_after_ms:
      typeof told["retry_after_ms"] === "number"
        ? told["retry_after_ms"]
        : retryAfterS >= 0
          ? retryAfterS * 1000
          : null,
  };
}

function textsOf(map: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([field, text]) => [field, String(text)]));
}

function readSignedIn(value: unknown): SignedIn | undefined {
  if (!isRecord(value)) return undefined;
  const { user, workspace } = value;
  return isMe(user) && isWorkspace(workspace) ? { user, workspace } : undefined;
}

function readPage(value: unknown): TicketPage | undefined {
  if (!isRecord(value) || !Array.isArray(value["tickets"])) return undefined;
  const cursor = value["next_cursor"];
  return { tickets: value["tickets"].filter(isTicket), next_cursor: typeof cursor === "string" ? cursor : null };
}

function readNotifications(value: unknown): NotificationPage | undefined {
  if (!isRecord(value) || !Array.isArray(value["notifications"])) return undefined;
  const next = value["next_before"];
  return {
    notifications: readEvents(value["notifications"]),
    read: readCursors(value["read"]),
    next_before: typeof next === "number" ? next : null,
  };
}

function readTicket(value: unknown): TicketView | undefined {
  return isTicket(value) ? value : undefined;
}

function isTicket(value: unknown): value is TicketView {
  return (
    isRecord(value) &&
    ["id", "number", "title", "description", "status", "created_at", "updated_at"].every(
      (field) => typeof value[field] === "string",
    ) &&
    typeof value["seq"] === "number" &&
    isRecord(value["requester"])
  );
}

function isMe(value: unknown): value is Me {
  return isRecord(value) && ["id", "name", "email", "role"].every((field) => typeof value[field] === "string");
}

function isWorkspace(value: unknown): value is WorkspaceInfo {
  return (
    isRecord(value) &&
    typeof value["slug"] === "string" &&
    isRecord(value["workflow"]) &&
    Array.isArray(value["workflow"]["statuses"])
  );
}

/** Those who see whole tickets. */
export function isStaff(role: Role): boolean {
  return role !== "customer" && role !== "platform_admin";
}

/** Those who may change tickets. */
export function mayWork(role: Role): boolean {
  return isStaff(role) && role !== "viewer";
}
