// What I am writing: one text per ticket and audience, in this browser and at the hub, so that no device and no tab loses it.
// Whoever is late with another text decides; nothing is overwritten unseen. How texts are kept in the browser is left to keep.ts.
import type { Audience, Draft as HubDraft, PersonRef, TicketId, UnixMs } from "../wire/generated";
import type { Draft as KeptDraft } from "./keep";
import type { Timer } from "./ports";
import type { Request } from "./socket";

/** How soon after a keystroke the text is in this browser, and how often it goes to the hub. */
const KEEP_AFTER_MS = 250;
const SAVE_APART_MS = 900;
const TRY_AGAIN_MS = 2000;
/** How long somebody waits at most for a text to be at the hub. */
const SETTLE_STEP_MS = 50;
const SETTLE_STEPS = 60;

/** Where the text is. `refused`: the hub will not keep it. */
export type DraftPlace = "nowhere" | "unsaved" | "device" | "saving" | "hub" | "refused";

export type DraftView = {
  body: string;
  /** The last event that its author had seen when beginning to write. */
  based_on: number;
  place: DraftPlace;
  /** When the hub stored it; null when it did not. */
  storedAt: UnixMs | null;
  /** Who wrote it, where that is not only me. */
  authors: readonly PersonRef[];
  /** Another text of mine, written elsewhere at the same time: one of them has to be chosen. */
  other: HubDraft | null;
};

/** How the hub answered; null when the answer is lost with the connection. */
export type DraftAnswer =
  | { ok: true; revision: number | null }
  | { ok: false; isPassing: boolean; retryAfterMs: number | null; isStale: boolean; draft: HubDraft | null }
  | null;

export type DraftsNeed = {
  /** Sends a request and calls back once; answers false while there is no connection. */
  ask(request: Request, answered: (answer: DraftAnswer) => void): boolean;
  read(ticket: TicketId, audience: Audience): Promise<KeptDraft | null>;
  /** An empty body removes it. */
  keep(ticket: TicketId, audience: Audience, draft: KeptDraft): Promise<void>;
  /** Milliseconds since 1970 by the hub's clock. */
  nowMs(): number;
  after(ms: number, act: () => void): Timer;
  onChange(): void;
};

type Slot = {
  readonly ticket: TicketId;
  readonly audience: Audience;
  view: DraftView;
  /** The last revision seen; 0 for none. */
  revision: number;
  /** What the hub has at that revision. */
  stored: string;
  /** Whether the hub has said what it has since the connection began. */
  isKnown: boolean;
  /** Whether this browser has said what it has; before, the hub's word waits. */
  reading: "not_yet" | "reading" | "done";
  waitingWord: { draft: HubDraft | null } | null;
  /** What is on its way to the hub. */
  sent: string | null;
  /** The text of a reply that is on its way: the hub may still have it as a draft. */
  spent: string | null;
  /** A reply of mine is on its way and will take the draft at the hub with it, whatever that says by then. */
  awaitsSpend: boolean;
  kept: string;
  saveTimer: Timer | null;
  keepTimer: Timer | null;
};

const NOTHING: DraftView = { body: "", based_on: 0, place: "nowhere", storedAt: null, authors: [], other: null };

export class Drafts {
  private readonly slots = new Map<string, Slot>();

  constructor(private readonly need: DraftsNeed) {}

  /** Never null, and the same object until it changes. */
  view(ticket: TicketId, audience: Audience): DraftView {
    return this.slots.get(nameOf(ticket, audience))?.view ?? NOTHING;
  }

  /** Brings back what this browser has of a ticket. */
  open(ticket: TicketId, audiences: readonly Audience[]) {
    for (const audience of audiences) {
      const slot = this.slot(ticket, audience);
      if (slot.reading !== "not_yet") continue;
      slot.reading = "reading";
      void this.need.read(ticket, audience).then((kept) => this.bring(slot, kept));
    }
  }

  private bring(slot: Slot, kept: KeptDraft | null) {
    slot.reading = "done";
    // what was typed meanwhile is newer
    if (kept && kept.body.trim() !== "" && slot.view.body === "" && slot.spent === null) {
      slot.kept = kept.body;
      slot.stored = kept.isStored ? kept.body : "";
      this.show(slot, { body: kept.body, based_on: kept.based_on, place: "device" });
    }
    const word = slot.waitingWord;
    slot.waitingWord = null;
    if (word) this.hear(slot, word.draft, false);
  }

  /** The text as it is now. `seq` is what its author sees; it counts as the base of a text that only begins. */
  write(ticket: TicketId, audience: Audience, body: string, seq: number) {
    const slot = this.slot(ticket, audience);
    const based_on = slot.view.body === "" ? seq : slot.view.based_on;
    slot.spent = null;
    this.show(slot, { body, based_on, place: body === "" ? "nowhere" : "unsaved" });
    this.persistSoon(slot);
    this.saveSoon(slot);
  }

