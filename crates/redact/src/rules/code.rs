//! Code hosts, registries, builders, and the tools of a team.

use super::super::shape::Alphabet::{
    Alnum, AnyHex, Digit, Django, Dotted, Hex, LowerDigit, Url64, Url64Padded, Word,
};
use super::super::shape::Piece::{Run, Text};
use super::{OPEN, TokenRule, token, weak};

#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("github-token", &["ghp_", "gho_", "ghu_", "ghr_"], &[Run(Alnum, 30, OPEN)]),
    // The newer ones of installations carry a JWT behind an application's number.
    token("github-token", &["ghs_"], &[Run(Dotted, 30, OPEN)]),
    token("github-pat", &["github_pat_"], &[Run(Word, 36, OPEN)]),
    token("gitlab-token", &[
        "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-",
        "gloas-", "glffct-", "glrtr-", "glwt-",
    ], &[Run(Dotted, 18, OPEN)]),
    token("syncline-token", &["sl_"], &[Run(Hex, 32, 64)]),
    token("gitlab-runner-token", &["GR1348941"], &[Run(Url64, 18, OPEN)]),
    token("bitbucket-token", &["ATBB"], &[Run(Alnum, 24, OPEN)]),
    token("atlassian-token", &["ATATT3", "ATCTT3"], &[Run(Url64Padded, 50, OPEN)]),
    token("trello-token", &["ATTA"], &[Run(Hex, 60, OPEN)]),
    token("npm-token", &["npm_"], &[Run(Alnum, 34, OPEN)]),
    token("pypi-token", &["pypi-AgE"], &[Run(Url64, 50, OPEN)]),
    token("rubygems-key", &["rubygems_"], &[Run(Hex, 40, OPEN)]),
    weak("cargo-token", &["cio"], &[Run(Alnum, 32, 32)]),
    weak("nuget-key", &["oy2"], &[Run(LowerDigit, 43, 43)]),
    token("docker-token", &["dckr_pat_", "dckr_oat_"], &[Run(Url64, 24, OPEN)]),
    token("clojars-token", &["CLOJARS_"], &[Run(AnyHex, 50, OPEN)]),
    weak("jfrog-key", &["AKCp"], &[Run(Alnum, 60, OPEN)]),
    weak("jfrog-token", &["cmVmdGtu"], &[Run(Alnum, 50, OPEN)]),
    token("circleci-token", &["CCIPAT_", "CCIPRJ_"], &[Run(Word, 30, OPEN)]),
    token("buildkite-token", &["bkua_", "bkct_", "bkpt_"], &[Run(Word, 32, OPEN)]),
    token("sonar-token", &["sqp_", "sqa_", "squ_"], &[Run(Hex, 40, 40)]),
    token("snyk-token", &["snyk_uat.", "snyk_sat."], &[Run(Dotted, 30, OPEN)]),
    token("sourcegraph-token", &["sgp_", "sgd_", "slk_", "sgs_"], &[Run(Word, 40, OPEN)]),
    token("postman-key", &["PMAK-"], &[Run(Url64, 40, OPEN)]),
    token("linear-key", &["lin_api_", "lin_oauth_", "lin_wh_"], &[Run(Word, 32, OPEN)]),
    token("notion-token", &["ntn_"], &[Run(Alnum, 40, OPEN)]),
    weak("notion-token", &["secret_"], &[Run(Alnum, 40, OPEN)]),
    token("figma-token", &["figd_", "figu_", "figdr_", "figur_", "figoh_", "figo_"], &[Run(Url64, 30, OPEN)]),
    weak("airtable-token", &["pat"], &[Run(Alnum, 14, 14), Text("."), Run(Hex, 60, 64)]),
    weak("clickup-token", &["pk_"], &[Run(Digit, 5, 12), Text("_"), Run(Alnum, 28, 36)]),
    token("dropbox-token", &["sl.u.", "sl.B", "sl.A"], &[Run(Dotted, 60, OPEN)]),
    token("typeform-token", &["tfp_"], &[Run(Dotted, 40, OPEN)]),
    token("contentful-token", &["CFPAT-"], &[Run(Url64, 40, OPEN)]),
    token("harness-token", &["pat.", "sat."], &[Run(Url64, 22, 22), Text("."), Run(Hex, 24, 24), Text("."), Run(Alnum, 20, OPEN)]),
    token("infracost-key", &["ico-"], &[Run(Alnum, 32, 32)]),
    token("readme-key", &["rdme_xn8s9h"], &[Run(LowerDigit, 60, OPEN)]),
    token("frameio-token", &["fio-u-"], &[Run(Url64Padded, 60, OPEN)]),
    token("adafruit-key", &["aio_"], &[Run(Alnum, 28, 28)]),
    token("adobe-secret", &["p8e-"], &[Run(Alnum, 32, 32)]),
    token("scalingo-token", &["tk-us-"], &[Run(Url64, 48, 48)]),
    token("prefect-key", &["pnu_"], &[Run(Alnum, 36, 36)]),
    token("wakatime-key", &["waka_"], &[Run(Url64, 36, 36)]),
    token("launchdarkly-key", &["sdk-", "api-", "mob-"], &[Run(Hex, 8, 8), Text("-"), Run(Hex, 4, 4), Text("-"), Run(Hex, 4, 4), Text("-"), Run(Hex, 4, 4), Text("-"), Run(Hex, 12, 12)]),
    token("nylas-key", &["nyk_v0_", "nyk_"], &[Run(Word, 40, OPEN)]),
    weak("cursor-key", &["crsr_", "key_"], &[Run(Hex, 60, 64)]),
    token("django-key", &["django-insecure-"], &[Run(Django, 40, OPEN)]),
    token("apify-token", &["apify_api_"], &[Run(Alnum, 30, OPEN)]),
];
