//! Monitoring and analytics.

use super::super::shape::Alphabet::{Alnum, Base64, Dotted, Hex, Url64, Word};
use super::super::shape::Piece::Run;
use super::{OPEN, TokenRule, around, token, weak};

#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("new-relic-key", &["NRAK-", "NRRA-", "NRII-", "NRIQ-", "NRSP-", "NRBR-", "NRJS-", "NRAL-"], &[Run(Url64, 17, OPEN)]),
    around("new-relic-key", (Alnum, 32, 40), &["FFFFNRAL", "NRAL"], &[]),
    token("grafana-token", &["glsa_", "glc_"], &[Run(super::super::shape::Alphabet::Any, 30, OPEN)]),
    token("sentry-token", &["sntrys_", "sntryu_", "sntrya_", "sntryi_"], &[Run(super::super::shape::Alphabet::Any, 32, OPEN)]),
    token("dynatrace-token", &["dt0c01.", "dt0s01.", "dt0s02.", "dt0s16."], &[Run(Dotted, 40, OPEN)]),
    token("honeycomb-key", &["hcaik_", "hcxik_", "hcbik_", "hcamk_", "hcxmk_"], &[Run(Alnum, 40, OPEN)]),
    token("posthog-key", &["phx_", "phs_"], &[Run(Alnum, 36, OPEN)]),
    token("datadog-key", &["ddapp_", "ddapi_", "ddpat_"], &[Run(Word, 30, OPEN)]),
    token("pagerduty-key", &["pdus+_"], &[Run(Base64, 24, OPEN)]),
    weak("pagerduty-key", &["u+"], &[Run(Url64, 18, 18)]),
    token("axiom-token", &["xaat-", "xapt-"], &[Run(Url64, 36, 36)]),
    token("rootly-key", &["rootly_"], &[Run(Hex, 60, OPEN)]),
];
