// What people write, as Markdown. HTML in it is shown as text, images become links, and everything is sanitised once more.
import clsx from "clsx";
import DOMPurify from "dompurify";
import { Marked, type MarkedExtension, type TokenizerAndRendererExtension } from "marked";
import { useMemo } from "react";
import { nameAt } from "./mention";

const FORM: MarkedExtension = {
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => escaped(text),
    // An image from elsewhere would tell its sender who reads, and when.
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
  },
};

const marked = new Marked(FORM);

const purify = DOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

const ALLOWED = {
  ALLOWED_TAGS:
    "a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i li mark ol p pre s strong table tbody td th thead tr ul".split(
      " ",
    ),
  ALLOWED_ATTR: ["href", "title", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel):/i,
  RETURN_TRUSTED_TYPE: true as const,
};

type Props = {
  text: string;
  /** Names that stand out where they stand after an `@`, one per line. */
  mentions?: string;
  className?: string;
};

export function Markdown({ text, mentions = "", className }: Props) {
  const html = useMemo(() => {
    const parser = mentions === "" ? marked : new Marked(FORM, { extensions: [mention(mentions.split("\n"))] });
    return purify.sanitize(parser.parse(text, { async: false }), ALLOWED);
  }, [text, mentions]);
  // biome-ignore lint/security/noDangerouslySetInnerHtml: sanitised above, and the page's policy takes nothing else
  return <div className={clsx("prose", className)} dir="auto" dangerouslySetInnerHTML={{ __html: html }} />;
}

/** Marks the names where they stand in the text, not in code and not in addresses of links. */
function mention(names: readonly string[]): TokenizerAndRendererExtension {
  return {
    name: "mention",
    level: "inline",
    start: (src) => src.indexOf("@"),
    tokenizer: (src) => {
      const name = src.startsWith("@") ? nameAt(src.slice(1), names) : null;
      return name === null ? undefined : { type: "mention", raw: `@${name}` };
    },
    renderer: ({ raw }) => `<mark>${escaped(raw)}</mark>`,
  };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
