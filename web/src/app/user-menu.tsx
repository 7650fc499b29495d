// Who I am here, how the page looks, and the way out.
import { LogOut } from "lucide-react";
import { mayWork } from "../client/rest";
import { Avatar } from "../ui/basics";
import { Menu, MenuChoices, MenuItem, MenuSeparator } from "../ui/menu";
import { type Theme, useTheme } from "../ui/theme";
import { useSession } from "./session";
import { HOLD_CHOICES_S, useHoldSeconds } from "./writing/hold";

const THEMES: readonly { value: Theme; label: string }[] = [
  { value: "system", label: "As the device" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

type Props = { withName?: boolean; shortcuts?: { areOn: boolean; setOn: (on: boolean) => void } };

export function UserMenu({ withName = false, shortcuts }: Props) {
  const { user, workspace, signOut } = useSession();
  const [theme, setTheme] = useTheme();
  const [hold, setHold] = useHoldSeconds();
  return (
    <Menu
      label={`Account of ${user.name}`}
      align="end"
      triggerLook="flex min-h-10 items-center gap-2 rounded-lg px-1.5 text-start hover:bg-sunken"
      trigger={
        <>
          <Avatar name={user.name} tone="staff" />
          {withName && <span className="truncate text-sm max-lg:hidden">{user.name}</span>}
        </>
      }
    >
      <div className="px-2.5 pt-1.5 pb-2">
        <p className="font-semibold">{user.name}</p>
        <p className="text-ink-soft text-xs">{user.email}</p>
        <p className="text-ink-soft text-xs">
          {workspace.name} · {user.role.replace("_", " ")}
        </p>
      </div>
      <MenuSeparator />
      <MenuChoices heading="Colours" value={theme} choices={THEMES} onChoose={setTheme} />
      {mayWork(user.role) && (
        <>
          <MenuSeparator />
          <MenuChoices
            heading="Time to undo a reply"
            value={String(hold)}
            choices={HOLD_CHOICES_S.map((seconds) => ({
              value: String(seconds),
              label: seconds === 0 ? "None: send at once" : `${seconds} seconds`,
            }))}
            onChoose={(value) => setHold(Number(value))}
          />
        </>
      )}
      {shortcuts && (
        <>
          <MenuSeparator />
          <MenuChoices
            heading="Single keys (j k r n b z . Shift+A Shift+U)"
            value={shortcuts.areOn ? "on" : "off"}
            choices={[
              { value: "on", label: "On" },
              { value: "off", label: "Off" },
            ]}
            onChoose={(value) => shortcuts.setOn(value === "on")}
          />
        </>
      )}
      <MenuSeparator />
      <MenuItem onClick={signOut}>
        <LogOut aria-hidden="true" size={15} /> Sign out
      </MenuItem>
    </Menu>
  );
}
