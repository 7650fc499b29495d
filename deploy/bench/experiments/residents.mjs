// What a ticket costs in memory that was woken and is watched by nobody.
const TICKETS = { full: 100_000, smoke: 200 };
/** Longer than waking all of them takes on a slow machine: none rests before memory was looked at. */
const REST = { TANDEM_TICKET_RESTS_AFTER_MS: '900000' };

/** @type {import('../record.mjs').Experiment} */
export const residents = {
  name: 'residents',
  question: 'how much memory does a ticket take that is awake and watched by nobody?',
  method: '100,000 tickets of a freshly seeded fleet are woken one after the other and left; the hub\'s resident memory before the ' +
    'first, and when all are awake. No ticket rests before that (TANDEM_TICKET_RESTS_AFTER_MS).',
  variants: { awake: 'every ticket of the fleet was woken and left' },
  rounds: 1,
  figures: [
    { key: 'bytes_per_ticket', words: 'resident memory per ticket', unit: 'B' },
    { key: 'before_mib', words: 'resident memory before', unit: 'MiB' },
    { key: 'after_mib', words: 'resident memory with all awake', unit: 'MiB' },
    { key: 'woken', words: 'tickets woken', unit: '' },
    { key: 'awake_at_end', words: 'tickets still awake at the end, as the hub tells', unit: '' },
    { key: 'woken_per_s', words: 'woken per second', unit: '/s' },
  ],
  goals: [
    { words: 'resident memory per ticket', unit: 'B', atMost: 3 * 1024, of: (s) => s.bytes_per_ticket.awake.median },
    { words: 'share of the tickets still awake when memory was looked at', unit: '', atLeast: 0.99,
      of: (s) => s.awake_at_end.awake.min / s.woken.awake.max },
  ],
  fleet: (isSmoke) => `agents=100,customers=100,tickets=${isSmoke ? TICKETS.smoke : TICKETS.full}`,
  measure: (lab, _variant, isSmoke) => lab.withHub(REST, async (hub) => {
    const before = hub.usage().rssBytes;
    const { report } = await hub.drive(['resident', '--tickets', `${isSmoke ? TICKETS.smoke : TICKETS.full}`]);
    const awake = (await hub.metrics()).find((each) => each.name === 'tandem_tickets_awake');
    const after = hub.usage().rssBytes;
    const { woken, per_s: perSecond } = report.own.resident;
    return {
      bytes_per_ticket: (after - before) / woken,
      before_mib: before / 2 ** 20,
      after_mib: after / 2 ** 20,
      woken,
      awake_at_end: awake?.value ?? Number.NaN,
      woken_per_s: perSecond,
    };
  }),
};
