// A menu under a button. The only place that knows the library it is made with.
import { Menu as BaseMenu } from "@base-ui/react/menu";
import clsx from "clsx";
import { Check } from "lucide-react";
import type { ReactNode } from "react";

export type MenuProps = {
  /** What assistive technology calls the button. */
  label: string;
  trigger: ReactNode;
  triggerLook: string;
  align?: "start" | "end";
  disabled?: boolean;
  onOpen?: (isOpen: boolean) => void;
  children: ReactNode;
};

export function Menu({ label, trigger, triggerLook, align = "start", disabled, onOpen, children }: MenuProps) {
  return (
    <BaseMenu.Root modal={false} onOpenChange={(isOpen) => onOpen?.(isOpen)}>
      <BaseMenu.Trigger aria-label={label} title={label} className={triggerLook} disabled={disabled}>
        {trigger}
      </BaseMenu.Trigger>
      <BaseMenu.Portal>
        <BaseMenu.Positioner sideOffset={6} align={align} className="z-30 outline-none">
          <BaseMenu.Popup className="appear max-h-[min(22rem,70vh)] min-w-48 overflow-y-auto rounded-xl border border-line bg-raised p-1.5 text-sm shadow-float outline-none">
            {children}
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

const itemLook = "flex min-h-9 items-center gap-2 rounded-lg px-2.5 py-1.5 outline-none data-[highlighted]:bg-sunken";

export function MenuItem({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <BaseMenu.Item className={itemLook} onClick={onClick}>
      {children}
    </BaseMenu.Item>
  );
}

export type Choice<T extends string> = { value: T; label: ReactNode };

type ChoicesProps<T extends string> = {
  value: T;
  choices: readonly Choice<T>[];
  onChoose: (value: T) => void;
  heading?: string;
};

/** One of several, the present one ticked. */
export function MenuChoices<T extends string>({ value, choices, onChoose, heading }: ChoicesProps<T>) {
  const choose = (next: unknown) => {
    const choice = choices.find((one) => one.value === next);
    if (choice && choice.value !== value) onChoose(choice.value);
  };
  return (
    <BaseMenu.Group>
      {heading && (
        <BaseMenu.GroupLabel className="px-2.5 pt-1.5 pb-1 font-medium text-ink-soft text-xs">
          {heading}
        </BaseMenu.GroupLabel>
      )}
      <BaseMenu.RadioGroup value={value} onValueChange={choose}>
        {choices.map((choice) => (
          <BaseMenu.RadioItem
            key={choice.value}
            value={choice.value}
            className={clsx(itemLook, "justify-between")}
            closeOnClick
          >
            <span className="flex min-w-0 items-center gap-2">{choice.label}</span>
            <BaseMenu.RadioItemIndicator className="text-accent">
              <Check aria-hidden="true" size={16} />
            </BaseMenu.RadioItemIndicator>
          </BaseMenu.RadioItem>
        ))}
      </BaseMenu.RadioGroup>
    </BaseMenu.Group>
  );
}

export function MenuSeparator() {
  return <BaseMenu.Separator className="mx-1 my-1.5 h-px bg-line" />;
}
