//! The protocol reference as a page, rendered once from the Markdown that stands in the repository.

use std::sync::LazyLock;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::html::{escape, slug};
use super::{REFERENCE, whole};

/// The page.
pub static PAGE: LazyLock<String> = LazyLock::new(|| {
    let (contents, body) = render(REFERENCE);
    whole("The protocol", &contents, &body)
});

/// A heading, for the contents.
struct Heading {
    level: HeadingLevel,
    id: String,
    words: String,
}

/// The contents and the body, as HTML.
fn render(markdown: &str) -> (String, String) {
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(fitting).collect();
    let headings = name_headings(&mut events);
    let mut body = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut body, events.into_iter());
    let body = body.replace("<table>", "<div class=table tabindex=0><table>").replace("</table>", "</table></div>");
    (contents(&headings), body.replace("<pre>", "<pre tabindex=0>"))
}

/// Comments are for those who write the page; files beside it are served elsewhere.
fn fitting(event: Event<'_>) -> Option<Event<'_>> {
    match event {
        Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => None,
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = if &*dest_url == "examples/client.py" { CowStr::from("/api/docs/client.py") } else { dest_url };
            Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
        }
        event => Some(event),
    }
}

/// Gives every heading the id that links within the page use; a name that comes again gets a number.
fn name_headings(events: &mut [Event<'_>]) -> Vec<Heading> {
    let mut headings: Vec<Heading> = Vec::new();
    for at in 0..events.len() {
        let Event::Start(Tag::Heading { level, .. }) = events[at] else { continue };
        let inner = events[at + 1..].iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let words: String = inner
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(&**text),
                _ => None,
            })
            .collect();
        let slug = slug(&words);
        let before =
            headings.iter().filter(|heading| heading.id == slug || heading.id.starts_with(&format!("{slug}~"))).count();
        let own = if before == 0 { slug } else { format!("{slug}~{before}") };
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
            *id = Some(CowStr::from(own.clone()));
        }
        headings.push(Heading { level, id: own, words });
    }
    headings
}

fn contents(headings: &[Heading]) -> String {
    let mut html = String::from("<ul>");
    for Heading { level, id, words } in headings {
        let (words, id) = (escape(words), escape(id));
        match level {
            HeadingLevel::H1 => {}
            HeadingLevel::H2 => html.push_str(&format!("<li><a href=\"#{id}\">{words}</a>")),
            _ => html.push_str(&format!("<li class=inner><a href=\"#{id}\">{words}</a>")),
        }
    }
    html.push_str("</ul>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_what_the_text_has_and_none_of_its_marks() {
        assert!(!PAGE.contains("<!--") && !PAGE.contains("table:"), "marks of the tables");
        for part in ["<h2 id=\"resuming\">", "<h3 id=\"post_reply\">", "<th>field</th>", "tandem.v1.msgpack"] {
            assert!(PAGE.contains(part), "{part}");
        }
    }

    #[test]
    fn html_in_the_text_is_left_out_and_the_rest_is_escaped() {
        let (_, body) = render("# A\n\n<script>x</script>\n\nb <i>c</i> `<d>`\n");
        assert!(!body.contains("<script") && !body.contains("<i>") && body.contains("&lt;d&gt;"), "{body}");
    }
}
