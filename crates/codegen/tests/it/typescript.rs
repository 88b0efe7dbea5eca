//! What is written compiles under the strictest TypeScript, beside the runtime and the peers that it is for.
//!
//! The compiler and the peers are those of `packages/client`, at the versions of its lock file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use syncline_codegen::client::{Local, Options, Part, generate};
use syncline_codegen::resolve;

use crate::documents::packages::{CODE_FORGE, DIRECTORY, document};
use crate::fixtures;
use crate::sample::notes;

/// A folder of clients that are compiled together.
pub(crate) struct Project {
    path: PathBuf,
}

impl Project {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("typescript")
            .join(name);
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        let project = Self { path };
        project.configure();
        project
    }

    /// As an application has it, and stricter; the runtime is compiled with the clients.
    fn configure(&self) {
        let runtime = package().join("src");
        let runtime = runtime.to_str().unwrap();
        let options = json!({
            "compilerOptions": {
                "target": "ES2022",
                "module": "ESNext",
                "moduleResolution": "Bundler",
                "lib": ["ES2023", "DOM", "DOM.Iterable"],
                "types": [],
                "strict": true,
                "exactOptionalPropertyTypes": true,
                "noUncheckedIndexedAccess": true,
                "noImplicitOverride": true,
                "noUnusedLocals": true,
                "noUnusedParameters": true,
                "verbatimModuleSyntax": true,
                "isolatedModules": true,
                "skipLibCheck": true,
                "noEmit": true,
                "paths": {
                    "@syncline/client": [format!("{runtime}/index.ts")],
                    "@syncline/client/*": [format!("{runtime}/*.ts")],
                },
            },
            "include": ["**/*.ts"],
        });
        fs::write(self.path.join("tsconfig.json"), options.to_string()).unwrap();
        let modules = package().join("node_modules");
        assert!(
            modules.join("typescript").exists(),
            "the compiler is missing: run `npm ci` in packages/client"
        );
        let link = self.path.join("node_modules");
        #[cfg(unix)]
        std::os::unix::fs::symlink(modules, link).unwrap();
        #[cfg(windows)]
        std::os::windows::fs::symlink_dir(modules, link).unwrap();
    }

    /// Adds the client of a document, which must have at least one entity.
    pub(crate) fn add(&self, name: &str, text: &str, options: &Options) {
        let files = generate(&resolve(text).schema, options).unwrap();
        assert!(!files.is_empty());
        for file in files {
            let path = self.path.join(name).join(&file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.text).unwrap();
        }
    }

    /// Runs a script with the clients' Zod schemas as modules of JavaScript beside it.
    pub(crate) fn run(&self, script: &str) {
        fs::write(self.path.join("package.json"), r#"{ "type": "module" }"#).unwrap();
        let whole = format!("{TRANSPILE}\n{script}");
        fs::write(self.path.join("script.mjs"), whole).unwrap();
        let mut node = Command::new("node");
        node.current_dir(&self.path).arg("script.mjs");
        let output = node.output().expect("Node.js runs the script");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
    }

    pub(crate) fn assert_compiles(&self) {
        let mut compiler = Command::new("node");
        compiler
            .current_dir(&self.path)
            .args(["node_modules/typescript/bin/tsc", "-p", "."]);
        let output = compiler.output().expect("Node.js runs the compiler");
        let told = String::from_utf8_lossy(&output.stdout);
        let first: Vec<&str> = told.lines().take(20).collect();
        assert!(output.status.success(), "{first:#?}");
    }
}

/// What a page would do at its first import, to every schema.
const TRANSPILE: &str = r#"
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { deepStrictEqual } from "node:assert";
import ts from "typescript";
const options = { target: "ES2022", module: "ESNext" };
const transpile = (from, to) =>
  writeFileSync(to, ts.transpileModule(readFileSync(from, "utf8"), { compilerOptions: options }).outputText);
const schemas = {};
for (const client of readdirSync(".", { withFileTypes: true }).filter((one) => one.isDirectory())) {
  const folder = `./${client.name}/schemas`;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
    transpile(`${folder}/${file}`, `${folder}/${file.replace(/ts$/, "js")}`);
  }
  schemas[client.name] = await import(`${folder}/index.js`);
}
"#;

pub(crate) fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packages/client")
}

pub(crate) fn whole(local: Local) -> Options {
    Options { local, only: None }
}

