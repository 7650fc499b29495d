// How far I have read, on its way to the hub: the furthest mark of each ticket, at most one a second, until it is confirmed.
// What counts as read is left to others.
import type { TicketId } from "../wire/generated";
import type { Timer } from "./ports";
import type { Request } from "./socket";

/** A ticket that is being read moves its mark with every message: this is how often the hub is told. */
const APART_MS = 1000;
/** How many may be unanswered at once: "all read" may be a hundred, the hub takes four commands at a time, and others want to be sent too. */
const MOST_IN_FLIGHT = 2;
const MAX_TRIES = 8;

type Mark = {
  /** As far as I have read. */
  seq: number;
  /** As far as the hub was told since the connection began. */
  told: number;
  requestId: number | null;
  pause: Timer | null;
  tries: number;
};

export type MarksNeed = {
  /** Answers the number of the request, or null while there is no connection. */
  request(request: Request): number | null;
  after(ms: number, act: () => void): Timer;
  onMarked(ticket: TicketId, seq: number): void;
  onRefused(ticket: TicketId): void;
};

export class Marks {
  private readonly marks = new Map<TicketId, Mark>();
  private readonly asked = new Map<number, TicketId>();

  constructor(private readonly need: MarksNeed) {}

  /** Wants the hub to know that everything up to `seq` is read. */
  put(ticket: TicketId, seq: number) {
    const known = this.marks.get(ticket);
    if (!known) this.marks.set(ticket, { seq, told: 0, requestId: null, pause: null, tries: 0 });
    else if (known.seq < seq) known.seq = seq;
    else return;
    this.pump();
  }

  /** What was read of a ticket does not count any more. */
  forget(ticket: TicketId) {
    this.marks.get(ticket)?.pause?.cancel();
    this.marks.delete(ticket);
  }

  /** Sends what can be sent now. */
  pump() {
    for (const [ticket, mark] of this.marks) {
      if (this.asked.size >= MOST_IN_FLIGHT) return;
      if (mark.requestId !== null || mark.pause !== null || mark.told >= mark.seq) continue;
      const id = this.need.request({ type: "mark_read", ticket_id: ticket, seq: mark.seq });
      if (id === null) return;
      mark.requestId = id;
      mark.told = mark.seq;
      mark.pause = this.pauseThen(ticket, APART_MS);
      this.asked.set(id, ticket);
    }
  }

  /** The connection is gone, and the answers with it. */
  cut() {
    this.asked.clear();
    for (const mark of this.marks.values()) {
      if (mark.requestId === null) continue;
      mark.requestId = null;
      mark.told = 0;
    }
  }

  stop() {
    for (const { pause } of this.marks.values()) pause?.cancel();
    this.marks.clear();
    this.asked.clear();
  }

  /** True if the answer was to a mark. */
  acked(id: number): boolean {
    const answered = this.take(id);
    if (!answered) return false;
    const { ticket, mark } = answered;
    mark.tries = 0;
    this.need.onMarked(ticket, mark.told);
    this.forgetIfDone(ticket, mark);
    this.pump();
    return true;
  }

  /** True if the answer was to a mark. A passing refusal is tried again after the time that the hub asks for. */
  refused(id: number, isPassing: boolean, retryAfterMs: number | undefined): boolean {
    const answered = this.take(id);
    if (!answered) return false;
    const { ticket, mark } = answered;
    mark.pause?.cancel();
    mark.tries += 1;
    if (isPassing && mark.tries < MAX_TRIES) {
      mark.told = 0;
      mark.pause = this.pauseThen(ticket, retryAfterMs ?? APART_MS);
    } else {
      this.marks.delete(ticket);
      this.need.onRefused(ticket);
    }
    this.pump();
    return true;
  }

  private take(id: number) {
    const ticket = this.asked.get(id);
    this.asked.delete(id);
    const mark = ticket === undefined ? undefined : this.marks.get(ticket);
    if (ticket === undefined || !mark) return null;
    mark.requestId = null;
    return { ticket, mark };
  }

  private pauseThen(ticket: TicketId, ms: number): Timer {
    return this.need.after(ms, () => {
      const mark = this.marks.get(ticket);
      if (!mark) return;
      mark.pause = null;
      this.forgetIfDone(ticket, mark);
      this.pump();
    });
  }

  private forgetIfDone(ticket: TicketId, { seq, told, requestId, pause }: Mark) {
    if (requestId === null && pause === null && told >= seq) this.marks.delete(ticket);
  }
}
