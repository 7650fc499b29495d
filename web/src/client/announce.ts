// What I tell the others about myself at the ticket that I have open: viewing, composing, idle. Only changes, and not too often.
import type { Activity, Audience, TicketId } from "../wire/generated";
import type { Timer } from "./ports";

/** Without any input for so long, or in a tab that nobody sees, I am elsewhere. */
export const IDLE_AFTER_MS = 60_000;
/** How often composing is repeated while I type; the hub forgets it after eight seconds. */
export const REPEAT_MS = 3000;
/** I have stopped composing when I have not typed for so long. */
export const PAUSE_MS = 5000;

export type Announcement = { ticket_id: TicketId; state: Activity; audience?: Audience; field?: string };

export type AnnouncerNeeds = {
  say(announcement: Announcement): void;
  /** Whether the hub knows that I watch the ticket: before, it does not listen. */
  isWatched(ticket: TicketId): boolean;
  nowMs(): number;
  after(ms: number, act: () => void): Timer;
};

export class Announcer {
  private ticket: TicketId | null = null;
  private isHidden = false;
  private inputAtMs: number;
  private typed: { audience: Audience; atMs: number } | null = null;
  private field: string | null = null;
  private said: { words: string; atMs: number } | null = null;
  private timer: Timer | null = null;

  constructor(private readonly need: AnnouncerNeeds) {
    this.inputAtMs = need.nowMs();
  }

  /** I have a ticket open, until the answered function is called. */
  open(ticket: TicketId): () => void {
    this.ticket = ticket;
    this.inputAtMs = this.need.nowMs();
    this.forget();
    this.look();
    return () => {
      if (this.ticket !== ticket) return;
      this.ticket = null;
      this.forget();
      this.timer?.cancel();
    };
  }

  /** I did anything at all. */
  input() {
    const wasIdle = this.state() === "idle";
    this.inputAtMs = this.need.nowMs();
    if (wasIdle) this.look();
  }

  /** I typed into a reply or note. */
  type(audience: Audience) {
    this.inputAtMs = this.need.nowMs();
    this.typed = { audience, atMs: this.need.nowMs() };
    this.look();
  }

  /** What I typed is sent or thrown away. */
  finish() {
    this.typed = null;
    this.look();
  }

  /** Which field I have open; null for none. */
  edit(field: string | null) {
    this.field = field;
    this.look();
  }

  /** Whether the page is out of sight. */
  hide(isHidden: boolean) {
    this.isHidden = isHidden;
    if (!isHidden) this.inputAtMs = this.need.nowMs();
    this.look();
  }

  /** The hub listens anew: it knows nothing of me. */
  again(ticket: TicketId) {
    if (this.ticket !== ticket) return;
    this.said = null;
    this.look();
  }

  stop() {
    this.timer?.cancel();
    this.ticket = null;
  }

  private look() {
    this.timer?.cancel();
    this.timer = null;
    const ticket = this.ticket;
    if (ticket === null || !this.need.isWatched(ticket)) return;
    const nowMs = this.need.nowMs();
    const announcement = this.announcement(ticket);
    const words = JSON.stringify(announcement);
    const isNew = this.said?.words !== words;
    const isDue =
      announcement.state === "composing" && nowMs - (this.said?.atMs ?? 0) >= REPEAT_MS && this.typedSince();
    if (isNew || isDue) {
      this.said = { words, atMs: nowMs };
      this.need.say(announcement);
    }
    const nextMs = this.nextChangeMs();
    if (nextMs !== null) this.timer = this.need.after(Math.max(0, nextMs - nowMs), () => this.look());
  }

  private announcement(ticket: TicketId): Announcement {
    const state = this.state();
    const field = this.field !== null && state !== "idle" ? { field: this.field } : {};
    if (state === "composing" && this.typed)
      return { ticket_id: ticket, state, audience: this.typed.audience, ...field };
    return { ticket_id: ticket, state, ...field };
  }

  private state(): Activity {
    const nowMs = this.need.nowMs();
    if (this.isHidden || nowMs - this.inputAtMs >= IDLE_AFTER_MS) return "idle";
    return this.typed && nowMs - this.typed.atMs < PAUSE_MS ? "composing" : "viewing";
  }

  /** Whether something was typed after the last word to the hub: otherwise repeating it would be a lie. */
  private typedSince(): boolean {
    return this.typed !== null && this.said !== null && this.typed.atMs > this.said.atMs;
  }

  private nextChangeMs(): number | null {
    switch (this.state()) {
      case "idle":
        return null;
      case "viewing":
        return this.inputAtMs + IDLE_AFTER_MS;
      case "composing":
        return (this.typed?.atMs ?? 0) + PAUSE_MS;
    }
  }

  private forget() {
    this.typed = null;
    this.field = null;
    this.said = null;
  }
}
