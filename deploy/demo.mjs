// What a visitor of the demo needs to know, printed once the hub is ready.

/** Kept in step with what `hub seed --demo` makes. */
const PASSWORD = 'demo';
const ACCOUNTS = [
  ['acme', 'owner@acme.test', 'owner'],
  ['acme', 'admin@acme.test', 'admin'],
  ['acme', 'lead@acme.test', 'team lead'],
  ['acme', 'ana@acme.test', 'agent'],
  ['acme', 'bo@acme.test', 'agent'],
  ['acme', 'viewer@acme.test', 'viewer'],
  ['acme', 'cleo@customer.test', 'customer'],
  ['acme', 'dan@customer.test', 'customer'],
  ['globex', 'owner@globex.test', 'owner'],
  ['globex', 'gil@globex.test', 'agent'],
  ['globex', 'eve@customer.test', 'customer'],
  ['platform', 'root@platform.test', 'super admin'],
];

/**
 * @param {number} port
 * @returns {string}
 */
export function welcome(port) {
  const base = `http://127.0.0.1:${port}`;
  const rows = ACCOUNTS.map(([workspace, email, role]) => `    ${workspace.padEnd(11)}${email.padEnd(22)}${role}`);
  return `
  Tandem is ready

    Console   ${base}/
    Portal    ${base}/help
    API       ${base}/api/v1   (browse: ${base}/api/docs)

    Workspace  Email                 Role          (password for all: ${PASSWORD})
${rows.join('\n')}

  Ctrl-C stops it.
`;
}
