//! Settings from the environment: `TANDEM_` and the name in capitals, and the database's addresses under their usual names.

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

const PREFIX: &str = "TANDEM_";

/// What others read: the launcher, the tests, the command line itself.
pub const NAMES_OF_OTHERS: [&str; 7] =
    ["TANDEM_CONFIG", "TANDEM_PG", "TANDEM_HUB_BIN", "TANDEM_HUB_URL", "TANDEM_TEST_PG", "TANDEM_APT_GET", "TANDEM_APT_ROOT"];

/// Usual names, and the settings they stand for.
const ALIASES: [(&str, &str); 3] =
    [("DATABASE_URL", "database_url"), ("DATABASE_OWNER_URL", "database_owner_url"), ("TANDEM_METRICS_TOKEN", "metrics_token")];

/// The settings that the environment holds. `known` has every setting with its default, whose type tells how to read.
///
/// # Errors
/// When a `TANDEM_` name is unknown, or a value cannot be read.
pub fn settings(environment: impl IntoIterator<Item = (String, String)>, known: &Table) -> Result<Table> {
    let mut found = Table::new();
    for (name, value) in environment {
        if let Some((key, value)) = alias(&name, &value)? {
            found.insert(key.to_owned(), Value::String(value));
        } else if let Some(rest) = name.strip_prefix(PREFIX)
            && !NAMES_OF_OTHERS.contains(&name.as_str())
        {
            let key = rest.to_lowercase();
            let default = known.get(&key).ok_or_else(|| unknown(&name, known))?;
            found.insert(key, read(default, &value).with_context(|| format!("{name}={value:?}"))?);
        }
    }
    Ok(found)
}

/// `DATABASE_URL`, or `DATABASE_URL_FILE` with a path to read it from.
fn alias(name: &str, value: &str) -> Result<Option<(&'static str, String)>> {
    for (usual, key) in ALIASES {
        if name == usual {
            return Ok(Some((key, value.to_owned())));
        }
        if name.strip_suffix("_FILE") == Some(usual) {
            let text = std::fs::read_to_string(value).with_context(|| format!("{name}: cannot read {value}"))?;
            return Ok(Some((key, text.trim().to_owned())));
        }
    }
    Ok(None)
}

fn read(default: &Value, text: &str) -> Result<Value> {
    Ok(match default {
        Value::Integer(_) => Value::Integer(text.trim().parse().context("must be a whole number")?),
        Value::Boolean(_) => Value::Boolean(text.trim().parse().context("must be true or false")?),
        Value::Array(_) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
        }
        Value::String(_) => Value::String(text.to_owned()),
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => bail!("cannot come from the environment"),
    })
}

fn unknown(name: &str, known: &Table) -> anyhow::Error {
    let names: Vec<String> = known.keys().map(|key| format!("{PREFIX}{}", key.to_uppercase())).collect();
    let nearest = nearest(name, names.iter().map(String::as_str));
    let hint = nearest.map(|n| format!(" Did you mean {n}?")).unwrap_or_default();
    anyhow::anyhow!("The environment sets {name}, which no setting is called.{hint}")
}

/// The known name that is the fewest slips away, unless it is quite another word.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (slips, nearest) = known.map(|known| (slips(name, known), known)).min()?;
    (slips <= name.len().max(6) / 3).then_some(nearest)
}

/// How many characters have to be put in, taken out or replaced (Levenshtein).
fn slips(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in b.chars().enumerate() {
            let replaced = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (a, b, n) in [("", "abc", 3), ("port", "prot", 2), ("port", "port", 0), ("kitten", "sitting", 3)] {
            assert_eq!(slips(a, b), n, "{a} {b}");
        }
    }

    #[test]
    fn a_secret_may_come_from_a_file() {
        let path = std::env::temp_dir().join(format!("tandem-secret-{}", std::process::id()));
        std::fs::write(&path, "postgres://app:x@db/tandem\n").expect("a temporary file");
        let known: Table = super::super::DEFAULTS.parse().expect("TOML");
        let environment = [("DATABASE_URL_FILE".to_owned(), path.display().to_string())];
        let found = settings(environment, &known).expect("readable");
        std::fs::remove_file(path).expect("ours");
        assert_eq!(found["database_url"].as_str(), Some("postgres://app:x@db/tandem"));
    }
}
