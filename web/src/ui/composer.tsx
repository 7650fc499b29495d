// Where a reply or note is written. What happens to the text is left to whoever places it.
import clsx from "clsx";
import { Lock, Send } from "lucide-react";
import { type KeyboardEvent, type RefObject, useId, useRef } from "react";
import type { Audience, PersonRef } from "../wire/generated";
import { Button } from "./basics";
import { useMentioning } from "./mention-list";

type Props = {
  audience: Audience;
  /** With one only there is nothing to choose. */
  audiences: readonly Audience[];
  text: string;
  /** Such as "Draft saved on this device". */
  state: string;
  placeholder: string;
  /** Colleagues who can be called by `@`; nobody means that `@` is a letter like any other. */
  people?: readonly PersonRef[];
  /** What sending it will do besides, such as whom it calls. */
  remark?: string;
  /** On the button in place of "Send", where sending asks once more. */
  sendWords?: string;
  ref?: RefObject<HTMLTextAreaElement | null>;
  onAudience: (audience: Audience) => void;
  onText: (text: string) => void;
  onSend: () => void;
  /** Ctrl+Z where nothing is written: takes back what was sent; false when there is nothing to take back. */
  onUndo?: () => boolean;
};

const NAMES: Record<Audience, { tab: string; label: string; send: string }> = {
  public: { tab: "Reply", label: "Reply to the customer", send: "Send" },
  internal: { tab: "Internal note", label: "Internal note for colleagues", send: "Add note" },
};

/** The longest body that a frame may carry, in bytes of UTF-8 (protocol: 32 KiB). */
const MAX_BODY_BYTES = 32 * 1024;

const NOBODY: readonly PersonRef[] = [];

export function Composer(props: Props) {
  const {
    audience,
    audiences,
    text,
    state,
    placeholder,
    people = NOBODY,
    remark,
    sendWords,
    ref,
    onAudience,
    onText,
    onSend,
    onUndo,
  } = props;
  const id = useId();
  const own = useRef<HTMLTextAreaElement | null>(null);
  const area = ref ?? own;
  const mentioning = useMentioning(area, text, people, onText);
  const isNote = audience === "internal";
  const isTooLong = new TextEncoder().encode(text).length > MAX_BODY_BYTES;
  const canSend = text.trim() !== "" && !isTooLong;
  const onKeyDown = (pressed: KeyboardEvent) => {
    if (mentioning.onKeyDown(pressed)) return;
    const isUndo = pressed.key === "z" && (pressed.ctrlKey || pressed.metaKey) && !pressed.shiftKey && text === "";
    if (isUndo && onUndo?.()) return pressed.preventDefault();
    if (pressed.key !== "Enter" || !(pressed.ctrlKey || pressed.metaKey) || pressed.nativeEvent.isComposing) return;
    pressed.preventDefault();
    if (canSend) onSend();
  };
  return (
    <div
      className={clsx(
        "relative rounded-2xl border focus-within:border-accent",
        isNote ? "border-note-line bg-note" : "border-line-strong bg-surface",
      )}
    >
      {audiences.length > 1 && (
        <fieldset aria-label="Who reads it" className="flex gap-1 px-2 pt-2">
          {audiences.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === audience}
              onClick={() => onAudience(one)}
              className={clsx(
                "inline-flex min-h-8 items-center gap-1.5 rounded-lg px-3 font-medium text-sm",
                one === audience && !isNote && "bg-accent-soft text-accent",
                one === audience && isNote && "bg-note-line/50 text-note-ink",
                one !== audience && "text-ink-soft hover:text-ink",
              )}
            >
              {one === "internal" && <Lock aria-hidden="true" size={13} />}
              {NAMES[one].tab}
            </button>
          ))}
        </fieldset>
      )}
      <label htmlFor={id} className="sr-only">
        {audiences.length > 1 ? NAMES[audience].label : "Your message"}
      </label>
      <textarea
        id={id}
        ref={area}
        dir="auto"
        rows={3}
        value={text}
        placeholder={placeholder}
        onChange={(change) => {
          onText(change.target.value);
          mentioning.onCaret();
        }}
        onKeyDown={onKeyDown}
        onSelect={mentioning.onCaret}
        onBlur={mentioning.onCaret}
        {...mentioning.aria}
        aria-describedby={`${id}-hint`}
        className="field-sizing-content block max-h-[40vh] min-h-20 w-full resize-none bg-transparent px-4 py-3 outline-none placeholder:text-ink-soft"
      />
      {mentioning.list}
      {remark && <p className="px-4 pb-1.5 text-ink-soft text-xs">{remark}</p>}
      <div className="flex items-center gap-3 px-2 pb-2">
        <p
          id={`${id}-hint`}
          className={clsx("min-w-0 grow truncate ps-2 text-xs", isTooLong ? "text-danger" : "text-ink-soft")}
        >
          {isTooLong ? "This is too long for one message. Send it in parts." : state || "Markdown · Ctrl+Enter sends"}
        </p>
        <Button tone={isNote ? "note" : "primary"} disabled={!canSend} onClick={onSend}>
          <Send aria-hidden="true" size={15} /> {(!isNote && sendWords) || NAMES[audience].send}
        </Button>
      </div>
    </div>
  );
}
