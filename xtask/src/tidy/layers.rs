//! Which crate may import which.
//!
//! Imports point down only. What a crate may not import, it can't depend on by mistake: the table
//! is compared with what `cargo metadata` says.

use super::Finding;
use crate::repository::{Dependency, DependencyKind, Package};

/// A crate of ours, and the crates of ours that it may import.
struct Layer {
    package: &'static str,
    imports: &'static [&'static str],
    /// What its tests may import beside those.
    tests_import: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer {
        package: "syncline-model",
        imports: &[],
        tests_import: &[],
    },
    Layer {
        package: "syncline-protocol",
        imports: &["syncline-model"],
        tests_import: &[],
    },
    Layer {
        package: "syncline-store",
        imports: &["syncline-model"],
        tests_import: &["syncline-simdisk"],
    },
    Layer {
        package: "syncline-replica",
        imports: &["syncline-model", "syncline-protocol", "syncline-store"],
        tests_import: &["syncline-simdisk"],
    },
    Layer {
        package: "syncline-client",
        imports: &[
            "syncline-model",
            "syncline-protocol",
            "syncline-store",
            "syncline-replica",
        ],
        tests_import: &["syncline-server"],
    },
    Layer {
        package: "syncline-redact",
        imports: &[],
        tests_import: &[],
    },
    Layer {
        package: "syncline-capture",
        imports: &[
            "syncline-model",
            "syncline-protocol",
            "syncline-store",
            "syncline-replica",
            "syncline-redact",
        ],
        tests_import: &[],
    },
    Layer {
        package: "syncline-daemon",
        imports: &[
            "syncline-model",
            "syncline-protocol",
            "syncline-store",
            "syncline-replica",
            "syncline-client",
            "syncline-capture",
        ],
        tests_import: &["syncline-server"],
    },
    Layer {
        package: "syncline-server",
        imports: &[
            "syncline-model",
            "syncline-protocol",
            "syncline-store",
            "syncline-codegen",
            "syncline-redact",
        ],
        tests_import: &["syncline-simdisk"],
    },
    Layer {
        package: "syncline-codegen",
        imports: &["syncline-model"],
        tests_import: &[],
    },
    Layer {
        package: "syncline-entity",
        imports: &["syncline-model", "syncline-entity-derive"],
        tests_import: &["syncline-codegen"],
    },
    Layer {
        package: "syncline-entity-derive",
        imports: &[],
        tests_import: &[],
    },
    Layer {
        package: "syncline-example-rust-model",
        imports: &["syncline-entity"],
        tests_import: &["syncline-codegen"],
    },
    Layer {
        package: "syncline-cli",
        imports: BELOW_CLI,
        tests_import: &[],
    },
    Layer {
        package: "syncline-simdisk",
        imports: &[],
        tests_import: &[],
    },
    Layer {
        package: "syncline-sim",
        imports: ALL_BUT_CLI,
        tests_import: &[],
    },
    Layer {
        package: "syncline-bench",
        imports: ALL_BUT_CLI,
        tests_import: &[],
    },
    Layer {
        package: "xtask",
        imports: &[],
        tests_import: &[],
    },
];

const BELOW_CLI: &[&str] = &[
    "syncline-model",
    "syncline-protocol",
    "syncline-store",
    "syncline-replica",
    "syncline-client",
    "syncline-capture",
    "syncline-daemon",
    "syncline-server",
    "syncline-codegen",
];

const ALL_BUT_CLI: &[&str] = &[
    "syncline-model",
    "syncline-protocol",
    "syncline-store",
    "syncline-replica",
    "syncline-client",
    "syncline-capture",
    "syncline-daemon",
    "syncline-server",
    "syncline-codegen",
    "syncline-sim",
    "syncline-simdisk",
];

/// A crate of others that only some of ours may ship with.
struct Guest {
    packages: &'static [&'static str],
    homes: &'static [&'static str],
    why: &'static str,
}

