//! The Zod schemas of a client, as a page loads and asks them.

use serde_json::{Value, json};
use syncline_codegen::Code;
use syncline_codegen::client::Local;

use crate::sample::{notes, resolve};
use crate::typescript::{Project, whole};

/// A pattern of a document, a text that it takes, and one that it does not.
const READ: [(&str, &str, &str); 24] = [
    (r"^\d{3}\-\d{4}$", "123-4567", "1234567"),
    (r"^[\w-.]+@[a-z\-]+$", "a.b@c-d", "a b@c"),
    (r"\A[A-Z]{2}\d+\Z", "AB1", "xAB1"),
    (r"^(?P<year>\d{4})-(?P=year)$", "2026-2026", "2026-2027"),
    ("(?i)^abc$", "ABC", "abd"),
    (r"^\#[0-9a-f]{6}$", "#00ff00", "00ff00"),
    (
        r#"^\"\'\:\_\ \%\&\~\@\!\=\<\>\,\;$"#,
        "\"':_ %&~@!=<>,;",
        "",
    ),
    (r"^a{,3}$", "a{,3}", "aa"),
    (r"^{}$", "{}", ""),
    (r"^]$", "]", ""),
    (r"^[a-z0-9\-\_]{1,3}$", "a-_", "a b"),
    (r"^(a|b)\1$", "aa", "ab"),
    (r"^(?=.*\d)(?!x)a.*$", "a1", "ab"),
    (r"(?<=a)b(?<!c)", "ab", "cb"),
    (r"^\p{Lu}\p{Script=Greek}$", "Aα", "aα"),
    (r"^\pL\x41\u0042\x{43}\u{1F600}$", "zABC😀", "zABC"),
    (r"^[^\]\[]+$", "abc", "a]"),
    (r"^[+\--\/]$", "-", "0"),
    (r"^\/\.\*\$$", "/.*$", "x"),
    (r"^a{2,3}?b+?$", "aab", "ab"),
    (r"^[\b\n]$", "\n", "b"),
    ("^[`${}]$", "`", "a"),
    ("^😀{2}$", "😀😀", "😀"),
    (r"^[a-]$", "-", "b"),
];

/// Patterns that JavaScript has no word for.
const UNREAD: [&str; 16] = [
    "(",
    "a)",
    "[a",
    "[b-a]",
    "a{3,2}",
    "*a",
    "a**",
    "a++",
    "(?>a)",
    "a(?i)b",
    r"\h",
    r"\p{Nothing}",
    "[[:alpha:]]",
    r"\2(a)",
    r"(?<a>x)(?<a>y)",
    "\\",
];

