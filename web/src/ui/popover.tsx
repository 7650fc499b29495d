// A panel under a button. The only place that knows the library it is made with.
import { Popover as BasePopover } from "@base-ui/react/popover";
import type { ReactNode } from "react";

type Props = {
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
  /** What assistive technology calls the button. */
  label: string;
  /** Keys that open it, as `aria-keyshortcuts` writes them. */
  keys?: string | undefined;
  trigger: ReactNode;
  triggerLook: string;
  align?: "start" | "end";
  children: ReactNode;
};

/** Escape and a click elsewhere close it; the focus goes into it and comes back. */
export function Popover({ isOpen, onOpen, label, keys, trigger, triggerLook, align = "end", children }: Props) {
  return (
    <BasePopover.Root open={isOpen} onOpenChange={onOpen}>
      <BasePopover.Trigger aria-label={label} title={label} aria-keyshortcuts={keys} className={triggerLook}>
        {trigger}
      </BasePopover.Trigger>
      <BasePopover.Portal>
        <BasePopover.Positioner sideOffset={6} align={align} collisionPadding={12} className="z-30 outline-none">
          <BasePopover.Popup className="appear flex max-h-[min(38rem,var(--available-height))] w-[min(26rem,calc(100vw-1.5rem))] flex-col overflow-hidden rounded-2xl border border-line bg-raised shadow-float outline-none">
            {children}
          </BasePopover.Popup>
        </BasePopover.Positioner>
      </BasePopover.Portal>
    </BasePopover.Root>
  );
}

/** The heading that names the panel. */
export function PopoverTitle({ children }: { children: ReactNode }) {
  return <BasePopover.Title className="font-semibold">{children}</BasePopover.Title>;
}
