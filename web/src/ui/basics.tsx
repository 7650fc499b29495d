// The small parts that every screen is made of: buttons, fields, chips, avatars, and what stands where nothing is yet.
import clsx from "clsx";
import { CircleAlert } from "lucide-react";
import { type ComponentProps, type ReactNode, useId } from "react";
import type { Priority, Status, StatusKind } from "../wire/generated";

type Tone = "primary" | "plain" | "quiet" | "note" | "danger";

const TONES: Record<Tone, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  plain: "border border-line bg-surface text-ink hover:bg-sunken",
  quiet: "text-ink-soft hover:bg-sunken hover:text-ink",
  note: "bg-note-ink text-note hover:opacity-90",
  danger: "border border-danger-line bg-surface text-danger hover:bg-danger-soft",
};

/** How a button looks, also for links that act like one. */
export function buttonLook(tone: Tone = "plain", size: "small" | "normal" = "normal"): string {
  return clsx(
    "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-lg font-medium transition-colors",
    "disabled:cursor-not-allowed disabled:opacity-55",
    size === "small" ? "min-h-8 px-2.5 text-sm" : "min-h-10 px-4",
    TONES[tone],
  );
}

type ButtonProps = ComponentProps<"button"> & { tone?: Tone; size?: "small" | "normal" };

export function Button({ tone = "plain", size = "normal", className, type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={clsx(buttonLook(tone, size), className)} {...rest} />;
}

type FieldProps = {
  label: string;
  hint?: string;
  problem?: string | undefined;
  children: (ids: FieldIds) => ReactNode;
};
type FieldIds = { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined };

/** A label, what it labels, and what is wrong with it. */
export function Field({ label, hint, problem, children }: FieldProps) {
  const id = useId();
  const about = problem ?? hint;
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      {children({ id, "aria-describedby": about && `${id}-about`, "aria-invalid": problem ? true : undefined })}
      {about && (
        <p id={`${id}-about`} className={clsx("text-sm", problem ? "text-danger" : "text-ink-soft")}>
          {about}
        </p>
      )}
    </div>
  );
}

export const inputLook = clsx(
  "w-full rounded-lg border border-line-strong bg-surface px-3 py-2 text-ink placeholder:text-ink-soft",
  "aria-invalid:border-danger",
);

const KINDS: Record<StatusKind, string> = {
  new: "bg-blue-soft text-blue",
  active: "bg-accent-soft text-accent",
  pending: "bg-amber-soft text-amber",
  scheduled: "bg-violet-soft text-violet",
  resolved: "bg-green-soft text-green",
  closed: "bg-sunken text-ink-soft",
};

export function StatusChip({ status, fallback }: { status: Status | undefined; fallback: string }) {
  return (
    <span
      className={clsx(
        "inline-flex items-center gap-1.5 whitespace-nowrap rounded-full px-2 py-0.5 font-medium text-xs ring-1 ring-current/15 ring-inset",
        KINDS[status?.kind ?? "closed"],
      )}
    >
      <span aria-hidden="true" className="size-1.5 rounded-full bg-current" />
      {status?.label ?? fallback}
    </span>
  );
}

export const PRIORITIES: Record<Priority, { label: string; look: string }> = {
  p1: { label: "P1 Urgent", look: "text-danger" },
  p2: { label: "P2 High", look: "text-amber" },
  p3: { label: "P3 Normal", look: "text-ink-soft" },
  p4: { label: "P4 Low", look: "text-ink-soft" },
};

/** Before the title of what has news. */
export function Unread() {
  return (
    <span className="inline-flex shrink-0 self-center">
      <span className="sr-only">Unread: </span>
      <span aria-hidden="true" className="size-2 rounded-full bg-accent" />
    </span>
  );
}

/** Always beside the person's name, so it says nothing by itself. */
export function Avatar({ name, tone = "person" }: { name: string; tone?: "person" | "staff" | "nobody" }) {
  const look = {
    person: "bg-sunken text-ink-soft",
    staff: "bg-accent-soft text-accent ring-1 ring-accent/25 ring-inset",
    nobody: "border border-dashed border-line-strong text-ink-soft",
  };
  return (
    <span
      aria-hidden="true"
      data-initials={tone === "nobody" ? "" : initials(name)}
      className={clsx(
        "inline-flex size-7 shrink-0 select-none items-center justify-center rounded-full font-semibold text-[11px]",
        "before:content-[attr(data-initials)]",
        look[tone],
      )}
    />
  );
}

export function Skeleton({ lines }: { lines: number }) {
  return (
    <div role="status" aria-label="Loading" className="late flex flex-col gap-3 p-4">
      {Array.from({ length: lines }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: nothing but the count distinguishes them
        <div key={at} className="breathe flex flex-col gap-2 rounded-xl bg-surface p-4">
          <div className="h-3.5 w-2/3 rounded bg-sunken" />
          <div className="h-3 w-1/3 rounded bg-sunken" />
        </div>
      ))}
    </div>
  );
}

type NothingProps = { title: string; children?: ReactNode; icon?: ReactNode };

/** Stands where there is nothing: why, and what to do about it. */
export function Nothing({ title, children, icon }: NothingProps) {
  return (
    <div className="appear mx-auto flex max-w-sm flex-col items-center gap-2 px-6 py-14 text-center">
      {icon && (
        <div className="mb-1 flex size-12 items-center justify-center rounded-full bg-sunken text-ink-soft">{icon}</div>
      )}
      <h2 className="font-semibold">{title}</h2>
      <div className="flex flex-col items-center gap-4 text-ink-soft text-sm">{children}</div>
    </div>
  );
}

export function LoadFailed({ what, why, onRetry }: { what: string; why: string; onRetry: () => void }) {
  return (
    <div role="alert" className="mx-auto flex max-w-sm flex-col items-center gap-2 px-6 py-14 text-center">
      <div className="mb-1 flex size-12 items-center justify-center rounded-full bg-danger-soft text-danger">
        <CircleAlert aria-hidden="true" size={22} />
      </div>
      <h2 className="font-semibold">{what} could not be loaded</h2>
      <p className="mb-2 text-ink-soft text-sm">{why}</p>
      <Button onClick={onRetry}>Try again</Button>
    </div>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = words[0] ?? "";
  const last = words.length > 1 ? words.at(-1) : undefined;
  return ((first[0] ?? "?") + (last?.[0] ?? first[1] ?? "")).toUpperCase();
}