const GUESTS: &[Guest] = &[
    Guest {
        packages: &["rusqlite", "libsqlite3-sys"],
        homes: &["syncline-store", "syncline-simdisk", "syncline-bench"],
        why: "SQL lives in `store`",
    },
    Guest {
        packages: &["axum", "hyper", "hyper-util", "tower"],
        homes: &["syncline-server", "syncline-bench"],
        why: "HTTP is answered in `server` alone",
    },
    Guest {
        packages: &["reqwest"],
        homes: &["syncline-client", "syncline-bench"],
        why: "HTTP is asked in `client` alone",
    },
    Guest {
        packages: &["tokio"],
        homes: &[
            "syncline-client",
            "syncline-server",
            "syncline-daemon",
            "syncline-cli",
            "syncline-sim",
            "syncline-bench",
        ],
        why: "the crates below do no waiting, and run under the simulator's clock",
    },
    Guest {
        packages: &["clap", "indicatif", "rpassword"],
        homes: &["syncline-cli", "syncline-sim", "syncline-bench", "xtask"],
        why: "only a program talks to a person",
    },
];

/// What is imported and may not be, and which crates the table does not know.
pub(crate) fn findings(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(findings_of).collect()
}

fn findings_of(package: &Package) -> Vec<Finding> {
    let finding = |message: String| Finding {
        path: format!("{}/Cargo.toml", package.directory),
        line: 1,
        rule: "layer",
        message,
    };
    let Some(layer) = LAYERS.iter().find(|layer| layer.package == package.name) else {
        return vec![finding(format!(
            "{} is not in the table of layers",
            package.name
        ))];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        if is_ours(&dependency.name) && !layer.allows(dependency) {
            findings.push(finding(format!("may not import {}", dependency.name)));
        }
        let guest = GUESTS
            .iter()
            .find(|guest| guest.packages.contains(&dependency.name.as_str()));
        if let Some(guest) = guest
            && dependency.kind == DependencyKind::Shipped
            && !guest.homes.contains(&layer.package)
        {
            findings.push(finding(format!(
                "may not import {}: {}",
                dependency.name, guest.why
            )));
        }
    }
    findings
}

impl Layer {
    fn allows(&self, dependency: &Dependency) -> bool {
        let name = dependency.name.as_str();
        let in_tests = dependency.kind == DependencyKind::Tests;
        self.imports.contains(&name) || (in_tests && self.tests_import.contains(&name))
    }
}

fn is_ours(name: &str) -> bool {
    name == "xtask" || name.starts_with("syncline-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(package: &str, dependency: &str, kind: DependencyKind) -> usize {
        let dependencies = vec![Dependency {
            name: dependency.to_owned(),
            kind,
        }];
        let package = Package {
            name: package.to_owned(),
            directory: "crates/x".to_owned(),
            rust_version: "1.95".to_owned(),
            dependencies,
            examples: Vec::new(),
        };
        findings(&[package]).len()
    }

    #[test]
    fn imports_point_down_only() {
        use DependencyKind::{Shipped, Tests};
        assert_eq!(broken("syncline-replica", "syncline-store", Shipped), 0);
        assert_eq!(broken("syncline-store", "syncline-replica", Shipped), 1);
        assert_eq!(broken("syncline-replica", "syncline-server", Tests), 1);
        assert_eq!(broken("syncline-client", "syncline-server", Shipped), 1);
        assert_eq!(broken("syncline-client", "syncline-server", Tests), 0);
        assert_eq!(broken("syncline-sim", "syncline-cli", Shipped), 1);
    }

    #[test]
    fn guests_stay_in_their_homes() {
        assert_eq!(
            broken("syncline-server", "rusqlite", DependencyKind::Shipped),
            1
        );
        assert_eq!(
            broken("syncline-server", "rusqlite", DependencyKind::Tests),
            0
        );
        assert_eq!(
            broken("syncline-protocol", "tokio", DependencyKind::Shipped),
            1
        );
    }

    #[test]
    fn a_crate_outside_the_table_is_found() {
        assert_eq!(broken("syncline-new", "serde", DependencyKind::Shipped), 1);
    }
}
