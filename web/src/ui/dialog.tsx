// A dialog over the page. The only place that knows the library it is made with.
import { Dialog as BaseDialog } from "@base-ui/react/dialog";
import type { ReactNode } from "react";

type Props = { isOpen: boolean; onOpen: (isOpen: boolean) => void; title: string; children: ReactNode };

/** Escape and a click elsewhere close it; the focus goes into it and comes back. */
export function Dialog({ isOpen, onOpen, title, children }: Props) {
  return (
    <BaseDialog.Root open={isOpen} onOpenChange={(next) => onOpen(next)}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className="fixed inset-0 z-40 bg-black/40" />
        <BaseDialog.Popup className="appear fixed top-1/2 left-1/2 z-50 flex max-h-[90dvh] w-[min(32rem,calc(100vw-1.5rem))] -translate-x-1/2 -translate-y-1/2 flex-col overflow-y-auto rounded-2xl border border-line bg-raised p-5 shadow-float outline-none">
          <BaseDialog.Title className="mb-4 font-semibold text-lg tracking-tight">{title}</BaseDialog.Title>
          {children}
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}
