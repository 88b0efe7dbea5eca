//! Mail, messages and social networks.

use super::super::shape::Alphabet::{
    Alnum, Digit, Dotted, Hex, LowerDigit, Path, Url64, Url64Padded, Word,
};
use super::super::shape::Piece::{Rest, Run, Text};
use super::{OPEN, TokenRule, around, token, weak};

#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("slack-token", &["xoxb-", "xoxp-", "xoxa-", "xoxs-", "xoxr-", "xoxo-", "xoxc-", "xoxd-", "xoxe-", "xoxe.", "xapp-", "xwfp-"], &[Run(super::super::shape::Alphabet::Any, 18, OPEN)]),
    token("slack-webhook", &["hooks.slack.com/"], &[Run(Path, 30, OPEN)]),
    token("discord-webhook", &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"], &[Run(Path, 40, OPEN)]),
    token("teams-webhook", &["webhook.office.com/webhookb2/"], &[Run(Path, 60, OPEN)]),
    token("zapier-webhook", &["hooks.zapier.com/hooks/catch/"], &[Run(Path, 10, OPEN)]),
    // The first two digits of a bot's user number, in base64.
    around("discord-token", (Alnum, 0, 0), &[
        "MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT",
    ], &[Run(Alnum, 19, 27), Text("."), Run(Url64, 6, 7), Text("."), Run(Url64, 25, 40)]),
    weak("discord-token", &["mfa."], &[Run(Url64, 80, OPEN)]),
    around("telegram-bot-token", (Digit, 7, 11), &[":AA"], &[Run(Url64, 30, 36)]),
    weak("twilio-key", &[
        "SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb", "SKc",
        "SKd", "SKe", "SKf",
    ], &[Run(Hex, 31, 31)]),
    token("sendgrid-key", &["SG."], &[Run(Url64, 16, 32), Text("."), Run(Url64, 16, 64)]),
    weak("mailgun-key", &["key-"], &[Run(Hex, 32, 32)]),
    token("hubspot-token", &["pat-na1-", "pat-na2-", "pat-na3-", "pat-eu1-", "pat-ap1-"], &[Run(Url64, 36, 36)]),
    around("mailchimp-key", (Hex, 32, 32), &["-us"], &[Run(Digit, 1, 2)]),
    weak("mandrill-key", &["md-"], &[Run(Url64, 22, 22)]),
    token("brevo-key", &["xkeysib-", "xsmtpsib-"], &[Run(Url64, 60, OPEN)]),
    weak("resend-key", &["re_"], &[Run(Alnum, 8, 10), Text("_"), Run(Alnum, 20, 30)]),
    weak("resend-key", &["re_"], &[Run(Alnum, 32, 36)]),
    token("mailersend-token", &["mlsn."], &[Run(LowerDigit, 60, OPEN)]),
    token("intercom-token", &["dG9rO"], &[Run(Url64Padded, 50, 60)]),
    weak("facebook-token", &["EAA"], &[Run(Alnum, 80, OPEN)]),
    token("instagram-token", &["IGQV"], &[Run(Url64, 60, OPEN)]),
    token("twitter-bearer-token", &["AAAAAAAAAAAAAAAAAAAAA"], &[Run(Path, 60, OPEN)]),
    token("linkedin-secret", &["WPL_AP1."], &[Run(Dotted, 14, OPEN)]),
    token("twitch-token", &["oauth:"], &[Run(LowerDigit, 30, 30)]),
    token("jwt", &["eyJ"], &[Run(Url64, 12, OPEN), Text("."), Run(Url64, 12, OPEN), Rest(&[Text("."), Run(Url64Padded, 8, OPEN)])]),
    // An encrypted one has five parts, the second of which may be empty.
    token("jwt", &["eyJ"], &[Run(Url64, 12, OPEN), Text("."), Run(Url64, 0, OPEN), Text("."), Run(Url64, 8, OPEN), Text("."), Run(Url64, 8, OPEN), Text("."), Run(Url64, 8, OPEN)]),
    token("clerk-secret", &["svix_", "whsk_"], &[Run(Word, 24, OPEN)]),
];