fn document(patterns: &[&str]) -> String {
    let fields: Vec<String> = patterns
        .iter()
        .enumerate()
        .map(|(at, pattern)| format!("f{at}: {{ type: string, pattern: {} }}", json!(pattern)))
        .collect();
    notes(&[], &fields.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_pattern_of_another_language_means_the_same_in_a_page() {
    let text = document(&READ.map(|(pattern, ..)| pattern));
    let told = resolve(&text).diagnostics;
    // Some of them a server can't read.
    let mut of_pages = told.iter().filter(|one| one.code != Code::UNCHECKED);
    assert_eq!(of_pages.next(), None);
    let project = Project::new("patterns");
    project.add("notes", &text, &whole(Local::Memory));
    let cases: Vec<Value> = READ
        .iter()
        .enumerate()
        .flat_map(|(at, (_, fits, does_not))| {
            let field = format!("f{at}");
            [json!([field, fits, true]), json!([field, does_not, false])]
        })
        .collect();
    project.run(&format!(
        "const {{ shape }} = schemas.notes.notesCreateSchema;\n\
         const cases = {};\n\
         const wrong = cases.filter(([field, text, fits]) => shape[field].safeParse(text).success !== fits);\n\
         deepStrictEqual(wrong, []);",
        json!(cases)
    ));
}

#[test]
fn a_pattern_that_a_page_cannot_read_is_left_out_and_told_at_its_place() {
    let text = document(&UNREAD);
    let mut told = resolve(&text).diagnostics;
    told.retain(|one| one.code != Code::UNCHECKED);
    let places: Vec<_> = told
        .iter()
        .map(|one| (one.code, one.pointer.rsplit_once('/').unwrap().1))
        .collect();
    assert_eq!(places, [(Code::RULE, "pattern"); UNREAD.len()], "{told:#?}");
    let project = Project::new("patterns-unread");
    project.add("notes", &text, &whole(Local::Memory));
    project.run(
        "deepStrictEqual(schemas.notes.notesCreateSchema.shape.f0.safeParse('x').success, true);",
    );
}

#[test]
fn a_page_holds_lists_and_objects_against_what_the_server_does() {
    let text = notes(
        &[],
        &[
            "tags: { type: array, items: { type: string, maxLength: 3 }, minItems: 1, maxItems: 2, uniqueItems: true }",
            "address: { type: object, required: [zip], additionalProperties: false, properties: { zip: { type: string }, no: { type: [integer, 'null'] } } }",
            "counts: { type: object, additionalProperties: { type: integer, format: int32 } }",
            "some: { type: object, required: [a], properties: { fee: { type: string, format: decimal } } }",
        ],
    );
    let project = Project::new("nested");
    project.add("notes", &text, &whole(Local::Memory));
    let cases = json!([
        ["tags", ["a", "b"], true],
        ["tags", "a", false],
        ["tags", [], false],
        ["tags", ["a", "b", "c"], false],
        ["tags", ["a", "a"], false],
        ["tags", ["long"], false],
        ["tags", [1], false],
        ["address", {"zip": "1", "no": null}, true],
        ["address", {"zip": "1"}, true],
        ["address", {}, false],
        ["address", [], false],
        ["address", {"zip": "1", "other": 1}, false],
        ["counts", {"a": 1}, true],
        ["counts", {"a": 1.5}, false],
        ["some", {"a": null, "fee": 1.5, "more": [{}]}, true],
        ["some", {"a": 1, "fee": "1.50"}, true],
        ["some", {"fee": "1.50"}, false],
        ["some", {"a": 1, "fee": "much"}, false],
    ]);
    project.run(&format!(
        "const {{ shape }} = schemas.notes.notesCreateSchema;\n\
         const cases = {cases};\n\
         const wrong = cases.filter(([field, value, fits]) => shape[field].safeParse(value).success !== fits);\n\
         deepStrictEqual(wrong, []);"
    ));
}

/// Every kind of a value and of a rule at once.
#[test]
fn values_are_taken_as_the_document_has_them() {
    let text = notes(
        &[],
        &[
            "mail: { type: string, format: email, maxLength: 12 }",
            "sort: { type: string, enum: [a, \"b\\\"c\", null] }",
            "one: { const: 1, type: integer }",
            "count: { type: integer, minimum: 1, exclusiveMaximum: 10 }",
            "step: { type: number, multipleOf: 0.5 }",
            "price: { type: string, format: decimal }",
            "day: { type: string, format: date }",
            "at: { type: string, format: date-time }",
            "more: { type: object }",
            "odd: { enum: [{ a: 1 }, [2]] }",
        ],
    );
    let project = Project::new("values");
    project.add("notes", &text, &whole(Local::Memory));
    project.run(
        r#"const { shape } = schemas.notes.notesUpdateSchema;
const cases = {
  mail: [["a@b.cd", true], ["a", false], ["aaaaaaaaa@b.cd", false]],
  sort: [["a", true], ["b\"c", true], ["c", false]],
  one: [[1, true], [2, false]],
  count: [[1, true], [9, true], [0, false], [10, false], [1.5, false]],
  step: [[1.5, true], [1.2, false]],
  price: [["-12.50", true], ["12,5", false]],
  day: [["2026-02-28", true], ["2026-02-30", false]],
  at: [["2026-02-28T10:00:00Z", true], ["2026-02-28T10:00:00+02:00", true], ["yesterday", false]],
  more: [[{ a: [1, null] }, true]],
  odd: [[{ a: 1 }, true], [[2], true]],
};
const wrong = Object.entries(cases).flatMap(([field, all]) =>
  all.filter(([value, fits]) => shape[field].safeParse(value).success !== fits).map(([value]) => [field, value]));
deepStrictEqual(wrong, []);"#,
    );
}

/// Every object of JavaScript has functions of these names, which are no fields of it.
#[test]
fn an_object_may_lack_a_field_that_is_called_as_what_all_objects_have() {
    let text = notes(
        &[],
        &[
            "constructor: { type: string }",
            "toString: { type: [string, 'null'] }",
            "more: { type: object, properties: { valueOf: { type: integer } } }",
        ],
    );
    let project = Project::new("inherited");
    project.add("notes", &text, &whole(Local::Memory));
    project.assert_compiles();
    project.run(
        r#"const cases = [[{}, true], [{ constructor: "a", toString: null, more: { valueOf: 1 } }, true], [{ more: {} }, true],
  [{ constructor: 1 }, false], [{ toString: 1 }, false], [{ constructor: null }, false], [{ more: { valueOf: "a" } }, false]];
for (const schema of [schemas.notes.notesCreateSchema, schemas.notes.notesUpdateSchema]) {
  const wrong = cases.filter(([value, fits]) => schema.safeParse(value).success !== fits);
  deepStrictEqual(wrong, []);
}"#,
    );
}
