//! Services of payment, mail, talk and language models.

use super::kinds::{Kind, Secret, Shape};
use super::random::{ALPHANUMERIC, BASE64_URL, HEX, base64};

/// The kinds of this group.
pub(crate) const KINDS: &[Kind] = &[
    // Slack, "Tokens": xoxb- and xoxp- with numbers of workspace and user and a random end.
    Kind {
        name: "slack token",
        variable: "SLACK_BOT_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let numbers = format!("{}-{}-", random.digits(12), random.digits(13));
            if random.pick(&[true, false]) {
                return Secret::marked(format!("xoxb-{numbers}"), random.string(ALPHANUMERIC, 24));
            }
            let before = format!("xoxp-{numbers}{}-", random.digits(13));
            Secret::marked(before, random.string(HEX, 32))
        },
    },
    // Slack, "Sending messages using incoming webhooks": /services/T…/B…/ and 24 letters and
    // digits.
    Kind {
        name: "slack webhook",
        variable: "SLACK_WEBHOOK_URL",
        header: "",
        shape: Shape::Url,
        make: |random| {
            let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
            let (team, hook) = (random.string(upper, 8), random.string(upper, 10));
            let host = ["https://hooks.", "slack.com/services"].concat();
            Secret::marked(
                format!("{host}/T{team}/B{hook}/"),
                random.string(ALPHANUMERIC, 24),
            )
        },
    },
    // Stripe, "API keys": sk_live_ and rk_live_ and 24 or 99 letters and digits.
    Kind {
        name: "stripe key",
        variable: "STRIPE_SECRET_KEY",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let mark = random.pick(&["sk_live_", "rk_live_"]);
            let length = random.pick(&[24, 99]);
            Secret::marked(mark, random.string(ALPHANUMERIC, length))
        },
    },
    // Twilio, "Auth tokens and how to change them": 32 hexadecimal digits.
    Kind {
        name: "twilio auth token",
        variable: "TWILIO_AUTH_TOKEN",
        header: "X-Twilio-Auth-Token: ",
        shape: Shape::Unmarked,
        make: |random| Secret::marked("", random.string(HEX, 32)),
    },
    // SendGrid, "API keys": SG., 22 characters, a dot and 43 characters.
    Kind {
        name: "sendgrid key",
        variable: "SENDGRID_API_KEY",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            Secret::marked(
                "SG.",
                random.string(BASE64_URL, 22) + "." + &random.string(BASE64_URL, 43),
            )
        },
    },
    // Mailgun, "Authentication": key- and 32 hexadecimal digits, newer 32, 8 and 8 with dashes
    // between.
    Kind {
        name: "mailgun key",
        variable: "MAILGUN_API_KEY",
        header: "X-Mailgun-Api-Key: ",
        shape: Shape::Unmarked,
        make: |random| {
            if random.pick(&[true, false]) {
                return Secret::marked("key-", random.string(HEX, 32));
            }
            let end = random.string(HEX, 8) + "-" + &random.string(HEX, 8);
            Secret::marked("", random.string(HEX, 32) + "-" + &end)
        },
    },
    // OpenAI API reference, "Authentication": sk- or sk-proj-, with the text OpenAI in base64
    // amidst.
    Kind {
        name: "openai key",
        variable: "OPENAI_API_KEY",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let middle = ["T3Blb", "kFJ"].concat();
            let (mark, half) = random.pick(&[("sk-", 20), ("sk-proj-", 74), ("sk-svcacct-", 74)]);
            let alphabet = if half == 20 { ALPHANUMERIC } else { BASE64_URL };
            Secret::marked(
                mark,
                random.string(alphabet, half) + &middle + &random.string(alphabet, half),
            )
        },
    },
    // Anthropic, "API overview" and the Console: sk-ant-api03-, 93 characters safe in URLs,
    // AA.
    Kind {
        name: "anthropic key",
        variable: "ANTHROPIC_API_KEY",
        header: "x-api-key: ",
        shape: Shape::Marked,
        make: |random| {
            Secret::marked("sk-ant-api03-", random.string(BASE64_URL, 93)).followed("AA")
        },
    },
    // Telegram Bot API, "Authorizing your bot": the bot's number, a colon and 35 characters.
    Kind {
        name: "telegram bot token",
        variable: "TELEGRAM_BOT_TOKEN",
        header: "X-Telegram-Token: ",
        shape: Shape::Marked,
        make: |random| {
            Secret::marked(
                format!("{}:AA", random.digits(10)),
                random.string(BASE64_URL, 33),
            )
        },
    },
    // Discord developers, "API reference", authentication: the id in base64, six characters
    // and 38 characters with dots between.
    Kind {
        name: "discord bot token",
        variable: "DISCORD_BOT_TOKEN",
        header: "Authorization: Bot ",
        shape: Shape::Marked,
        make: |random| {
            let id = base64(random.digits(18).as_bytes(), BASE64_URL);
            let end = format!(
                "G{}.{}",
                random.string(BASE64_URL, 5),
                random.string(BASE64_URL, 38)
            );
            Secret::marked(format!("{id}."), end)
        },
    },
    // Shopify changelog, "Length of the Shopify access token is increasing" and "App secret
    // key length": shpat_, shpca_, shppa_, shpss_ and 32 hexadecimal digits.
    Kind {
        name: "shopify token",
        variable: "SHOPIFY_ACCESS_TOKEN",
        header: "X-Shopify-Access-Token: ",
        shape: Shape::Marked,
        make: |random| {
            let mark = random.pick(&["shpat_", "shpca_", "shppa_", "shpss_"]);
            Secret::marked(mark, random.string(HEX, 32))
        },
    },
    // Square developers, "Access tokens": EAAA and 60 characters; OAuth secrets: sq0csp- and
    // 43 characters.
    Kind {
        name: "square token",
        variable: "SQUARE_ACCESS_TOKEN",
        header: "Authorization: Bearer ",
        shape: Shape::Marked,
        make: |random| {
            let (mark, length) = random.pick(&[("EAAA", 60), ("sq0csp-", 43)]);
            Secret::marked(mark, random.string(BASE64_URL, length))
        },
    },
];