  /** Says that everything up to `seq` has been seen. */
  rebase(ticket: TicketId, audience: Audience, seq: number) {
    const slot = this.slot(ticket, audience);
    this.show(slot, { based_on: seq });
    this.persistSoon(slot);
  }

  /** Puts a text that was on its way back, before what has been written since. */
  bringBack(ticket: TicketId, audience: Audience, body: string, seq: number): Promise<void> {
    const newer = this.view(ticket, audience).body;
    const isOnly = newer.trim() === "" || newer.trim() === body.trim();
    this.write(ticket, audience, isOnly ? body : `${body}\n\n${newer}`, seq);
    this.rebase(ticket, audience, seq);
    return this.persist(this.slot(ticket, audience));
  }

  /** The text has gone into a reply: it must not come back, not even by a reload right now. */
  spend(ticket: TicketId, audience: Audience) {
    const slot = this.slot(ticket, audience);
    slot.saveTimer?.cancel();
    slot.saveTimer = null;
    slot.spent = slot.view.body;
    slot.awaitsSpend = true;
    this.show(slot, NOTHING);
    void this.persist(slot);
  }

  /** The reply is there, or held: whatever the hub has from now on is a draft again. */
  accepted(ticket: TicketId, audience: Audience) {
    this.slot(ticket, audience).spent = null;
  }

  /** A reply with another text goes out: the hub will forget the draft all the same. */
  expectSpend(ticket: TicketId, audience: Audience) {
    this.slot(ticket, audience).awaitsSpend = true;
  }

  /** The text is not wanted any more, here and at the hub. */
  discard(ticket: TicketId, audience: Audience) {
    this.spend(ticket, audience);
    this.forgetAtHub(this.slot(ticket, audience));
  }

  /** Ends a conflict: the other text, mine, or both. */
  choose(ticket: TicketId, audience: Audience, choice: "other" | "mine" | "both") {
    const slot = this.slot(ticket, audience);
    const other = slot.view.other;
    if (!other) return;
    slot.revision = other.revision;
    slot.stored = other.body;
    if (choice === "other") return this.adopt(slot, other);
    const body = choice === "mine" ? slot.view.body : `${other.body}\n\n${slot.view.body}`;
    this.show(slot, { body, other: null, authors: other.authors, place: "unsaved" });
    this.persistSoon(slot);
    this.saveSoon(slot, 0);
  }

  /** What the hub has of a ticket, as the answer to watching it. */
  hubHas(ticket: TicketId, audiences: readonly Audience[], drafts: readonly HubDraft[]) {
    for (const audience of audiences) {
      const slot = this.slot(ticket, audience);
      const wasKnown = slot.isKnown;
      slot.isKnown = true;
      this.hear(slot, drafts.find((draft) => draft.audience === audience) ?? null, wasKnown);
    }
  }

  /** A draft of mine was changed, on any device. */
  changed(ticket: TicketId, audience: Audience, draft: HubDraft | null) {
    const slot = this.slots.get(nameOf(ticket, audience));
    if (slot?.isKnown) this.hear(slot, draft, true);
  }

  /** Resolves when the hub has the text as it is now, or will not have it soon. */
  settled(ticket: TicketId, audience: Audience): Promise<void> {
    const slot = this.slot(ticket, audience);
    if (this.isSettled(slot)) return Promise.resolve();
    slot.saveTimer?.cancel();
    slot.saveTimer = null;
    this.save(slot);
    return new Promise((resolve) => {
      const look = (left: number) => {
        if (left === 0 || this.isSettled(slot)) resolve();
        else this.need.after(SETTLE_STEP_MS, () => look(left - 1));
      };
      look(SETTLE_STEPS);
    });
  }

  private isSettled({ view, stored, isKnown }: Slot): boolean {
    return view.body === stored || !isKnown || view.place === "refused" || view.other !== null;
  }

  /** The connection is gone, and answers with it. */
  cut() {
    for (const slot of this.slots.values()) {
      slot.sent = null;
      slot.isKnown = false;
      if (slot.view.place === "saving" || slot.view.place === "unsaved") this.show(slot, { place: "device" });
    }
  }

  /** The page goes away or out of sight: keep everything now. */
  flush() {
    for (const slot of this.slots.values()) if (slot.view.body !== slot.kept) void this.persist(slot);
  }

  stop() {
    this.flush();
    for (const slot of this.slots.values()) {
      slot.saveTimer?.cancel();
      slot.keepTimer?.cancel();
    }
  }

  private slot(ticket: TicketId, audience: Audience): Slot {
    const name = nameOf(ticket, audience);
    const known = this.slots.get(name);
    if (known) return known;
    const slot: Slot = {
      ticket,
      audience,
      view: NOTHING,
      revision: 0,
      stored: "",
      isKnown: false,
      reading: "not_yet",
      waitingWord: null,
      sent: null,
      spent: null,
      awaitsSpend: false,
      kept: "",
      saveTimer: null,
      keepTimer: null,
    };
    this.slots.set(name, slot);
    return slot;
  }

