//! Payments and shops.
//!
//! The numbers of cards are not looked for: they belong to people, not to machines, and a check digit
//! lets one in ten of all long numbers through.

use super::super::shape::Alphabet::{Alnum, Base64, Hex, LowerDigit, Url64, Word};
use super::super::shape::Piece::{AnyOf, Run, Text};
use super::{OPEN, TokenRule, token, weak};

#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("stripe-key", &["sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_", "sk_org_live_", "sk_org_test_"], &[Run(Word, 16, OPEN)]),
    token("stripe-webhook-secret", &["whsec_"], &[Run(Base64, 24, OPEN)]),
    token("square-token", &["sq0atp-", "sq0csp-"], &[Run(Url64, 20, OPEN)]),
    weak("square-token", &["EAAA"], &[Run(Url64, 56, OPEN)]),
    token("paypal-token", &["access_token$production$", "access_token$sandbox$"], &[Run(LowerDigit, 16, 16), Text("$"), Run(Hex, 32, 32)]),
    weak("paypal-token", &["A21AA"], &[Run(Url64, 60, OPEN)]),
    token("plaid-token", &["access-sandbox-", "access-development-", "access-production-"], &[Run(Url64, 36, 36)]),
    token("razorpay-key", &["rzp_live_", "rzp_test_"], &[Run(Alnum, 14, OPEN)]),
    token("flutterwave-key", &["FLWSECK-", "FLWSECK_TEST-"], &[Run(Url64, 12, OPEN)]),
    weak("live-key", &["live_", "test_"], &[Run(Alnum, 28, 48)]),
    token("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_", "shptka_", "shprt_", "shpua_"], &[Run(Alnum, 32, OPEN)]),
    token("shopify-token", &["prtapi_"], &[Run(Hex, 32, OPEN)]),
    token("shippo-token", &["shippo_live_", "shippo_test_"], &[Run(Hex, 40, 40)]),
    token("easypost-key", &["EZAK", "EZTK"], &[Run(Alnum, 54, 54)]),
    token("duffel-token", &["duffel_test_", "duffel_live_"], &[Run(Url64, 40, OPEN)]),
    weak("adyen-key", &["AQE"], &[Run(Base64, 40, OPEN), Text("-"), Run(Base64, 20, OPEN)]),
    weak("coinbase-key", &["organizations/"], &[Run(Url64, 36, 36), AnyOf(&["/apiKeys/"]), Run(Url64, 36, 36)]),
    token("paddle-key", &["pdl_live_", "pdl_sdbx_"], &[Run(Word, 30, OPEN)]),
    token("polar-token", &["polar_oat_", "polar_pat_"], &[Run(Alnum, 30, OPEN)]),
];
