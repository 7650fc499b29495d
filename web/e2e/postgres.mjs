// A database of its own for each run, made and dropped through a superuser's address.
// Speaks just enough of Postgres for that: one connection, simple queries, SCRAM-SHA-256 or no password.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import net from "node:net";

/** The migrations give the hub's rights to this role, which the server may have from other tests. */
const APP_RIGHTS = `DO $$ BEGIN
  CREATE ROLE tandem_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`;

/**
 * @param {string} superuserUrl
 * @returns {Promise<{ url: string, ownerUrl: string, drop: () => Promise<void> }>} the hub's address and the owner's
 */
export async function createDatabase(superuserUrl) {
  const suffix = randomBytes(6).toString("hex");
  const [name, owner, app] = [`tandem_e2e_${suffix}`, `tandem_e2e_owner_${suffix}`, `tandem_e2e_app_${suffix}`];
  const password = randomBytes(12).toString("hex");
  const rights = `LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '${password}'`;
  await run(superuserUrl, [
    APP_RIGHTS,
    `CREATE ROLE ${owner} ${rights}`,
    `CREATE ROLE ${app} ${rights} IN ROLE tandem_app`,
    `CREATE DATABASE ${name} OWNER ${owner}`,
  ]);
  await run(at(superuserUrl, name), [
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC`,
    `GRANT CONNECT ON DATABASE ${name} TO ${app}`,
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    `GRANT ALL ON SCHEMA public TO ${owner}`,
    `GRANT USAGE ON SCHEMA public TO ${app}`,
  ]);
  return {
    url: at(superuserUrl, name, app, password),
    ownerUrl: at(superuserUrl, name, owner, password),
    drop: () => run(superuserUrl, [`DROP DATABASE ${name} WITH (FORCE)`, `DROP ROLE ${app}`, `DROP ROLE ${owner}`]),
  };
}

/** @param {string} url @param {string} database @param {string} [user] @param {string} [password] */
function at(url, database, user, password) {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  if (user !== undefined) changed.username = user;
  if (password !== undefined) changed.password = password;
  return changed.href;
}

/** @param {string} url @param {string[]} statements */
async function run(url, statements) {
  const where = new URL(url);
  const [user, password] = [decodeURIComponent(where.username), decodeURIComponent(where.password)];
  const socket = net.connect({ host: where.hostname, port: Number(where.port || 5432) });
  socket.on("error", () => {}); // the loop over what it says reports it
  const messages = read(socket);
  try {
    const database = where.pathname.slice(1) || user;
    socket.write(framed("", Buffer.concat([int32(196608), text(`user\0${user}\0database\0${database}\0`)])));
    await authenticate(socket, messages, password);
    for (const statement of statements) {
      socket.write(framed("Q", text(statement)));
      await readyForMore(messages, statement);
    }
    socket.end(framed("X", Buffer.alloc(0)));
  } finally {
    socket.destroy();
  }
}

/** @param {net.Socket} socket @param {Messages} messages @param {string} password */
async function authenticate(socket, messages, password) {
  const nonce = randomBytes(18).toString("base64");
  const bare = `n=,r=${nonce}`;
  let serverFirst = "";
  for (;;) {
    const { type, body } = await next(messages);
    if (type === "E") throw new Error(complaint(body));
    if (type === "Z") return;
    if (type !== "R") continue;
    const method = body.readInt32BE(0);
    if (method === 10) {
      const first = Buffer.from(`n,,${bare}`);
      socket.write(framed("p", Buffer.concat([text("SCRAM-SHA-256"), int32(first.length), first])));
    } else if (method === 11) {
      serverFirst = body.subarray(4).toString();
      socket.write(framed("p", Buffer.from(proof(bare, serverFirst, password))));
    } else if (method !== 0 && method !== 12) {
      throw new Error(`this Postgres asks for a kind of password that these tests do not know (${method})`);
    }
  }
}

/** RFC 5802, client-final-message. @param {string} bare @param {string} serverFirst @param {string} password */
function proof(bare, serverFirst, password) {
  const told = Object.fromEntries(serverFirst.split(",").map((part) => [part[0], part.slice(2)]));
  const salted = pbkdf2Sync(password, Buffer.from(told.s, "base64"), Number(told.i), 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const stored = createHash("sha256").update(clientKey).digest();
  const withoutProof = `c=biws,r=${told.r}`;
  const signature = createHmac("sha256", stored).update(`${bare},${serverFirst},${withoutProof}`).digest();
  return `${withoutProof},p=${Buffer.from(clientKey.map((byte, index) => byte ^ signature[index])).toString("base64")}`;
}

/** @param {Messages} messages @param {string} statement */
async function readyForMore(messages, statement) {
  let error = "";
  for (;;) {
    const { type, body } = await next(messages);
    if (type === "E") error = complaint(body);
    if (type !== "Z") continue;
    if (error) throw new Error(`${error}, in: ${statement}`);
    return;
  }
}

/** Not `for await`: leaving such a loop would end the generator. @param {Messages} messages */
async function next(messages) {
  const { done, value } = await messages.next();
  if (done || !value) throw new Error("Postgres closed the connection");
  return value;
}

/** @typedef {AsyncGenerator<{ type: string, body: Buffer }, void>} Messages */

/** @param {net.Socket} socket @returns {Messages} */
async function* read(socket) {
  let rest = Buffer.alloc(0);
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = 1 + rest.readInt32BE(1);
      yield { type: String.fromCharCode(rest[0]), body: rest.subarray(5, end) };
      rest = rest.subarray(end);
    }
  }
}

/** @param {Buffer} body */
function complaint(body) {
  const message = body
    .toString()
    .split("\0")
    .find((part) => part.startsWith("M"));
  return message?.slice(1) ?? "Postgres complains";
}

/** @param {string} type @param {Buffer} body */
const framed = (type, body) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
/** @param {string} value */
const text = (value) => Buffer.from(`${value}\0`);
/** @param {number} value */
function int32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
