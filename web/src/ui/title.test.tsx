// The tab's name and icon say how much waits behind it.
import { render } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";
import { shortCount, useTitle, useTitleCount } from "./title";

function Page({ title, count }: { title: string | null; count: number }) {
  useTitle(title);
  return <Counter count={count} />;
}

function Counter({ count }: { count: number }) {
  useTitleCount(count);
  return null;
}

const icon = document.createElement("link");
beforeEach(() => {
  icon.rel = "icon";
  icon.href = "/mark.svg";
  document.head.append(icon);
});

it("says how much waits before the name, and shows a dot", () => {
  const { rerender, unmount } = render(<Page title="Open" count={0} />);
  expect(document.title).toBe("Open");
  rerender(<Page title="Open" count={3} />);
  expect(document.title).toBe("(3) Open");
  expect(icon.href).toMatch(/^data:image\/svg/);
  rerender(<Page title="Mine" count={120} />);
  expect(document.title).toBe("(99+) Mine");
  unmount();
  expect(document.title).toBe("Mine");
  expect(icon.href).toMatch(/\/mark\.svg$/);
});

it("keeps its name while nobody has another", () => {
  render(<Page title="Open" count={0} />);
  render(<Page title={null} count={2} />);
  expect(document.title).toBe("(2) Open");
});

it.each([
  [1, "1"],
  [99, "99"],
  [100, "99+"],
])("%i is short for %s", (count, words) => {
  expect(shortCount(count)).toBe(words);
});
