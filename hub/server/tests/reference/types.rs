//! The types of the wire as their source tells them: names, fields, and what stands about them in their docstrings.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hub_core::wire::{self, client};
use syn::{Attribute, Expr, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type};

/// Where the types are.
const FILES: [&str; 9] = [
    "wire/client.rs",
    "wire/error.rs",
    "wire/event.rs",
    "wire/live.rs",
    "wire/server.rs",
    "wire/ticket.rs",
    "wire/topic.rs",
    "rules/permissions.rs",
    "rules/workflow.rs",
];

/// Constants that docstrings name, with what they are.
const CONSTANTS: [(&str, u64); 13] = [
    ("PROTOCOL_VERSION", wire::PROTOCOL_VERSION),
    ("MAX_BODY_BYTES", wire::MAX_BODY_BYTES as u64),
    ("MAX_TITLE_BYTES", client::MAX_TITLE_BYTES as u64),
    ("MAX_NOTE_BYTES", client::MAX_NOTE_BYTES as u64),
    ("MAX_CUSTOM_BYTES", client::MAX_CUSTOM_BYTES as u64),
    ("MAX_TOKEN_BYTES", client::MAX_TOKEN_BYTES as u64),
    ("MAX_STATUS_BYTES", client::MAX_STATUS_BYTES as u64),
    ("MAX_LIST", client::MAX_LIST as u64),
    ("MAX_HOLD_MS", client::MAX_HOLD_MS),
    ("MAX_TAGS", client::MAX_TAGS as u64),
    ("MAX_TAG_BYTES", client::MAX_TAG_BYTES as u64),
    ("MAX_FIELD_BYTES", client::MAX_FIELD_BYTES as u64),
    ("MAX_ROWS", client::MAX_ROWS as u64),
];

/// A field of a struct or variant.
#[derive(Clone)]
pub struct Field {
    pub name: String,
    pub doc: String,
    pub kind: Type,
    /// `skip_serializing_if`: it may be absent.
    pub is_skipped: bool,
}

/// A variant of an enum, under its name on the wire.
pub struct Variant {
    pub name: String,
    pub doc: String,
    pub fields: Vec<Field>,
}

/// A struct or an enum.
pub enum Shape {
    Struct { doc: String, fields: Vec<Field> },
    Enum { doc: String, variants: Vec<Variant> },
}

/// All of them, by name.
pub struct Types(BTreeMap<String, Shape>);

impl Types {
    /// Reads them.
    pub fn read(root: &Path) -> Self {
        let mut types = BTreeMap::new();
        for file in FILES {
            let path = root.join("hub/core/src").join(file);
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            for item in parsed.items {
                match item {
                    Item::Struct(item) => {
                        let shape = Shape::Struct { doc: doc(&item.attrs), fields: fields(&item.fields) };
                        types.insert(item.ident.to_string(), shape);
                    }
                    Item::Enum(item) => {
                        let variants = item.variants.iter().map(|variant| Variant {
                            name: snake_case(&variant.ident.to_string()),
                            doc: doc(&variant.attrs),
                            fields: fields(&variant.fields),
                        });
                        let shape = Shape::Enum { doc: doc(&item.attrs), variants: variants.collect() };
                        types.insert(item.ident.to_string(), shape);
                    }
                    _ => {}
                }
            }
        }
        Self(types)
    }

    /// The variants of an enum.
    pub fn variants(&self, name: &str) -> &[Variant] {
        match self.0.get(name) {
            Some(Shape::Enum { variants, .. }) => variants,
            Some(Shape::Struct { .. }) | None => panic!("there is no enum {name}"),
        }
    }

    /// The variants, where a name is a choice between shapes.
    pub fn choice(&self, name: &str) -> Option<&[Variant]> {
        match self.0.get(name) {
            Some(Shape::Enum { variants, .. }) => Some(variants),
            Some(Shape::Struct { .. }) | None => None,
        }
    }

    /// The fields of a struct.
    pub fn fields(&self, name: &str) -> &[Field] {
        match self.0.get(name) {
            Some(Shape::Struct { fields, .. }) => fields,
            Some(Shape::Enum { .. }) | None => panic!("there is no struct {name}"),
        }
    }

    /// What stands about a type.
    pub fn doc(&self, name: &str) -> &str {
        match self.0.get(name) {
            Some(Shape::Struct { doc, .. } | Shape::Enum { doc, .. }) => doc,
            None => panic!("there is no type {name}"),
        }
    }

    /// What a value of this type is on the wire, in a few words of Markdown.
    pub fn words(&self, kind: &Type) -> String {
        let Type::Path(path) = kind else { panic!("a type that is no path") };
        let last = path.path.segments.last().expect("a path has segments");
        let name = last.ident.to_string();
        let of = || match &last.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(of) => Some(self.words(of)),
                _ => None,
            }),
            PathArguments::None | PathArguments::Parenthesized(_) => None,
        };
        match name.as_str() {
            "String" | "Topic" => "text".into(),
            "u64" | "u32" => "integer".into(),
            "bool" => "boolean".into(),
            "UnixMs" => "time".into(),
            "Value" => "any".into(),
            "Map" => "map".into(),
            "CommandKey" => "UUID".into(),
            id if id.ends_with("Id") => "UUID".into(),
            "Vec" => format!("list of {}", of().expect("a list is of something")),
            "Option" | "Patch" => format!("{} or null", of().expect("an option is of something")),
            "Box" => of().expect("a box holds something"),
            _ => self.named(&name),
        }
    }

    fn named(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Shape::Enum { .. }) if name == "ErrorCode" => "[code](#errors)".into(),
            Some(Shape::Enum { .. }) if ["Event", "Signal"].contains(&name) => format!("[{name}](#{}s)", name.to_lowercase()),
            Some(Shape::Enum { variants, .. }) if variants.iter().all(|variant| variant.fields.is_empty()) => {
                variants.iter().map(|variant| format!("`{}`", variant.name)).collect::<Vec<_>>().join(" ")
            }
            Some(Shape::Enum { .. } | Shape::Struct { .. }) => format!("[{name}](#{})", name.to_lowercase()),
            None => panic!("the reference does not know the type {name}: add its file to FILES, or say what it is in words()"),
        }
    }
}

fn fields(fields: &Fields) -> Vec<Field> {
    let named = |field: &syn::Field| {
        let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let is_skipped = field.attrs.iter().any(|attribute| match &attribute.meta {
            Meta::List(list) => list.path.is_ident("serde") && list.tokens.to_string().contains("skip_serializing_if"),
            Meta::Path(_) | Meta::NameValue(_) => false,
        });
        Field { name, doc: doc(&field.attrs), kind: field.ty.clone(), is_skipped }
    };
    fields.iter().map(named).collect()
}

/// The docstring, its lines joined, with the values of constants in the place of links to them.
fn doc(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        Meta::NameValue(_) | Meta::Path(_) | Meta::List(_) => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let text = lines.split(String::is_empty).next().unwrap_or_default().join(" ");
    let text = CONSTANTS.iter().fold(text, |text, (name, value)| {
        let in_kib = if value % 1_024 == 0 { format!("{} KiB", value / 1_024) } else { format!("{value} bytes") };
        text.replace(&format!("[`{name}`] bytes"), &in_kib).replace(&format!("[`{name}`]"), &value.to_string())
    });
    assert!(!text.contains("[`MAX_"), "a value that the reference does not know (add it to CONSTANTS): {text}");
    text
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
