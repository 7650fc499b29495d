// What people write, as Markdown. HTML in it is shown as text, images become links, and everything is sanitised once more.
import clsx from "clsx";
import DOMPurify from "dompurify";
import { Marked } from "marked";
import { useMemo } from "react";

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => escaped(text),
    // An image from elsewhere would tell its sender who reads, and when.
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
  },
});

const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

const ALLOWED = {
  ALLOWED_TAGS:
    "a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i li ol p pre s strong table tbody td th thead tr ul".split(
      " ",
    ),
  ALLOWED_ATTR: ["href", "title", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel):/i,
  RETURN_TRUSTED_TYPE: true as const,
};

export function Markdown({ text, className }: { text: string; className?: string }) {
  const html = useMemo(() => purify.sanitize(marked.parse(text, { async: false }), ALLOWED), [text]);
  // biome-ignore lint/security/noDangerouslySetInnerHtml: sanitised above, and the page's policy takes nothing else
  return <div className={clsx("prose", className)} dir="auto" dangerouslySetInnerHTML={{ __html: html }} />;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
