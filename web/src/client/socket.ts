// One connection to the hub that comes back by itself: hello, heartbeat, backoff.
// What is watched and what is still unanswered is the business of live.ts.
import { type Codec, DecodeError, PROTOCOL } from "../wire/codec";
import type { ClientFrame, ServerFrame } from "../wire/generated";
import type { Socket, Timer, World } from "./ports";

type WithoutId<F> = F extends unknown ? Omit<F, "id"> : never;
export type Request = WithoutId<ClientFrame>;

/** How the page stands to the hub. */
export type Link =
  | { at: "idle" }
  | { at: "connecting" }
  | { at: "live" }
  /** `attempt` counts from 1 since it was last live. */
  | { at: "reconnecting"; attempt: number }
  | { at: "offline" }
  /** The sign-in has ended: coming back needs a new one. */
  | { at: "signed_out" }
  /** The hub no longer speaks the protocol of this page: only a reload helps. */
  | { at: "outdated" };

/** First wait of the backoff, doubled each time up to the longest, and drawn from zero to that (full jitter). */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A hub that does not answer `hello` within this is as good as none. */
const HELLO_WITHIN_MS = 10_000;
const DEFAULT_HEARTBEAT_MS = 20_000;
/** A connection that did not last this long counts as a failed attempt: otherwise a hub that sends us away were asked without end. */
const STABLE_AFTER_MS = 10_000;

const NOT_AUTHENTICATED = 4401;
/** What this client closes with when the hub is silent or not understood (private range of RFC 6455). */
const GIVEN_UP = 4000;

export type SocketEvents = {
  onFrame(frame: ServerFrame): void;
  onLink(link: Link): void;
  /** Several attempts never got as far as `welcome`: perhaps the sign-in is the reason. */
  onDoubt(): void;
};

export class Connection {
  private link: Link = { at: "idle" };
  private socket: Socket | null = null;
  private nextId = 1;
  private attempt = 0;
  private heartbeatMs = DEFAULT_HEARTBEAT_MS;
  private lastHeardMs = 0;
  private liveSinceMs = 0;
  private retry: Timer | null = null;
  private watchdog: Timer | null = null;
  private minimumWaitMs = 0;

  constructor(
    private readonly world: World,
    private readonly codec: Codec,
    private readonly events: SocketEvents,
  ) {}

  start() {
    if (this.link.at === "idle") this.open({ at: "connecting" });
  }

  /** Ends the connection for good, or until `start`. */
  stop(link: Link = { at: "idle" }) {
    this.retry?.cancel();
    this.drop();
    this.setLink(link);
  }

  /** Something changed for the better (online again, page visible again): do not wait any longer. */
  retryNow() {
    if (this.link.at === "live") return this.probe();
    if (this.link.at === "reconnecting" || this.link.at === "offline") this.open(this.link);
  }

  /** The network has gone: say so at once instead of waiting for the heartbeat. */
  networkLost() {
    if (this.link.at === "live" || this.link.at === "reconnecting" || this.link.at === "connecting") this.lost(0);
  }

  /** Sends a request; answers its number, or null while there is no connection to send it on. */
  request(request: Request): number | null {
    return this.link.at === "live" && this.socket ? this.send(this.socket, request) : null;
  }

  /** Says what needs no answer; lost while there is no connection. */
  say(request: Request) {
    if (this.link.at === "live") this.socket?.send(this.codec.encode(request as ClientFrame));
  }

  private open(link: Link) {
    this.retry?.cancel();
    this.drop();
    this.setLink(link);
    const socket = this.world.openSocket(this.codec.subprotocol);
    this.socket = socket;
    socket.onopen = () =>
      this.send(socket, { type: "hello", protocol: PROTOCOL, client: { name: "tandem-web", version: "1" } });
    socket.onmessage = ({ data }) => this.heard(socket, data);
    socket.onclose = ({ code }) => this.closed(code);
    this.watchdog = this.world.after(HELLO_WITHIN_MS, () => this.lost(0));
  }

  private send(socket: Socket, request: Request): number {
    const id = this.nextId++;
    socket.send(this.codec.encode({ ...request, id }));
    return id;
  }

  private heard(socket: Socket, data: unknown) {
    this.lastHeardMs = this.world.nowMs();
    let frame: ServerFrame | null;
    try {
      frame = this.codec.decode(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.lost(0);
    }
    if (frame === null || socket !== this.socket) return;
    if (frame.type === "welcome") this.welcomed(frame.heartbeat_ms);
    if (frame.type === "goodbye") this.minimumWaitMs = frame.reconnect_after_ms;
    if (frame.type === "error" && this.link.at !== "live") {
      if (frame.code === "unauthenticated") return this.stop({ at: "signed_out" });
      if (frame.code === "unsupported_version") return this.stop({ at: "outdated" });
    }
    this.events.onFrame(frame);
  }

  private welcomed(heartbeatMs: number) {
    this.liveSinceMs = this.world.nowMs();
    this.heartbeatMs = heartbeatMs > 0 ? heartbeatMs : DEFAULT_HEARTBEAT_MS;
    this.setLink({ at: "live" });
    this.watch();
  }

  /** Asks for a sign of life after one quiet heartbeat, gives up after two. By the clock: timers sleep in hidden tabs. */
  private watch() {
    this.watchdog?.cancel();
    this.watchdog = this.world.after(this.heartbeatMs, () => {
      const quietMs = this.world.nowMs() - this.lastHeardMs;
      if (quietMs >= 2 * this.heartbeatMs) return this.lost(0);
      if (quietMs >= this.heartbeatMs) this.request({ type: "ping" });
      this.watch();
    });
  }

  /** After a sleep the socket may be dead without having said so. */
  private probe() {
    if (this.world.nowMs() - this.lastHeardMs >= 2 * this.heartbeatMs) this.lost(0);
    else this.request({ type: "ping" });
  }

  private closed(code: number) {
    if (code === NOT_AUTHENTICATED) return this.stop({ at: "signed_out" });
    this.lost(this.minimumWaitMs);
  }

  private lost(minimumWaitMs: number) {
    this.drop();
    this.minimumWaitMs = 0;
    if (this.link.at === "live" && this.world.nowMs() - this.liveSinceMs >= STABLE_AFTER_MS) this.attempt = 0;
    this.attempt += 1;
    this.setLink(this.world.isOnline() ? { at: "reconnecting", attempt: this.attempt } : { at: "offline" });
    if (this.attempt > 1) this.events.onDoubt();
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.attempt - 1));
    this.retry?.cancel();
    this.retry = this.world.after(minimumWaitMs + longest * this.world.random(), () => this.open(this.link));
  }

  /** Forgets the socket: what an old one still says is not heard. */
  private drop() {
    this.watchdog?.cancel();
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close(GIVEN_UP);
  }

  private setLink(link: Link) {
    this.link = link;
    this.events.onLink(link);
  }
}
