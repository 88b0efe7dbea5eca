//! Values as types of TypeScript.

use syncline_model::schema::{
    ArrayRules, FieldKind, JsonRules, Nested, ObjectRules, Others, Rules,
};

use super::names::property;

/// A type as it stands in a module.
#[derive(Debug, Clone, Default)]
pub(super) struct Type {
    pub(super) text: String,
    /// Whether it names `Json`, which is the runtime's.
    pub(super) names_json: bool,
}

/// Where the properties of a record stand.
const INDENT: usize = 2;

/// The values of a kind that keep the rules, null aside. What lies within an object stands on lines of its own.
pub(super) fn type_of(kind: &FieldKind, rules: &Rules) -> Type {
    let mut written = Type::default();
    written.values(kind, rules, INDENT);
    written
}

impl Type {
    fn values(&mut self, kind: &FieldKind, rules: &Rules, indent: usize) {
        if !rules.one_of.is_empty() {
            let values = rules.one_of.iter().filter(|value| !value.is_null());
            let literals: Vec<String> = values.map(ToString::to_string).collect();
            return self.text.push_str(&literals.join(" | "));
        }
        let name = match kind {
            FieldKind::Text
            | FieldKind::Uuid
            | FieldKind::Decimal
            | FieldKind::Date
            | FieldKind::Time
            | FieldKind::Timestamp => "string",
            FieldKind::Boolean => "boolean",
            FieldKind::Int32 | FieldKind::Int64 | FieldKind::Float => "number",
            FieldKind::Json => return self.json(rules.json.as_deref(), indent),
        };
        self.text.push_str(name);
    }

    fn json(&mut self, rules: Option<&JsonRules>, indent: usize) {
        match rules {
            None => self.anything(),
            Some(JsonRules::Array(rules)) => self.array(rules, indent),
            Some(JsonRules::Object(rules)) => self.object(rules, indent),
        }
    }

    fn anything(&mut self) {
        self.text.push_str("Json");
        self.names_json = true;
    }

    fn array(&mut self, rules: &ArrayRules, indent: usize) {
        match rules.items.as_deref() {
            None => self.anything(),
            Some(items) if is_union(items) => {
                self.text.push('(');
                self.nested(items, indent);
                self.text.push(')');
            }
            Some(items) => self.nested(items, indent),
        }
        self.text.push_str("[]");
    }

    fn object(&mut self, rules: &ObjectRules, indent: usize) {
        if rules.properties.is_empty() && rules.required.is_empty() {
            return self.map(&rules.others, indent);
        }
        self.text.push('{');
        for (name, nested) in &rules.properties {
            let mark = if rules.required.contains(name) {
                ""
            } else {
                "?"
            };
            self.line(indent + 2, &format!("{}{mark}: ", property(name)));
            self.nested(nested, indent + 2);
            self.text.push(';');
        }
        let of_others = |name: &&String| !rules.properties.contains_key(*name);
        for name in rules.required.iter().filter(of_others) {
            self.line(indent + 2, &format!("{}: ", property(name)));
            self.anything();
            self.text.push(';');
        }
        if let Others::Each(_) = rules.others {
            // What all properties have in common: those that are named need not be like the others.
            self.line(indent + 2, "[name: string]: unknown;");
        }
        self.line(indent, "}");
    }

    /// An object of which no property is named.
    fn map(&mut self, others: &Others, indent: usize) {
        if *others == Others::None {
            return self.text.push_str("Record<string, never>");
        }
        self.text.push_str("{ [name: string]: ");
        match others {
            Others::Each(nested) => self.nested(nested, indent),
            Others::Any | Others::None => self.anything(),
        }
        self.text.push_str(" }");
    }

    fn nested(&mut self, nested: &Nested, indent: usize) {
        match nested.kind {
            // Within a value a decimal may be a number too, and stays one.
            FieldKind::Decimal => self.text.push_str("number | string"),
            _ => self.values(&nested.kind, &nested.rules, indent),
        }
        if nested.nullable && !is_anything(nested) {
            self.text.push_str(" | null");
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.text.push('\n');
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(text);
    }
}

/// Null is a value of `Json` as it is.
fn is_anything(nested: &Nested) -> bool {
    nested.kind == FieldKind::Json && nested.rules.json.is_none() && nested.rules.one_of.is_empty()
}

/// Whether a type is several, of which an array's must stand in parentheses.
fn is_union(nested: &Nested) -> bool {
    let literals = nested.rules.one_of.iter().filter(|value| !value.is_null());
    (nested.nullable && !is_anything(nested))
        || nested.kind == FieldKind::Decimal
        || literals.count() > 1
}
