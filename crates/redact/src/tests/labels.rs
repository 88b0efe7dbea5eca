//! Secrets behind the labels of Markdown and HTML, in pairs of a name and a value, and behind short names.

use super::super::shape::Alphabet;
use super::samples::Draw;
use super::{assert_all_gone, assert_all_kept};

/// Where a password is told; `@` stands for it.
const TOLD: &[&str] = &[
    "- **Username:** admin\n- **Password:** @\n",
    "**Password:** @",
    "**Password:** `@`",
    "*Password:* @",
    "***Password:*** @",
    "__Password:__ @",
    "_password:_ @",
    "**DB_PASSWORD:** @",
    "<b>Password:</b> @",
    "<strong>Password:</strong> @",
    "**API token:** `@`",
    "env:\n- name: DB_PASSWORD\n  value: @\n",
    "env:\n  - name: DB_PASSWORD\n    value: \"@\"\n",
    "- name: 'DB_PASSWORD'\n  value: '@'\n",
    "- key: JWT_SECRET\n  value: @\n",
    "- key: \"JWT_SECRET\"\n  value: @",
    "{name: DB_PASSWORD, value: @}",
    "{ name: DB_PASSWORD, value: \"@\" }",
    "DB_PW=@",
    "export MYSQL_PW='@'",
    "mysql_pw: @",
    "PW=@",
    "pw: @",
    "export SSHPASS=@",
    "SSHPASS=@ sshpass -e ssh me@h.test",
    "SMTPPASS=@",
];

#[test]
fn what_labels_and_pairs_name_is_found() {
    let mut draw = Draw::new(47);
    let texts = TOLD.iter().flat_map(|context| {
        let secrets: Vec<_> = [10, 14, 19, 24]
            .map(|length| draw.run(Alphabet::Alnum, length))
            .into();
        let put = |secret: String| (context.replacen('@', &secret, 1), secret);
        secrets.into_iter().map(put).collect::<Vec<_>>()
    });
    assert_all_gone(texts);
}

#[test]
fn what_labels_and_pairs_tell_besides_stays() {
    assert_all_kept([
        "**Password:** must have ten signs",
        "**Token:** the one from your account",
        "SCAN token:* COUNT 100",
        "keys session:* are dropped",
        "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: db\n      key: password\n",
        "- name: DB_PASSWORD\n  value: $(SECRET_OF_DB)\n",
        "- name: DB_PASSWORD\n  value: ${DB_PASSWORD}\n",
        "- name: PORT\n  value: \"8080\"\n",
        "required:\n  - name: token\n    description: of the user\n",
        "const pw = await playwright.chromium.launch();",
        "pw: the password, as bytes",
        "if (pw == null) return;",
    ]);
}
