// A tiny Postgres client over a Unix socket, for the few statements the launcher needs:
// the embedded Postgres brings no psql. It knows trust authentication and simple queries only.
import net from 'node:net';
import path from 'node:path';

const PROTOCOL_3 = 196608;

/** A complaint of the server; `code` is its SQLSTATE. */
export class PgError extends Error {
  /** @param {Map<string, string>} fields */
  constructor(fields) {
    super(fields.get('M') ?? 'unknown error');
    this.code = fields.get('C') ?? '';
  }
}

/**
 * Runs statements one after the other on one connection; each answers its rows as text.
 * @param {{ socketFolder: string, port: number, database?: string, user?: string }} where
 * @param {string[]} statements
 * @returns {Promise<(string | null)[][][]>} per statement its rows
 */
export async function query({ socketFolder, port, database = 'postgres', user = 'postgres' }, statements) {
  const socket = net.connect(path.join(socketFolder, `.s.PGSQL.${port}`));
  socket.on('error', () => {}); // read() reports it; a second one after the end is of no interest
  const messages = read(socket);
  try {
    socket.write(startup({ user, database }));
    await rowsUntilReady(messages);
    const results = [];
    for (const statement of statements) {
      socket.write(message('Q', Buffer.from(`${statement}\0`)));
      results.push(await rowsUntilReady(messages));
    }
    socket.end(message('X', Buffer.alloc(0)));
    return results;
  } finally {
    socket.destroy();
  }
}

/**
 * Is there a Postgres behind this TCP port? Any well-formed answer to a startup packet counts.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export async function answersOnTcp(port) {
  const socket = net.connect({ host: '127.0.0.1', port });
  socket.setTimeout(2000, () => socket.destroy(new Error('no answer')));
  socket.on('error', () => {});
  try {
    socket.write(startup({ user: 'postgres', database: 'postgres' }));
    const first = await read(socket).next();
    return !first.done && (first.value.type === 'R' || first.value.type === 'E');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Reads answers up to ReadyForQuery and fails on the first complaint.
 * @param {AsyncGenerator<{ type: string, body: Buffer }>} messages
 */
async function rowsUntilReady(messages) {
  const rows = [];
  let complaint = null;
  for (;;) {
    const next = await messages.next();
    if (next.done) throw complaint ?? new Error('the server closed the connection');
    const { type, body } = next.value;
    if (type === 'D') rows.push(fieldsOfRow(body));
    if (type === 'E') complaint ??= new PgError(fieldsOfError(body));
    if (type === 'R' && body.readInt32BE(0) !== 0) throw new Error('the server asks for a password on its private socket');
    if (type === 'Z') {
      if (complaint) throw complaint;
      return rows;
    }
  }
}

/**
 * Cuts the byte stream into messages: one letter, a length that counts itself, the body.
 * @param {net.Socket} socket
 * @returns {AsyncGenerator<{ type: string, body: Buffer }>}
 */
async function* read(socket) {
  let pending = Buffer.alloc(0);
  for await (const chunk of socket) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5 && pending.length > pending.readInt32BE(1)) {
      const end = 1 + pending.readInt32BE(1);
      yield { type: String.fromCharCode(pending[0]), body: pending.subarray(5, end) };
      pending = pending.subarray(end);
    }
  }
}

/** @param {Record<string, string>} parameters */
function startup(parameters) {
  const text = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`).join('') + '\0';
  const body = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(PROTOCOL_3, 4);
  return Buffer.concat([head, body]);
}

/**
 * @param {string} type
 * @param {Buffer} body
 */
function message(type, body) {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

/** @param {Buffer} body */
function fieldsOfRow(body) {
  const fields = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left -= 1) {
    const length = body.readInt32BE(at);
    at += 4;
    fields.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(length, 0);
  }
  return fields;
}

/** @param {Buffer} body */
function fieldsOfError(body) {
  const parts = body.toString('utf8').split('\0').filter(Boolean);
  return new Map(parts.map((part) => [part[0], part.slice(1)]));
}
