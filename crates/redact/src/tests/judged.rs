//! What redaction took out of real work sessions, and what earlier rules took out wrongly.
//!
//! The sessions are those that the developers of the public repository `entireio/cli` (MIT licence,
//! © 2026 Entire Inc.) published with their code. The secrets in [`TRUE`] were made up by their writers, of
//! a shape that nothing can tell from real ones; [`FALSE`] must stay. A test of capture reads the sessions
//! themselves, and compares every redaction with its list of those that a person has judged.

use super::super::Redactor;
use super::{assert_all_gone, assert_all_kept};

/// The text before the secret, the secret in pieces, the rule.
const TRUE: [(&str, [&str; 2], &str); 4] = [
    (
        "PGUSER=app_user\nPGPASSWORD=",
        ["xK9#mP2$vL", "5nQ8wR3tY6"],
        "password",
    ),
    (
        "DATABASE_URL=postgresql://app_user:",
        ["xK9%23mP2%24v", "L5nQ8wR3tY6@db.example.com:5432/app"],
        "url-password",
    ),
    (
        "## SSH Private Key\n\n```\n-----BEGIN OPENSSH PRIVATE KEY-----\n",
        [
            "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9u",
            "ZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n",
        ],
        "private-key",
    ),
    (
        "## Datadog API Key\n\nDD_APP_KEY=",
        ["1a2b3c4d5e6f7a8b9c0d", "1e2f3a4b5c6d7e8f9a0b"],
        "secret",
    ),
];

const FALSE: [&str; 4] = [
    "=== CONT  TestContract_ClaudeCode_PostTask\n--- PASS: TestContract_GeminiCLI_BeforeAgent (0.08s)\n",
    "--- PASS: TestContract_GeminiCLI_SessionStart (0.20s)\n=== CONT  TestContract_GeminiCLI_SessionEnd\n",
    "    Checkpoint: 9ae2d71ae8a2\n\n    Entire-Session: 26bdab70-15ed-46ca-a594-0bf509b9d594\n    Entire-Strategy: manual-commit\n",
    "    Checkpoint: 5da2925d1c6f\n\n    Entire-Session: f39e6021-2384-4965-a0cf-319351b4e054\n    Entire-Strategy: manual-commit\n",
];

#[test]
fn what_was_judged_a_secret_is_found() {
    for (before, pieces, rule) in TRUE {
        let secret = pieces.concat();
        let text = format!("{before}{secret}");
        let redacted = Redactor::standard().redact_text(&text);
        assert_eq!(redacted.findings.len(), 1, "{}", redacted.text);
        assert_eq!(redacted.findings[0].rule, rule);
        let hidden = secret.trim_end().split('@').next().unwrap_or_default();
        assert_all_gone([(text, hidden.to_owned())]);
    }
}

#[test]
fn what_was_judged_no_secret_is_kept() {
    assert_all_kept(FALSE);
}
