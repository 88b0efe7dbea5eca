//! Values that fill their line: found to their last sign, unless they are code.

use super::super::Redactor;
use super::assert_all_kept;
use super::samples::Draw;

/// Where a password stands as it is; `@` stands for it.
const WHOLE: &[&str] = &[
    "DB_PASSWORD=@",
    "export DB_PASSWORD=@",
    "ENV DB_PASSWORD=@",
    "A=1\nDB_PASSWORD=@\nB=2\n",
    "  password: @",
    "db:\n  password: @  # until May\n  port: 1\n",
    "- password: @\r\n",
    "    12→  password: @\n    13→  port: 1\n",
    "config/db.yml:12:  password: @\n",
    "+  password: @\n",
    "spring.datasource.password=@",
    "password = @\n",
    "Password: @\nLogin ok",
    "{\"out\":\"A=1\\n  password: @\\n  port: 1\"}",
    "{\"out\":\"password: @\",\"code\":0}",
    "Server=x;User ID=sa;Password=@;Encrypt=True",
    "\"Data Source=x; Password=@; Encrypt=True\"",
    "password=@;Server=x",
    "mysql -u root -p'@' x",
];

/// A password as generators make them: letters, digits and signs, each of them once at least.
fn password(draw: &mut Draw, length: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
    const SIGNS: &[u8] = b"!#$%&*+,-.:;<=>?@[]^_|~(){}/";
    let mut all = vec![
        LETTERS[draw.below(24)],
        LETTERS[25 + draw.below(24)],
        b"23456789"[draw.below(8)],
        b"#,;|<>&(){}[]"[draw.below(13)],
    ];
    for _ in all.len()..length {
        let sort = [LETTERS, b"0123456789", SIGNS][draw.below(3)];
        all.push(sort[draw.below(sort.len())]);
    }
    // The first letter stays, so that nothing is a bracket that is not closed.
    for at in (2..length).rev() {
        all.swap(at, 1 + draw.below(at));
    }
    all.into_iter().map(char::from).collect()
}

#[test]
fn passwords_with_any_signs_are_found_to_their_ends() {
    let mut draw = Draw::new(29);
    let (mut left, mut planted) = (Vec::new(), 0);
    for context in WHOLE {
        for length in [10, 12, 16, 20] {
            for _ in 0..25 {
                let password = password(&mut draw, length);
                let text = context.replacen('@', &password, 1);
                let redacted = Redactor::standard().redact_text(&text).text.into_owned();
                let (before, after) = context.split_once('@').unwrap_or_default();
                let rest = redacted.strip_prefix(before).unwrap_or(&redacted);
                let (marker, rest) = rest.split_once(']').unwrap_or(("", rest));
                planted += 1;
                // An escape or a line's end behind a sign may be taken for a part of it.
                if !marker.starts_with("[redacted:") || !after.ends_with(rest) {
                    left.push((text, redacted));
                }
            }
        }
    }
    let failed = left.len();
    assert!(failed * 100 <= planted, "{failed} of {planted}: {left:#?}");
}

#[test]
fn code_that_fills_its_line_is_kept() {
    assert_all_kept([
        "password = getPassword()",
        "    password = os.environ[\"DB_PASSWORD1\"],",
        "  password: config.db.password[1],",
        "  password: bcrypt.hashSync(plain2,Rounds10),",
        "  password: Option<String32>,",
        "  Password: Vec<u8>,",
        "  password: string|undefined;",
        "  password: req.body.Password1;",
        "  password: not one word, x1!",
        "  password: z.string().min(8).max(64),",
        "  password: Joi.string().regex(/^[a-zA-Z0-9]{3,30}$/),",
        "  password: hash_password(",
        "  password: {",
        "  password: &DEFAULT_PASSWORD1,",
        "  password: *default_password",
        "  password: <Password1>",
        "  password: {{password1}}",
        "  password: ${PASSWORD1:-Secret}",
        "PASSWORD=$1;shift",
        "password=([^&]+)",
        "password={password1};Host={host1}",
    ]);
}

#[test]
fn a_line_too_long_for_a_password_is_cut_within_no_character() {
    for length in 290..310 {
        let text = format!(
            "password: {}é;{}",
            "a1B".repeat(length / 3),
            "é".repeat(200)
        );
        let redacted = Redactor::standard().redact_text(&text);
        assert!(redacted.text.ends_with("éé"));
    }
}
