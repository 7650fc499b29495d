// A wire between the page and the hub into which a test can put frames of its own, as if the hub had sent them.
import http from "node:http";
import net from "node:net";
import { encode } from "@msgpack/msgpack";

/** Longest payload that fits the two bytes of a length. */
const LONG = 126;

/**
 * Stands in front of a hub at another port.
 * @param {string} address the hub's
 * @returns {Promise<{ address: string, inject: (frame: object) => void, close: () => void }>}
 */
export async function standBefore(address) {
  const hub = new URL(address);
  /** @type {Set<Line>} */
  const lines = new Set();
  const server = http.createServer((request, answer) => {
    const onward = http.request(
      {
        host: hub.hostname,
        port: hub.port,
        method: request.method,
        path: request.url,
        headers: asTo(hub, request.headers),
      },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      },
    );
    onward.on("error", () => answer.destroy());
    request.pipe(onward);
  });
  server.on("upgrade", (request, page, head) => {
    const onward = net.connect(Number(hub.port), hub.hostname, () => {
      const headers = Object.entries(asTo(hub, request.headers)).map(([name, value]) => `${name}: ${value}`);
      onward.write(`GET ${request.url} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
      if (head.length > 0) onward.write(head);
      page.pipe(onward);
    });
    const line = new Line(page);
    lines.add(line);
    onward.on("data", (bytes) => line.take(bytes));
    const end = () => {
      lines.delete(line);
      page.destroy();
      onward.destroy();
    };
    for (const one of [page, onward]) one.on("close", end).on("error", end);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const own = server.address();
  if (own === null || typeof own === "string") throw new Error("no port");
  return {
    address: `http://127.0.0.1:${own.port}`,
    inject: (frame) => {
      for (const line of lines) line.put(framed(encode(frame)));
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What the hub sends, passed on whole frame by whole frame, so that others fit in between. */
class Line {
  isOpen = false;
  rest = Buffer.alloc(0);

  /** @param {import("node:stream").Duplex} page */
  constructor(page) {
    this.page = page;
  }

  /** @param {Buffer} bytes */
  take(bytes) {
    this.rest = Buffer.concat([this.rest, bytes]);
    if (!this.isOpen) {
      const end = this.rest.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.pass(end + 4);
      this.isOpen = true;
    }
    for (
      let length = frameLength(this.rest);
      length > 0 && length <= this.rest.length;
      length = frameLength(this.rest)
    ) {
      this.pass(length);
    }
  }

  /** @param {Buffer} frame */
  put(frame) {
    if (this.isOpen) this.page.write(frame);
  }

  /** @param {number} length */
  pass(length) {
    this.page.write(this.rest.subarray(0, length));
    this.rest = this.rest.subarray(length);
  }
}

/** The whole frame's bytes, or 0 while its head is not there. Servers do not mask. @param {Buffer} bytes */
function frameLength(bytes) {
  if (bytes.length < 2) return 0;
  const short = (bytes[1] ?? 0) & 0x7f;
  if (short < LONG) return 2 + short;
  if (short === LONG) return bytes.length < 4 ? 0 : 4 + bytes.readUInt16BE(2);
  return bytes.length < 10 ? 0 : 10 + Number(bytes.readBigUInt64BE(2));
}

/** One unmasked binary frame (RFC 6455, 5.2). @param {Uint8Array} payload */
function framed(payload) {
  const head = payload.length < LONG ? Buffer.from([0x82, payload.length]) : Buffer.from([0x82, LONG, 0, 0]);
  if (payload.length >= LONG) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** The hub takes cookies only from its own origin. @param {URL} hub @param {import("node:http").IncomingHttpHeaders} headers */
function asTo(hub, headers) {
  return { ...headers, host: hub.host, ...(headers.origin && { origin: hub.origin }) };
}
