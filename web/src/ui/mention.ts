// Calling for colleagues by their names in a text: where one is being typed, who fits, and who is called in the end.
import type { PersonRef, UserId } from "../wire/generated";

/** A name that is being typed: `@` stands at `from`. */
export type Typed = { from: number; query: string };

/** Longer than any name that somebody types to its end. */
const MAX_QUERY = 40;
const MOST_CHOICES = 6;

/** What is being typed just before the caret, if it may become a mention. */
export function typedAt(text: string, caret: number): Typed | null {
  const before = text.slice(Math.max(0, caret - MAX_QUERY - 1), caret);
  const at = before.lastIndexOf("@");
  if (at < 0) return null;
  const from = caret - before.length + at;
  const query = before.slice(at + 1);
  return mayBegin(text, from) && !/[\n@]|^\s/.test(query) ? { from, query } : null;
}

/** Those whose name, or a word of it, begins like that; whose whole name does so comes first. */
export function fitting(people: readonly PersonRef[], query: string): PersonRef[] {
  const typed = query.toLowerCase();
  const whole = people.filter(({ name }) => name.toLowerCase().startsWith(typed));
  const part = people.filter(
    (person) => !whole.includes(person) && words(person.name).some((word) => word.startsWith(typed)),
  );
  return [...whole, ...part].slice(0, MOST_CHOICES);
}

/** Everybody whose name stands in the text after an `@`; of two names that begin alike, the longer one. */
export function mentionedIn(text: string, people: readonly PersonRef[]): UserId[] {
  const called = new Set<UserId>();
  for (let from = text.indexOf("@"); from >= 0; from = text.indexOf("@", from + 1)) {
    if (!mayBegin(text, from)) continue;
    const name = nameAt(
      text.slice(from + 1),
      people.map((person) => person.name),
    );
    for (const person of people) if (person.name === name) called.add(person.id);
  }
  return [...called];
}

/** The longest of the names that the text begins with, as a whole word. */
export function nameAt(text: string, names: readonly string[]): string | null {
  const fits = names.filter(
    (name) => name !== "" && text.startsWith(name) && !/^[\p{L}\p{N}_]/u.test(text.slice(name.length)),
  );
  return fits.sort((a, b) => b.length - a.length)[0] ?? null;
}

/** Not within a word: an e-mail address mentions nobody. */
function mayBegin(text: string, at: number): boolean {
  return at === 0 || /[\s([{"'*_>-]/.test(text[at - 1] ?? "");
}

function words(name: string): string[] {
  return name.toLowerCase().split(/[\s-]+/);
}
