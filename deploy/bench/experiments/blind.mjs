// Ten thousand replies that overlooked something: each is refused with exactly what it missed.
const SIZE = { agents: 100, tickets: 20, refusals: 10_000 };
const SMOKE = { agents: 10, tickets: 2, refusals: 200 };

/** @type {import('../record.mjs').Experiment} */
export const blind = {
  name: 'blind',
  question: 'is every one of 10,000 blind replies refused, with exactly what it missed?',
  method: '100 agents on 20 tickets send replies based on less than the customer\'s last word, and nothing else, until 10,000 are refused. The ' +
    'oracle compares the events that each refusal brings with the log, and looks for a reply that passed: any would end the run.',
  variants: { blind: 'nothing but stale replies' },
  rounds: 1,
  figures: [
    { key: 'refused_stale', words: 'refused stale, each with exactly the events it missed', unit: '' },
    { key: 'passed', words: 'passed', unit: '' },
    { key: 'refused_per_s', words: 'refused per second', unit: '/s' },
  ],
  goals: [
    { words: 'refused stale', unit: '', atLeast: SIZE.refusals, of: (s) => s.refused_stale.blind.min },
    { words: 'passed', unit: '', atMost: 0, of: (s) => s.passed.blind.max },
  ],
  fleet: (isSmoke) => (isSmoke ? 'agents=10,customers=2,tickets=2' : 'agents=100,customers=20,tickets=20'),
  measure: (lab, _variant, isSmoke) => lab.withHub({}, async (hub) => {
    const { agents, tickets, refusals } = isSmoke ? SMOKE : SIZE;
    const { report } = await hub.drive(['collide', '--manner', 'blind', '--agents', `${agents}`, '--tickets', `${tickets}`, '--every', '100ms',
      '--cut-every', '1h', '--duration', '2m', '--refusals', `${refusals}`, '--seed', '7']);
    const { collide: own } = report.own;
    // What is overlooked are the customers' own words, one on each ticket.
    return {
      refused_stale: own.refused.stale ?? 0,
      passed: Math.max(0, (own.events.reply_posted ?? 0) - tickets),
      refused_per_s: (own.refused.stale ?? 0) / report.load.measured_s,
    };
  }),
};
