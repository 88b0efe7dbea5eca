//! Clouds and what hosts programs.

use super::kinds::{Kind, Secret, Shape};
use super::random::{ALPHANUMERIC, BASE64, BASE64_URL, HEX, base64, padded, percent_encoded};

/// The kinds of this group.
pub(crate) const KINDS: &[Kind] = &[
    // AWS IAM User Guide, "IAM identifiers": AKIA or ASIA and 16 characters of base32.
    Kind {
        name: "aws access key id",
        variable: "AWS_ACCESS_KEY_ID",
        header: "X-Access-Key-Id: ",
        shape: Shape::Marked,
        make: |random| {
            Secret::marked(
                random.pick(&["AKIA", "ASIA"]),
                random.string("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
            )
        },
    },
    // AWS IAM User Guide, "Manage access keys": 40 characters of base64.
    Kind {
        name: "aws secret access key",
        variable: "AWS_SECRET_ACCESS_KEY",
        header: "X-Aws-Secret-Access-Key: ",
        shape: Shape::Unmarked,
        make: |random| Secret::marked("", random.string(BASE64, 40)),
    },
    // Google Cloud, "Manage API keys": AIza and 35 characters safe in URLs.
    Kind {
        name: "gcp api key",
        variable: "GOOGLE_API_KEY",
        header: "X-Goog-Api-Key: ",
        shape: Shape::Marked,
        make: |random| Secret::marked("AIza", random.string(BASE64_URL, 35)),
    },
    // Google Cloud, "Create and delete service account keys": PKCS #8 in PEM, the member
    // private_key.
    Kind {
        name: "gcp service account key",
        variable: "GOOGLE_CREDENTIALS",
        header: "",
        shape: Shape::Block,
        make: |random| super::generic::pem("PRIVATE KEY", 1216, random),
    },
    // Azure Storage, "Configure connection strings": AccountKey is 64 bytes in base64.
    Kind {
        name: "azure storage key",
        variable: "AZURE_STORAGE_CONNECTION_STRING",
        header: "X-Connection: ",
        shape: Shape::Marked,
        make: |random| {
            let account = random.string("abcdefghijklmnopqrstuvwxyz", 9);
            let before =
                format!("DefaultEndpointsProtocol=https;AccountName={account};AccountKey=");
            let key = padded(base64(&random.bytes(64), BASE64));
            Secret::marked(before, key).followed(";EndpointSuffix=core.windows.net")
        },
    },
    // Azure Storage, "Create an account SAS": sig is an HMAC-SHA256 in base64, URL-encoded.
    Kind {
        name: "azure shared access signature",
        variable: "AZURE_STORAGE_SAS_URL",
        header: "",
        shape: Shape::Url,
        make: |random| {
            let before = "https://assets.blob.core.windows.net/builds/a.zip?sv=2022-11-02&sr=b&sp=r&se=2026-01-09T08%3A00%3A00Z&sig=";
            Secret::marked(
                before,
                percent_encoded(&padded(base64(&random.bytes(32), BASE64))),
            )
        },
    },
    // Microsoft Purview, "Azure AD client secret" entity: three characters, a digit, Q~ and 34
    // characters.
    Kind {
        name: "azure client secret",
        variable: "AZURE_CLIENT_SECRET",
        header: "X-Client-Secret: ",
        shape: Shape::Marked,
        make: |random| {
            let start = random.string(ALPHANUMERIC, 3);
            let digit = random.pick(&["7", "8"]);
            let rest = random.string(ALPHANUMERIC, 30) + &random.string("abcXYZ019-_.~", 4);
            Secret::marked("", format!("{start}{digit}Q~{rest}"))
        },
    },
    // DigitalOcean API reference, "Authentication": dop_v1_ or doo_v1_ and 64 hexadecimal
    // digits.
    Kind {
        name: "digitalocean token",
        variable: "DIGITALOCEAN_ACCESS_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| Secret::marked(random.pick(&["dop_v1_", "doo_v1_"]), random.string(HEX, 64)),
    },
    // Cloudflare Fundamentals, "Token formats": cfut_ or cfat_, 40 characters and a checksum;
    // older tokens are 40 characters safe in URLs.
    Kind {
        name: "cloudflare token",
        variable: "CLOUDFLARE_API_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Unmarked,
        make: |random| {
            if random.pick(&[true, false]) {
                return Secret::marked("", random.string(BASE64_URL, 40));
            }
            let token = random.string(ALPHANUMERIC, 40) + &random.string(HEX, 8);
            Secret::marked(random.pick(&["cfut_", "cfat_"]), token)
        },
    },
    // Supabase, "Understanding API keys": sb_secret_ keys; Management API: sbp_ and 40
    // hexadecimal digits.
    Kind {
        name: "supabase key",
        variable: "SUPABASE_SERVICE_ROLE_KEY",
        header: "apikey: ",
        shape: Shape::Marked,
        make: |random| {
            if random.pick(&[true, false]) {
                return Secret::marked("sbp_", random.string(HEX, 40));
            }
            Secret::marked(
                "sb_secret_",
                random.string(BASE64_URL, 22) + "_" + &random.string(BASE64_URL, 8),
            )
        },
    },
    // Vercel REST API, "Authentication": 24 letters and digits; changelog, "New token formats
    // and secret scanning": vcp before them.
    Kind {
        name: "vercel token",
        variable: "VERCEL_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Unmarked,
        make: |random| Secret::marked(random.pick(&["", "vcp_"]), random.string(ALPHANUMERIC, 24)),
    },
    // Databricks, "Personal access token authentication": dapi and 32 hexadecimal digits, on
    // Azure with -2 or -3.
    Kind {
        name: "databricks token",
        variable: "DATABRICKS_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            Secret::marked("dapi", random.string(HEX, 32)).followed(random.pick(&["", "-2", "-3"]))
        },
    },
];