  /** @param wasKnown false when this is the first word since the connection began: what I wrote before it may be older */
  private hear(slot: Slot, draft: HubDraft | null, wasKnown: boolean) {
    const { body } = slot.view;
    if (slot.reading !== "done") {
      slot.waitingWord = { draft };
      return;
    }
    if (draft === null) return this.hearNothing(slot, body);
    const isNews = draft.revision > slot.revision;
    const mine = body.trim() === "" ? slot.sent : body;
    if (!isNews && wasKnown) return;
    if (slot.spent?.startsWith(draft.body)) {
      slot.revision = draft.revision;
      slot.stored = draft.body;
      return;
    }
    const isUntouched = body === slot.stored || body.trim() === "";
    if (draft.body === body || draft.body === slot.sent || (isUntouched && slot.sent === null)) {
      slot.revision = draft.revision;
      slot.stored = draft.body;
      if (isUntouched || draft.body === body) this.adopt(slot, draft);
      else this.saveSoon(slot);
      return;
    }
    if (!isNews) return this.saveSoon(slot);
    if (mine !== null) this.show(slot, { other: draft, place: "device" });
  }

  private hearNothing(slot: Slot, body: string) {
    const isMineAlone = body.trim() !== "" && body !== slot.stored;
    const had = slot.stored;
    const isExpected = slot.awaitsSpend;
    slot.revision = 0;
    slot.spent = null;
    slot.awaitsSpend = false;
    slot.stored = "";
    if (slot.view.other) this.show(slot, { other: null });
    if (isMineAlone || (isExpected && body !== "")) return this.saveSoon(slot);
    // it was sent or thrown away elsewhere
    if (body !== "" && body === had) {
      this.show(slot, NOTHING);
      void this.persist(slot);
    }
  }

  private adopt(slot: Slot, draft: HubDraft) {
    const { body, based_on, updated_at, authors } = draft;
    this.show(slot, {
      body,
      based_on: slot.view.body === body ? slot.view.based_on : based_on,
      place: body === "" ? "nowhere" : "hub",
      storedAt: updated_at,
      authors,
      other: null,
    });
    this.persistSoon(slot);
  }

  private persistSoon(slot: Slot) {
    slot.keepTimer ??= this.need.after(KEEP_AFTER_MS, () => void this.persist(slot));
  }

  private async persist(slot: Slot) {
    slot.keepTimer?.cancel();
    slot.keepTimer = null;
    const { body, based_on, place } = slot.view;
    slot.kept = body;
    await this.need.keep(slot.ticket, slot.audience, { body, based_on, isStored: place === "hub" });
    if (slot.view.place === "unsaved" && slot.view.body === body) this.show(slot, { place: "device" });
  }

  private saveSoon(slot: Slot, ms = SAVE_APART_MS) {
    slot.saveTimer ??= this.need.after(ms, () => {
      slot.saveTimer = null;
      this.save(slot);
    });
  }

  private save(slot: Slot) {
    const { body, based_on, other, place } = slot.view;
    if (!slot.isKnown || slot.sent !== null || other !== null || place === "refused" || body === slot.stored) return;
    if (body.trim() === "") return slot.spent === null ? this.forgetAtHub(slot) : undefined;
    const { ticket, audience, revision } = slot;
    const isOut = this.need.ask(
      { type: "save_draft", ticket_id: ticket, audience, revision, body, based_on },
      (answer) => this.answered(slot, body, answer),
    );
    if (!isOut) return;
    slot.sent = body;
    this.show(slot, { place: "saving" });
  }

  private answered(slot: Slot, body: string, answer: DraftAnswer) {
    slot.sent = null;
    if (answer === null) return;
    if (answer.ok) {
      slot.revision = Math.max(slot.revision, answer.revision ?? slot.revision + 1);
      if (slot.spent === null) slot.stored = body;
      if (slot.view.body === body) {
        this.show(slot, { place: "hub", storedAt: new Date(this.need.nowMs()).toISOString() });
        void this.persist(slot);
      } else this.saveSoon(slot);
      return;
    }
    if (answer.isStale) return this.lost(slot, answer.draft);
    if (answer.isPassing) return this.saveSoon(slot, answer.retryAfterMs ?? TRY_AGAIN_MS);
    if (slot.view.body !== "") this.show(slot, { place: "refused" });
  }

  /** Another tab or device was faster. */
  private lost(slot: Slot, draft: HubDraft | null) {
    if (draft !== null) return this.hear(slot, draft, false);
    slot.revision = 0;
    slot.stored = "";
    this.saveSoon(slot, 0);
  }

  private forgetAtHub(slot: Slot) {
    const isOut = this.need.ask({ type: "discard_draft", ticket_id: slot.ticket, audience: slot.audience }, () => {});
    if (!isOut) return;
    slot.revision = 0;
    slot.stored = "";
  }

  private show(slot: Slot, part: Partial<DraftView>) {
    slot.view = { ...slot.view, ...part };
    this.need.onChange();
  }
}

function nameOf(ticket: TicketId, audience: Audience): string {
  return `${ticket}:${audience}`;
}