/// The document that has something of everything.
fn sample() -> String {
    fs::read_to_string(package().join("test/openapi.yaml")).unwrap()
}

fn assert_fixtures_compile(name: &str, local: Local) {
    let project = Project::new(name);
    project.add("sample", &sample(), &whole(local));
    for fixture in fixtures::all() {
        let name = fixture.path.file_stem().unwrap().to_str().unwrap();
        project.add(name, &fixture.text, &whole(local));
    }
    project.assert_compiles();
    project.run("");
}

fn assert_large_documents_compile(name: &str, local: Local) {
    let project = Project::new(name);
    for (package, file) in [
        (&CODE_FORGE, "api.github.com.json"),
        (&DIRECTORY, "stripe.com.json"),
        (&DIRECTORY, "netbox.dev.json"),
    ] {
        project.add(file, &document(package, file), &whole(local));
    }
    project.assert_compiles();
    project.run("");
}

#[test]
fn clients_of_the_fixtures_compile_with_a_database() {
    assert_fixtures_compile("fixtures-pglite", Local::Pglite);
}

#[test]
fn clients_of_the_fixtures_compile_in_memory() {
    assert_fixtures_compile("fixtures-memory", Local::Memory);
}

#[test]
fn clients_of_large_documents_compile_with_a_database() {
    assert_large_documents_compile("documents-pglite", Local::Pglite);
}

#[test]
fn clients_of_large_documents_compile_in_memory() {
    assert_large_documents_compile("documents-memory", Local::Memory);
}

#[test]
fn each_part_alone_compiles() {
    let project = Project::new("parts");
    for (name, local) in [("pglite", Local::Pglite), ("memory", Local::Memory)] {
        for part in Part::ALL {
            let only = Some(vec![part]);
            let name = format!("{name}-{}", part.as_str());
            project.add(&name, &sample(), &Options { local, only });
        }
    }
    project.assert_compiles();
}

/// Names that are words of the language, of a database, or no words at all.
#[test]
fn awkward_names_compile() {
    let entities = [
        "class",
        "select",
        "order",
        "roles",
        "collections",
        "storages",
        "non_single_results",
        "readonly_sets",
        "weak_maps",
        "2fa-keys",
        "naïve_things",
        "Ünïcode",
        "a b",
    ];
    let fields = "{ id: { type: string }, default: { type: string }, 'a-b': { type: integer }, \"o'clock\": { type: string }, \
                  'smile 😀': { type: boolean }, '`${x}`': { type: string }, '\\\\': { type: string }, __proto__x: { type: object }, __proto__: { type: string }, constructor: { type: string }, \
                  'quote\"d': { type: string, enum: ['it''s', '\"', '\\n', '*/'], description: 'ends */ here' } }";
    let mut text = "openapi: 3.1.0\npaths:\n".to_owned();
    for entity in entities {
        for (path, verbs) in [
            (format!("/{entity}"), ["get", "post"]),
            (format!("/{entity}/{{id}}"), ["patch", "delete"]),
        ] {
            text.push_str(&format!("  {}:\n", json!(path)));
            for verb in verbs {
                let record = format!("{{ type: object, properties: {fields} }}");
                let schema = if verb == "get" {
                    format!("{{ type: array, items: {record} }}")
                } else {
                    record
                };
                let content = format!("content: {{ application/json: {{ schema: {schema} }} }}");
                text.push_str(&format!("    {verb}: {{ responses: {{ '200': {{ {content} }} }}, requestBody: {{ {content} }} }}\n"));
            }
        }
    }
    let schema = resolve(&text).schema;
    assert_eq!(schema.entities.len(), entities.len());
    let project = Project::new("names");
    project.add("pglite", &text, &whole(Local::Pglite));
    project.add("memory", &text, &whole(Local::Memory));
    project.assert_compiles();
}

