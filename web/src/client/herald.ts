// Tells of news as it comes: gathered, not too often, and only what is still news by then. How it sounds is left to others.
import type { StreamId } from "../wire/generated";
import type { Timer } from "./ports";
import { ME, type State } from "./state";
import { isUnread, type Notification, notifications } from "./told";

/** Long enough for another window or device, where the ticket is being read, to have said so. */
const GATHER_MS = 1500;
/** Between two tellings: whoever is told by voice must be able to listen. */
const APART_MS = 5000;

export type HeraldNeeds = {
  getState(): State;
  nowMs(): number;
  after(ms: number, act: () => void): Timer;
  /** Oldest first, never empty. */
  tell(news: readonly Notification[]): void;
};

export class Herald {
  private position: { stream: StreamId; seq: number } | null = null;
  private timer: Timer | null = null;
  private toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly need: HeraldNeeds) {}

  /** Something changed. What was there at the beginning is no news, and neither is what a restored hub remembers. */
  look() {
    const topic = this.need.getState().topics[ME];
    if (!topic || topic.stream === null || topic.link.at !== "live") return;
    if (this.position?.stream !== topic.stream) this.position = { stream: topic.stream, seq: topic.seq };
    if (topic.seq <= this.position.seq || this.timer) return;
    const waitMs = Math.max(GATHER_MS, this.toldAtMs + APART_MS - this.need.nowMs());
    this.timer = this.need.after(waitMs, () => this.tell());
  }

  stop() {
    this.timer?.cancel();
    this.timer = null;
  }

  private tell() {
    this.timer = null;
    const state = this.need.getState();
    const topic = state.topics[ME];
    const after = this.position;
    if (!topic || !after || topic.stream !== after.stream) return;
    const news = notifications(topic.events).filter((one) => one.seq > after.seq && isUnread(state, one));
    this.position = { stream: after.stream, seq: topic.seq };
    if (news.length === 0) return;
    this.toldAtMs = this.need.nowMs();
    this.need.tell(news);
  }
}
