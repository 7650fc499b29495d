// What the connection needs of the world, so that its tests hold sockets and time in their hands.

/** The part of a WebSocket that is used. */
export type Socket = {
  binaryType: string;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((close: { code: number }) => void) | null;
};

export type Timer = { cancel(): void };

export type World = {
  openSocket(subprotocol: string): Socket;
  /** Milliseconds since 1970 by this device's clock, which may be wrong. */
  nowMs(): number;
  after(ms: number, act: () => void): Timer;
  /** At least 0, less than 1. */
  random(): number;
  isOnline(): boolean;
  /** Acts before the next picture is drawn, or a little later where nobody looks. */
  beforePaint(act: () => void): void;
};

/** How long changes are gathered in a tab that nobody looks at. */
const HIDDEN_PAUSE_MS = 100;

/** The browser this page runs in. */
export function browserWorld(address: string): World {
  return {
    openSocket: (subprotocol) => adapted(new WebSocket(address, subprotocol)),
    nowMs: () => Date.now(),
    after: (ms, act) => {
      const timer = setTimeout(act, ms);
      return { cancel: () => clearTimeout(timer) };
    },
    random: () => Math.random(),
    isOnline: () => navigator.onLine,
    beforePaint: (act) => {
      if (document.visibilityState === "visible") requestAnimationFrame(act);
      else setTimeout(act, HIDDEN_PAUSE_MS);
    },
  };
}

function adapted(real: WebSocket): Socket {
  const socket: Socket = {
    binaryType: "arraybuffer",
    send: (data) => real.send(data),
    close: (code, reason) => real.close(code, reason),
    onopen: null,
    onmessage: null,
    onclose: null,
  };
  real.binaryType = "arraybuffer";
  real.onopen = () => socket.onopen?.();
  real.onmessage = (message: MessageEvent<unknown>) => socket.onmessage?.({ data: message.data });
  real.onclose = (close) => socket.onclose?.({ code: close.code });
  return socket;
}

/** A new key for one intent: a random UUID, also on pages without TLS, where crypto.randomUUID is missing. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte, at) => {
    const versioned = at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte;
    return versioned.toString(16).padStart(2, "0");
  }).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
