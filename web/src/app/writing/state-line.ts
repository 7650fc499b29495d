// Where the text that is being written is kept, in a few words.
import type { DraftView } from "../../client/drafts";
import type { UserId } from "../../wire/generated";

const TIME = new Intl.DateTimeFormat("en", { timeStyle: "short" });

/** "Saving…", "Saved 2:02 PM", "Saved on this device only", and who began it. Empty where there is nothing to keep. */
export function draftState({ body, place, storedAt, authors }: DraftView, myId: UserId): string {
  if (body.trim() === "") return "";
  const [first] = authors;
  const begun = first && first.id !== myId ? ` · started by ${first.name}` : "";
  switch (place) {
    case "nowhere":
      return "";
    case "unsaved":
    case "saving":
      return `Saving…${begun}`;
    case "device":
    case "refused":
      return `Saved on this device only${begun}`;
    case "hub":
      return `Saved ${storedAt === null ? "" : TIME.format(new Date(storedAt))}${begun}`;
  }
}