/// Keys of another type than the entity's are no keys.
#[test]
fn the_wrong_key_does_not_compile() {
    let project = Project::new("keys");
    for (name, local) in [("pglite", Local::Pglite), ("memory", Local::Memory)] {
        project.add(name, &sample(), &whole(local));
        fs::write(
            project.path.join(name).join("page.ts"),
            "import { useContact, useCreateContact, useDeleteContact, useUpdateContact } from \"./index.js\";\n\
             const [create, update, remove] = [useCreateContact(), useUpdateContact(), useDeleteContact()];\n\
             export const key: Promise<string> = create.mutateAsync({ first_name: \"Ann\" });\n\
             update.mutate({ key: \"a\", changes: { first_name: \"Anna\" } });\n\
             remove.mutate(\"a\");\n\
             export const name: string | undefined = useContact(\"a\").data?.first_name;\n\
             // @ts-expect-error\nupdate.mutate({ key: 1, changes: {} });\n\
             // @ts-expect-error\nremove.mutate(1);\n\
             // @ts-expect-error\nuseContact(1);\n\
             // @ts-expect-error\nupdate.mutate({ key: \"a\", changes: { nothing: 1 } });\n",
        )
        .unwrap();
    }
    project.assert_compiles();
}

/// Records whose lists and objects say what is in them, and that can be made.
pub(crate) fn invoices() -> String {
    let note = "content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } }";
    let make =
        format!("post: {{ requestBody: {{ {note} }}, responses: {{ '201': {{ {note} }} }} }}");
    notes(&[&make], INVOICES)
}

const INVOICES: &[&str] = &[
    "tags: { type: array, items: { type: string, enum: [paid, late] } }",
    "marks: { type: array, items: { type: [integer, 'null'] }, default: [one] }",
    "counts: { type: object, additionalProperties: { type: integer }, default: { a: 1 } }",
    "prices: { type: array, items: { type: string, format: decimal } }",
    "more: {}",
    "others: { type: object }",
    "nothing: { type: object, additionalProperties: false }",
    "tree: { $ref: '#/components/schemas/Note/properties/to' }",
    "to: { type: [object, 'null'], required: [street, unnamed], additionalProperties: false, properties: { street: { type: string }, \
     zip: { type: [string, 'null'] }, \"o'clock\": {}, geo: { type: object, properties: { lat: { type: number } }, additionalProperties: { type: boolean } } } }",
    "lines: { type: array, items: { type: object, required: [kind], properties: { kind: { enum: [one, two] }, within: { $ref: '#/components/schemas/Note/properties/lines' } } } }",
];

/// What a document says of lists and objects is what the compiler says of them, in reading and in writing.
#[test]
fn lists_and_objects_have_the_types_of_what_is_in_them() {
    let project = Project::new("within");
    for (name, local) in [("pglite", Local::Pglite), ("memory", Local::Memory)] {
        project.add(name, &invoices(), &whole(local));
        fs::write(
            project.path.join(name).join("page.ts"),
            "import { type Note, type NoteCreate, type NoteUpdate } from \"./index.js\";\n\
             type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;\n\
             const same = <A, B>(_: Same<A, B>): void => undefined;\n\
             same<Note[\"tags\"], (\"paid\" | \"late\")[] | null>(true);\n\
             same<Note[\"marks\"], (number | null)[] | null>(true);\n\
             same<Note[\"counts\"], { [name: string]: number } | null>(true);\n\
             same<Note[\"prices\"], (number | string)[] | null>(true);\n\
             same<Note[\"nothing\"], Record<string, never> | null>(true);\n\
             type To = NonNullable<Note[\"to\"]>;\n\
             same<To[\"street\"], string>(true);\n\
             same<To[\"zip\"], string | null | undefined>(true);\n\
             same<NonNullable<To[\"geo\"]>[\"lat\"], number | undefined>(true);\n\
             type Line = NonNullable<Note[\"lines\"]>[number];\n\
             same<Line[\"kind\"], \"one\" | \"two\">(true);\n\
             same<NoteCreate[\"to\"], Note[\"to\"] | undefined>(true);\n\
             same<NoteUpdate[\"lines\"], Line[] | undefined>(true);\n\
             interface Own { street: string; unnamed: number; geo: { other: boolean } }\n\
             export const made = (to: Own): NoteCreate => ({ to, tags: [\"late\"], lines: [{ kind: \"one\", within: [1] }], more: { a: [null] } });\n\
             export const emptied: NoteUpdate = { to: null };\n\
             // @ts-expect-error\nexport const typo: NoteCreate = { to: { street: \"a\", unnamed: 1, stret: \"b\" } };\n\
             // @ts-expect-error\nexport const none: NoteUpdate = { tags: null };\n\
             // @ts-expect-error\nexport const wrong: NoteUpdate = { tags: [\"new\"] };\n\
             // @ts-expect-error\nexport const lacking: NoteUpdate = { to: { street: \"a\" } };\n",
        )
        .unwrap();
    }
    project.assert_compiles();
}
