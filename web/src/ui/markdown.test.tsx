// What people write must never become more than text with a little form.
import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Markdown } from "./markdown";

function htmlOf(text: string): string {
  const { container } = render(<Markdown text={text} />);
  return container.firstElementChild?.innerHTML.trim() ?? "";
}

describe("Markdown", () => {
  it("becomes form", () => {
    expect(htmlOf("**so** and `so`")).toBe("<p><strong>so</strong> and <code>so</code></p>");
  });

  it("lets the names that are called stand out, and nothing else after an @", () => {
    const html = (text: string) => {
      const { container } = render(<Markdown text={text} mentions={"Ana\nAna Lindqvist"} />);
      return container.firstElementChild?.innerHTML.trim();
    };
    expect(html("Hi @Ana Lindqvist and @Ana!")).toBe("<p>Hi <mark>@Ana Lindqvist</mark> and <mark>@Ana</mark>!</p>");
    expect(html("@Anabel, `@Ana`, @Bo")).toBe("<p>@Anabel, <code>@Ana</code>, @Bo</p>");
    expect(html("<mark>@Bo</mark>")).toBe("<p>&lt;mark&gt;@Bo&lt;/mark&gt;</p>");
  });

  it("keeps the lines people typed", () => {
    expect(htmlOf("one\ntwo")).toBe("<p>one<br>two</p>");
  });

  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<b onclick="alert(1)">bold</b>',
    "<style>body{display:none}</style>",
    '<iframe src="https://example.com"></iframe>',
  ])("shows the HTML %s as the text it is", (text) => {
    const { container } = render(<Markdown text={text} />);
    expect(container.querySelector("script, img, style, iframe, b")).toBeNull();
    expect(container).toHaveTextContent(text.slice(0, 5));
  });

  it("opens links elsewhere, without telling where from", () => {
    render(<Markdown text="[a page](https://example.com/)" />);
    const link = screen.getByRole("link", { name: "a page" });
    expect(link).toHaveAttribute("href", "https://example.com/");
    expect(link).toHaveAttribute("target", "_blank");
    expect(link.getAttribute("rel")).toContain("noreferrer");
  });

  it.each(["javascript:alert(1)", "data:text/html,hi", "vbscript:x"])("does not link to %s", (address) => {
    expect(htmlOf(`[click](${address})`)).not.toContain("href");
  });

  it("makes an image a link, so that its sender does not learn who reads", () => {
    const { container } = render(<Markdown text="![a chart](https://example.com/pixel.png)" />);
    expect(container.querySelector("img")).toBeNull();
    expect(screen.getByRole("link", { name: "a chart" })).toHaveAttribute("href", "https://example.com/pixel.png");
  });
});
