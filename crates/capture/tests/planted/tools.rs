//! Tools of making and of watching programs.

use super::kinds::{Kind, Secret, Shape};
use super::random::{ALPHANUMERIC, BASE64_URL, HEX, Random};

/// The kinds of this group.
pub(crate) const KINDS: &[Kind] = &[
    // Datadog, "API and application keys": 32 hexadecimal digits.
    Kind {
        name: "datadog key",
        variable: "DD_API_KEY",
        header: "DD-API-KEY: ",
        shape: Shape::Unmarked,
        make: |random| Secret::marked("", random.string(HEX, 32)),
    },
    // New Relic, "API keys": user keys NRAK- and 27 characters, license keys 40 characters
    // that end with NRAL.
    Kind {
        name: "new relic key",
        variable: "NEW_RELIC_API_KEY",
        header: "Api-Key: ",
        shape: Shape::Marked,
        make: |random| {
            if random.pick(&[true, false]) {
                let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
                return Secret::marked("NRAK-", random.string(upper, 27));
            }
            Secret::marked("", random.string(HEX, 32)).followed("FFFFNRAL")
        },
    },
    // Notion developers, "Authorization": ntn_ and 46 letters and digits, older secret_ and
    // 43.
    Kind {
        name: "notion token",
        variable: "NOTION_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let (mark, length) = random.pick(&[("ntn_", 46), ("secret_", 43)]);
            Secret::marked(mark, random.string(ALPHANUMERIC, length))
        },
    },
    // Figma developers, "Personal access tokens": figd_ and 40 characters safe in URLs.
    Kind {
        name: "figma token",
        variable: "FIGMA_TOKEN",
        header: "X-Figma-Token: ",
        shape: Shape::Marked,
        make: |random| Secret::marked("figd_", random.string(BASE64_URL, 40)),
    },
    // HashiCorp Vault, "Tokens", token prefixes: hvs. or hvb. and 24 characters or more.
    Kind {
        name: "vault token",
        variable: "VAULT_TOKEN",
        header: "X-Vault-Token: ",
        shape: Shape::Marked,
        make: |random| {
            let (mark, length) = random.pick(&[("hvs.", 24), ("hvs.CAES", 91), ("hvb.AAAA", 138)]);
            Secret::marked(
                mark,
                random.string(
                    if length == 24 {
                        ALPHANUMERIC
                    } else {
                        BASE64_URL
                    },
                    length,
                ),
            )
        },
    },
    // HCP Terraform API, "Authentication": 14 letters and digits, .atlasv1. and 67 letters and
    // digits.
    Kind {
        name: "terraform cloud token",
        variable: "TF_TOKEN_app_terraform_io",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let before = random.string(ALPHANUMERIC, 14) + &[".atlas", "v1."].concat();
            Secret::marked(before, random.string(ALPHANUMERIC, 67))
        },
    },
    // ClickHouse Cloud, "Managing API keys": the secret is 42 letters and digits, of which the first four are
    // always the same.
    Kind {
        name: "clickhouse key",
        variable: "CLICKHOUSE_CLOUD_API_SECRET",
        header: "X-ClickHouse-Key: ",
        shape: Shape::Marked,
        make: |random| Secret::marked("4b1d", random.string(ALPHANUMERIC, 38)),
    },
    // MaxMind, "License keys": 40 characters, letters and digits with two marks in them, ending in mmk.
    Kind {
        name: "maxmind key",
        variable: "MAXMIND_LICENSE_KEY",
        header: "X-License-Key: ",
        shape: Shape::Marked,
        make: |random| {
            let body = random.string(ALPHANUMERIC, 6) + "_" + &random.string(ALPHANUMERIC, 29);
            Secret::marked("", body).followed("_mmk")
        },
    },
    // 42 intranet, "API v2: getting started": s-s4t2ud- or s-s4t2af- and 64 hexadecimal digits.
    Kind {
        name: "42 client secret",
        variable: "FT_CLIENT_SECRET",
        header: "X-Client-Secret: ",
        shape: Shape::Marked,
        make: |random| {
            let mark = random.pick(&["s-s4t2ud-", "s-s4t2af-"]);
            Secret::marked(mark, random.string(HEX, 64))
        },
    },
    // HubSpot developers, "Private apps": pat-, the region of the data, and a UUID.
    Kind {
        name: "hubspot token",
        variable: "HUBSPOT_ACCESS_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let mark = random.pick(&["pat-na1-", "pat-eu1-"]);
            Secret::marked(mark, uuid(random))
        },
    },
    // Asana developers, "Personal access token": the numbers of the user and of the token, and 32
    // hexadecimal digits.
    Kind {
        name: "asana token",
        variable: "ASANA_ACCESS_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let before = format!("2/{}/{}:", random.digits(16), random.digits(16));
            Secret::marked(before, random.string(HEX, 32))
        },
    },
    // Axiom, "API tokens": xaat- and a UUID; Rootly, "API keys": rootly_ and 64 hexadecimal digits.
    Kind {
        name: "axiom or rootly token",
        variable: "API_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            if random.pick(&[true, false]) {
                return Secret::marked("xaat-", uuid(random));
            }
            Secret::marked("rootly_", random.string(HEX, 64))
        },
    },
    // Together AI, "API keys": tgp_v1_ and 43 characters safe in URLs; Browserbase: bb_live_ and 27; Warp:
    // wk- and 64 hexadecimal digits.
    Kind {
        name: "together, browserbase or warp key",
        variable: "AGENT_API_KEY",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let (mark, alphabet, length) = random.pick(&[
                ("tgp_v1_", BASE64_URL, 43),
                ("bb_live_", BASE64_URL, 27),
                ("wk-", HEX, 64),
            ]);
            Secret::marked(mark, random.string(alphabet, length))
        },
    },
];

fn uuid(random: &mut Random) -> String {
    let lengths = [8, 4, 4, 4, 12];
    lengths.map(|length| random.string(HEX, length)).join("-")
}
