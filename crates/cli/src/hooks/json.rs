//! JSON as it is written into settings, in the layout that they have.

/// A value to be written; the keys of objects stay in their order.
#[derive(Debug, Clone)]
pub(super) enum Json {
    Object(Vec<(&'static str, Json)>),
    Array(Vec<Json>),
    Text(String),
    Number(u32),
}

/// How a text breaks and indents its lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'t> {
    pub(super) newline: &'static str,
    /// What a level is indented by.
    pub(super) unit: &'t str,
}

impl Json {
    /// The value on lines of its own, those after the first indented by `indent` and more.
    pub(super) fn on_lines(&self, layout: Layout<'_>, indent: &str) -> String {
        let below = format!("{indent}{}", layout.unit);
        let gap = format!("{}{below}", layout.newline);
        let end = format!("{}{indent}", layout.newline);
        let written = |value: &Self| value.on_lines(layout, &below);
        match self {
            Self::Object(members) => {
                let members = members.iter();
                let members =
                    members.map(|(key, value)| format!("{}: {}", quoted(key), written(value)));
                enclosed('{', '}', &members.collect::<Vec<_>>(), &gap, &end)
            }
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(written).collect();
                enclosed('[', ']', &items, &gap, &end)
            }
            Self::Text(_) | Self::Number(_) => self.on_one_line(),
        }
    }

    /// The value on one line.
    pub(super) fn on_one_line(&self) -> String {
        match self {
            Self::Object(members) => {
                let members = members.iter();
                let members =
                    members.map(|(key, value)| format!("{}: {}", quoted(key), value.on_one_line()));
                enclosed('{', '}', &members.collect::<Vec<_>>(), " ", " ")
            }
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::on_one_line).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Text(text) => quoted(text),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// A text as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn enclosed(open: char, close: char, parts: &[String], gap: &str, end: &str) -> String {
    match parts {
        [] => format!("{open}{close}"),
        parts => format!("{open}{gap}{}{end}{close}", parts.join(&format!(",{gap}"))),
    }
}
